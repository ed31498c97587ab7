package runs

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// An ingestor image that does not exist: the following ends with the reason, and the run can be canceled.
func testImagePull(t *testing.T, l *lab) {
	r := l.trial(t, "image_pull", fault.Faults{})
	done := r.push(t, "--image-digest=sha256:"+strings.Repeat("0", 64)).expect(t, 9, "cannot pull image")
	got := done.object(t)
	got.ended(t, "Failed", "")
	if !strings.Contains(got.Status.Message, "cannot pull image") || !strings.Contains(got.Status.Message, "sha256:000") {
		t.Errorf("the reason does not name the image: %s", got.Status.Message)
	}
	r.leaves(t, got, remains{jobs: 1, staged: true})
	r.cancels(t, got)
}

// A quota that lets no Pod start, in two forms: with no room for what the Pod asks for, and asking for limits that the Pod has not. A
// third run waits until there is room, and succeeds.
func TestQuota(t *testing.T) {
	t.Parallel()
	l := openLab(t, "quota")
	huge, large := resource.MustParse("64Gi"), resource.MustParse("8Gi")
	without := l.trial(t, "quota_no_limit", fault.Faults{})
	full := l.trial(t, "quota_full", fault.Faults{Ingestor: fault.Ingestor{MemoryLimit: &huge}})
	later := l.trial(t, "quota_later", fault.Faults{Ingestor: fault.Ingestor{MemoryLimit: &large}})
	quotas := l.Client.CoreV1().ResourceQuotas(l.Options.Namespace)
	hard := corev1.ResourceList{corev1.ResourceLimitsMemory: resource.MustParse("4Gi")}
	quota, err := quotas.Create(t.Context(), &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the quota counts", func() bool {
		quota, err = quotas.Get(t.Context(), quota.Name, metav1.GetOptions{})
		return err == nil && len(quota.Status.Hard) > 0
	})
	stuck := map[*trial]*process{without: without.start(t), full: full.start(t)}
	p := later.start(t)
	p.says(t, "exceeded quota")
	if _, err := quotas.Patch(t.Context(), quota.Name, types.MergePatchType, []byte(`{"spec":{"hard":{"limits.memory":"16Gi"}}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	got := p.wait().expect(t, 0, "cannot create its pod").object(t)
	got.ended(t, "Succeeded", all)
	later.leaves(t, got, remains{rows: 4, jobs: 1})
	for r, reason := range map[*trial]string{without: "must specify limits.memory", full: "exceeded quota"} {
		t.Run(r.table, func(t *testing.T) {
			got := stuck[r].wait().expect(t, 9, reason).object(t)
			got.ended(t, "Failed", "")
			if !strings.Contains(got.Status.Message, fmt.Sprintf("job %s cannot create its pod", got.Status.Job)) || !strings.Contains(got.Status.Message, reason) {
				t.Errorf("the reason is not told: %s", got.Status.Message)
			}
			if pods := l.pods(t, got.Metadata.Name); len(pods) > 0 {
				t.Errorf("it has %d Pods", len(pods))
			}
			r.leaves(t, got, remains{jobs: 1, staged: true})
			r.cancels(t, got)
		})
	}
}
