package release

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
)

const (
	sccAnnotation = "openshift.io/sa.scc.uid-range"
	sccGroup      = "security.openshift.io"
)

// findSecurity decides which ids the stage Pod runs as.
func (in *inspection) findSecurity(ctx context.Context) {
	if in.found.api == nil {
		return
	}
	openShift, err := in.isOpenShift(ctx)
	if err != nil {
		in.fail(StepSecurity, err)
		return
	}
	in.release.OpenShift = openShift
	if openShift {
		in.ok(StepSecurity, "OpenShift: the namespace assigns the ids")
		return
	}
	uid, gid, err := ingestorIDs(in.found.api)
	if err != nil {
		in.fail(StepSecurity, fmt.Errorf("deployment %q in namespace %q: %w", in.release.Deployment, in.release.Namespace, err))
		return
	}
	in.release.RunAsUser, in.release.RunAsGroup = &uid, &gid
	in.ok(StepSecurity, fmt.Sprintf("files belong to %d:%d", uid, gid))
}

// isOpenShift reads the annotation of the namespace. Where the user may not
// read the namespace, the API groups tell, which everyone may list.
func (in *inspection) isOpenShift(ctx context.Context) (bool, error) {
	namespace := in.release.Namespace
	ns, err := in.client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	if err == nil {
		_, annotated := ns.Annotations[sccAnnotation]
		return annotated, nil
	}
	if !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
		return false, explain(ctx, in.client, fmt.Sprintf("get namespace %q", namespace), namespace, err)
	}
	groups, err := discovery.ToDiscoveryInterfaceWithContext(in.client.Discovery()).ServerGroupsWithContext(ctx)
	if err != nil {
		return false, explain(ctx, in.client, "list the API groups of the cluster", namespace, err)
	}
	return slices.ContainsFunc(groups.Groups, func(g metav1.APIGroup) bool { return g.Name == sccGroup }), nil
}
