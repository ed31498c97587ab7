package manifests

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// decoys stand beside a release in real namespaces. Each misleads one shortcut: the chart's name label alone, the Service
// label app=manager alone, the first Pod with app=manager, chart labels on a Pod, a name that only begins like the release's.
func decoys(o Options) []runtime.Object {
	localAPI := service(o, "jobs-manager-local-api", "manager", corev1.ServicePort{Name: "local-api", Port: 8091, TargetPort: intstr.FromInt32(8091), Protocol: corev1.ProtocolTCP})
	localAPI.Spec.Type = corev1.ServiceTypeNodePort

	finished := &corev1.Pod{TypeMeta: kind("v1", "Pod"), ObjectMeta: metav1.ObjectMeta{Name: "0-finished-manager", Namespace: o.Namespace, Labels: map[string]string{"app": "manager"}}, Spec: idlePod(o, "api", 0)}
	finished.Spec.Containers[0].Image = o.Images.Busybox
	finished.Spec.Containers[0].Command = []string{"true"}
	finished.Spec.RestartPolicy = corev1.RestartPolicyNever

	console := &corev1.Pod{TypeMeta: kind("v1", "Pod"), ObjectMeta: metav1.ObjectMeta{Name: "jobs-manager-console", Namespace: o.Namespace, Labels: o.labels("app", "manager-console")}, Spec: idlePod(o, "api", 8080)}

	exporter := deployment(o, o.FullName+"-jobs-manager-exporter", "manager-exporter", 0, corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "manager-exporter"}},
		Spec:       idlePod(o, "api", 8080),
	})

	other := deployment(o, "other-jobs-manager", "other-manager", 0, corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "other-manager"}},
		Spec:       idlePod(o, "api", 8080),
	})
	other.Labels["app.kubernetes.io/name"] = "scheduler"
	other.Labels["helm.sh/chart"] = "scheduler-2.0.0"
	return []runtime.Object{localAPI, finished, console, exporter, other}
}
