package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// findPVC takes the claim from what the api container mounts, never from a
// name in this program.
func (in *inspection) findPVC(ctx context.Context) {
	if in.found.api == nil {
		return
	}
	name, err := claimName(in.found.manager.Spec.Template.Spec, in.found.api)
	if err != nil {
		in.fail(StepPVC, fmt.Errorf("deployment %q in namespace %q: %w", in.release.Deployment, in.release.Namespace, err))
		return
	}
	in.release.PVC.Name = name
	claim, err := in.client.CoreV1().PersistentVolumeClaims(in.release.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		in.fail(StepPVC, in.explainClaim(ctx, err))
		return
	}
	in.release.PVC = describeClaim(claim)
	if err := checkClaim(claim); err != nil {
		in.fail(StepPVC, err)
		return
	}
	modes := make([]string, 0, len(in.release.PVC.AccessModes))
	for _, mode := range in.release.PVC.AccessModes {
		modes = append(modes, string(mode))
	}
	in.ok(StepPVC, strings.TrimSpace(fmt.Sprintf("%s %s, %s %s", name, claim.Status.Phase, strings.Join(modes, ","), in.release.PVC.Capacity)))
}

// claimName is the claim that the container mounts as the shared volume. The
// Jobs get theirs from CLIENT_PVC: when the two differ, staged files would be
// on a volume that no Job reads.
func claimName(spec corev1.PodSpec, api *corev1.Container) (string, error) {
	mounted, declared := "", env(api, "CLIENT_PVC")
	if volume := volumeAt(spec, api, SharedMount); volume != nil && volume.PersistentVolumeClaim != nil {
		mounted = volume.PersistentVolumeClaim.ClaimName
	}
	switch {
	case mounted == "" && declared == "":
		return "", fmt.Errorf("container %q mounts no PVC at %s and has no env CLIENT_PVC; the release has no shared volume to stage on", api.Name, SharedMount)
	case mounted == "":
		return declared, nil
	case declared != "" && declared != mounted:
		return "", fmt.Errorf("container %q mounts pvc %q at %s but gives its Jobs pvc %q (env CLIENT_PVC); they must be the same for a Job to read what was staged",
			api.Name, mounted, SharedMount, declared)
	}
	return mounted, nil
}

func (in *inspection) explainClaim(ctx context.Context, err error) error {
	name, namespace := in.release.PVC.Name, in.release.Namespace
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("pvc %q in namespace %q: not found, though jobs-manager mounts it (kubectl get pvc -n %s)", name, namespace, namespace)
	}
	return explain(ctx, in.client, fmt.Sprintf("get pvc %q in namespace %q", name, namespace), namespace, err)
}

func describeClaim(claim *corev1.PersistentVolumeClaim) PVC {
	out := PVC{Name: claim.Name, Phase: claim.Status.Phase, AccessModes: claim.Spec.AccessModes}
	if capacity, ok := claim.Status.Capacity[corev1.ResourceStorage]; ok {
		out.Capacity = capacity.String()
	}
	return out
}

// checkClaim refuses a claim that a stage Pod could not write to. The modes of
// the claim count, not those of the volume behind it: the scheduler reads them.
func checkClaim(claim *corev1.PersistentVolumeClaim) error {
	modes := claim.Spec.AccessModes
	about := fmt.Sprintf("pvc %q in namespace %q", claim.Name, claim.Namespace)
	describe := fmt.Sprintf("kubectl describe pvc %s -n %s", claim.Name, claim.Namespace)
	switch {
	case claim.DeletionTimestamp != nil:
		return fmt.Errorf("%s: it is being deleted, and no new Pod may use it (%s)", about, describe)
	case claim.Status.Phase != corev1.ClaimBound:
		return fmt.Errorf("%s: phase is %s; it must be Bound (%s)", about, phase(claim.Status.Phase), describe)
	case slices.Contains(modes, corev1.ReadWriteOncePod):
		return fmt.Errorf("%s: access mode is ReadWriteOncePod, so no stage Pod can mount it beside jobs-manager; "+
			"it must be ReadWriteOnce or ReadWriteMany (set pvcAccessMode and migrate the volume)", about)
	case !slices.Contains(modes, corev1.ReadWriteOnce) && !slices.Contains(modes, corev1.ReadWriteMany):
		return fmt.Errorf("%s: access modes are %q, which allow no writing; it must be ReadWriteOnce or ReadWriteMany "+
			"(set pvcAccessMode and migrate the volume)", about, modes)
	}
	return nil
}

// phase words a phase that the controller has not set yet.
func phase(p corev1.PersistentVolumeClaimPhase) string {
	if p == "" {
		return "not set yet"
	}
	return string(p)
}
