package release

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// HasJob reports whether the cluster has a Job of the run with this key,
// whatever became of it (contract cluster.md §2.4).
func HasJob(ctx context.Context, client kubernetes.Interface, namespace, key string) (bool, error) {
	jobs, err := client.BatchV1().Jobs(namespace).List(ctx, metav1.ListOptions{LabelSelector: LabelRun + "=" + key, Limit: 1})
	if err != nil {
		return false, explain(ctx, client, fmt.Sprintf("look for the job of run %q", key), namespace, err)
	}
	return len(jobs.Items) > 0, nil
}
