package release

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Names lists the tracebloc client releases of a namespace, sorted, by the
// label that Discover finds them by (contract, cluster §1.1). It makes one
// request, and judges nothing.
func Names(ctx context.Context, client kubernetes.Interface, namespace string) ([]string, error) {
	all, err := client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{LabelSelector: releaseSelector})
	if err != nil {
		return nil, fmt.Errorf("list Deployments in namespace %q: %w", namespace, err)
	}
	return releaseNames(managersOf(all.Items)), nil
}
