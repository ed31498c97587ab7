package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"
)

const (
	labelName     = "app.kubernetes.io/name"
	labelInstance = "app.kubernetes.io/instance"
	labelChart    = "helm.sh/chart"
	chartName     = "client"
	// minChart is the first chart that ships the Service and the ingestion
	// endpoint (contract cluster.md §1.4).
	minChart = "1.3.3"
	// releaseSelector also finds the charts before "client", to say that they
	// are too old rather than that nothing is there.
	releaseSelector = "app.kubernetes.io/managed-by=Helm," + labelName + " in (client,tracebloc,aks,bm,eks,oc)"
)

// found is what the list of Deployments gave.
type found struct {
	manager *appsv1.Deployment
	// siblings are all Deployments of the same release.
	siblings []appsv1.Deployment
	api      *corev1.Container
}

// findDeployment sets in.found and the names of the release. The error is in
// the steps as well.
func (in *inspection) findDeployment(ctx context.Context, name string) error {
	manager, siblings, err := in.pickDeployment(ctx, name)
	if err != nil {
		in.fail(StepRelease, err)
		return err
	}
	in.found = found{manager: manager, siblings: siblings, api: apiContainer(manager.Spec.Template.Spec)}
	in.release.Name = releaseName(manager)
	in.release.Deployment = manager.Name
	in.release.ChartVersion = chartVersion(manager)
	detail := in.release.Name
	if chart := manager.Labels[labelChart]; chart != "" {
		detail += ", chart " + chart
	}
	in.ok(StepRelease, detail)
	return nil
}

func (in *inspection) pickDeployment(ctx context.Context, name string) (*appsv1.Deployment, []appsv1.Deployment, error) {
	namespace := in.release.Namespace
	all, err := in.client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{LabelSelector: releaseSelector})
	if err != nil {
		err = explain(ctx, in.client, fmt.Sprintf("list Deployments in namespace %q", namespace), namespace, err)
		if apierrors.IsForbidden(err) {
			err = fmt.Errorf("%w; if the release is in another namespace, name it with -n", err)
		}
		return nil, nil, err
	}
	managers := managersOf(all.Items)
	names := releaseNames(managers)
	if name != "" {
		managers = slices.DeleteFunc(managers, func(d appsv1.Deployment) bool { return releaseName(&d) != name })
	}
	if len(managers) == 0 {
		return nil, nil, in.notFound(ctx, name, names)
	}
	if len(managers) > 1 {
		several := &SeveralError{Namespace: namespace, Names: releaseNames(managers)}
		for _, d := range managers {
			several.Deployments = append(several.Deployments, d.Name)
		}
		return nil, nil, several
	}
	manager := &managers[0]
	siblings := slices.DeleteFunc(all.Items, func(d appsv1.Deployment) bool { return releaseName(&d) != releaseName(manager) })
	if legacy(manager) {
		return nil, nil, in.tooOld(manager)
	}
	return manager, siblings, nil
}

// managersOf keeps the jobs-manager Deployments; the chart's other Deployments
// carry the same labels.
func managersOf(all []appsv1.Deployment) []appsv1.Deployment {
	var managers []appsv1.Deployment
	for _, d := range all {
		if d.Name == "jobs-manager" || strings.HasSuffix(d.Name, "-jobs-manager") {
			managers = append(managers, d)
		}
	}
	return managers
}

// notFound looks where releases are, to name the -n that the user needs.
func (in *inspection) notFound(ctx context.Context, name string, here []string) error {
	e := &NotFoundError{Namespace: in.release.Namespace, Name: name, Here: here}
	if len(here) > 0 {
		return e
	}
	all, err := in.client.AppsV1().Deployments(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: releaseSelector})
	switch {
	case apierrors.IsForbidden(err):
		e.ElsewhereUnknown = true
	case err != nil:
		return explain(ctx, in.client, e.Error()+"; list Deployments of all namespaces", e.Namespace, err)
	default:
		for _, d := range managersOf(all.Items) {
			e.Elsewhere = append(e.Elsewhere, Ref{Namespace: d.Namespace, Name: releaseName(&d)})
		}
	}
	return e
}

func releaseNames(managers []appsv1.Deployment) []string {
	var names []string
	for _, d := range managers {
		names = append(names, releaseName(&d))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// releaseName reads the instance label; without one the name of the Deployment
// is all there is to go by.
func releaseName(d *appsv1.Deployment) string {
	if instance := d.Labels[labelInstance]; instance != "" {
		return instance
	}
	if name := strings.TrimSuffix(d.Name, "-jobs-manager"); name != "" {
		return name
	}
	return d.Name
}

// chartVersion is the chart label without the chart's name. Helm writes the
// "+" of build metadata as "_" there.
func chartVersion(d *appsv1.Deployment) string {
	chart := d.Labels[labelChart]
	if rest, ok := strings.CutPrefix(chart, d.Labels[labelName]+"-"); ok {
		return strings.ReplaceAll(rest, "_", "+")
	}
	return ""
}

func legacy(d *appsv1.Deployment) bool { return d.Labels[labelName] != chartName }

// beforeEndpoint reports whether the chart is known to be older than the
// ingestion endpoint. A version that is none says nothing.
func beforeEndpoint(d *appsv1.Deployment) bool {
	v, err := version.ParseGeneric(chartVersion(d))
	return err == nil && v.LessThan(version.MustParseGeneric(minChart))
}

func (in *inspection) tooOld(d *appsv1.Deployment) error {
	return &TooOldError{Namespace: in.release.Namespace, Name: releaseName(d), Chart: d.Labels[labelChart], Legacy: legacy(d)}
}

// checkManager looks at the Deployment itself: scaled to nothing, or with its
// endpoint switched off.
func (in *inspection) checkManager() {
	d, namespace := in.found.manager, in.release.Namespace
	if in.found.api == nil {
		in.fail(StepManager, fmt.Errorf("deployment %q in namespace %q has no container \"api\" and none with env CLIENT_PVC; "+
			"is it a tracebloc jobs-manager? (kubectl describe deployment %s -n %s)", d.Name, namespace, d.Name, namespace))
		return
	}
	in.release.HTTPDisabled = enabled(env(in.found.api, "INGESTION_HTTP_DISABLED"))
	switch {
	case d.Spec.Replicas != nil && *d.Spec.Replicas == 0:
		in.fail(StepManager, fmt.Errorf("deployment %q in namespace %q has 0 replicas; jobs-manager must run to take the submit "+
			"(kubectl scale deployment %s --replicas=1 -n %s)", d.Name, namespace, d.Name, namespace))
	case in.release.HTTPDisabled:
		in.fail(StepManager, fmt.Errorf("deployment %q in namespace %q sets INGESTION_HTTP_DISABLED, so jobs-manager takes no submit "+
			"(helm upgrade %s tracebloc/client -n %s --reset-then-reuse-values --set-string env.INGESTION_HTTP_DISABLED=)",
			d.Name, namespace, in.release.Name, namespace))
	default:
		in.ok(StepManager, "deployment "+d.Name)
	}
}
