package release

import (
	"errors"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// shape is a client release in the shape of contract release.yaml, each object
// open to change before the test begins.
type shape struct {
	namespace *corev1.Namespace
	manager   *appsv1.Deployment
	mysql     *appsv1.Deployment
	proxy     *appsv1.Deployment
	service   *corev1.Service
	pvc       *corev1.PersistentVolumeClaim
	policy    *corev1.ConfigMap
	pod       *corev1.Pod
	extra     []runtime.Object
}

const hash = "7d9f8b6c5"

func chartMeta(name, namespace, release string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: map[string]string{
		"app.kubernetes.io/name": "client", "app.kubernetes.io/instance": release, "app.kubernetes.io/managed-by": "Helm",
		"app.kubernetes.io/version": "1.9.62", "helm.sh/chart": "client-1.9.62",
	}}
}

// newShape is release "acme" in namespace "ml".
func newShape() *shape { return shapeOf("ml", "acme", "acme") }

func shapeOf(namespace, release, fullname string) *shape {
	s := &shape{
		namespace: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		manager:   managerDeployment(namespace, release, fullname),
		mysql: &appsv1.Deployment{
			ObjectMeta: chartMeta("mysql-client", namespace, release),
			Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				InitContainers: []corev1.Container{{Name: "mysql-format-guard", Image: "docker.io/library/busybox:1.35"}},
			}}},
		},
		proxy: &appsv1.Deployment{ObjectMeta: chartMeta(fullname+"-requests-proxy", namespace, release)},
		service: &corev1.Service{
			ObjectMeta: chartMeta("jobs-manager", namespace, release),
			Spec: corev1.ServiceSpec{
				ClusterIP: "10.43.0.7", Selector: map[string]string{"app": "manager"},
				Ports: []corev1.ServicePort{{Name: "http", Port: 8080, TargetPort: intstr.FromInt32(8080)}},
			},
		},
		pvc: &corev1.PersistentVolumeClaim{
			ObjectMeta: chartMeta("client-pvc", namespace, release),
			Spec:       corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}},
			Status: corev1.PersistentVolumeClaimStatus{
				Phase:    corev1.ClaimBound,
				Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("50Gi")},
			},
		},
		policy: &corev1.ConfigMap{
			ObjectMeta: chartMeta(fullname+"-ingestion-authz", namespace, release),
			Data: map[string]string{"ingestion-authz.yaml": "allowed:\n" +
				"  - service_account: \"ingestor\"\n    namespace: \"" + namespace + "\"\n    table_prefixes:\n      - \"*\"\n"},
		},
	}
	s.pod = managerPod(s.manager, s.manager.Name+"-"+hash+"-x7x2p")
	return s
}

func managerDeployment(namespace, release, fullname string) *appsv1.Deployment {
	one := int32(1)
	return &appsv1.Deployment{
		ObjectMeta: chartMeta(fullname+"-jobs-manager", namespace, release),
		Spec: appsv1.DeploymentSpec{Replicas: &one, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "manager"}},
			Spec: corev1.PodSpec{
				Containers: []corev1.Container{
					{Name: "pods-monitor-container", Image: "docker.io/tracebloc/pods-monitor:prod",
						VolumeMounts: []corev1.VolumeMount{{Name: "logs-volume", MountPath: "/data/logs"}}},
					{Name: "api", Image: "docker.io/tracebloc/jobs-manager:prod",
						Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
						VolumeMounts: []corev1.VolumeMount{
							{Name: "logs-volume", MountPath: "/data/logs"},
							{Name: "shared-volume", MountPath: "/data/shared/"},
							{Name: "ingestion-authz", MountPath: "/etc/tracebloc/ingestion-authz.yaml", SubPath: "ingestion-authz.yaml", ReadOnly: true},
						},
						Env: []corev1.EnvVar{
							{Name: "CLIENT_PVC", Value: "client-pvc"},
							{Name: "INGESTOR_IMAGE_REPOSITORY", Value: "ghcr.io/tracebloc/ingestor"},
							{Name: "INGESTOR_IMAGE_TAG", Value: "0.8"},
							{Name: "INGESTOR_IMAGE_DIGEST", Value: "sha256:05e1"},
							{Name: "JOB_IMAGE_HOST", Value: "docker.io/"},
						}},
				},
				Volumes: []corev1.Volume{
					{Name: "shared-volume", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "client-pvc"}}},
					{Name: "logs-volume", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "client-logs-pvc"}}},
					{Name: "ingestion-authz", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
						LocalObjectReference: corev1.LocalObjectReference{Name: fullname + "-ingestion-authz"}}}},
				},
			},
		}},
	}
}

// managerPod is a Ready Pod of the Deployment's current ReplicaSet.
func managerPod(d *appsv1.Deployment, name string) *corev1.Pod {
	controller := true
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: d.Namespace,
			Labels:            map[string]string{"app": "manager", "pod-template-hash": hash},
			OwnerReferences:   []metav1.OwnerReference{{Kind: "ReplicaSet", Name: d.Name + "-" + hash, Controller: &controller}},
			CreationTimestamp: metav1.NewTime(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)),
		},
		Spec: *d.Spec.Template.Spec.DeepCopy(),
		Status: corev1.PodStatus{
			Phase:      corev1.PodRunning,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		},
	}
	pod.Spec.NodeName = "node-b"
	pod.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "acme-regcred"}}
	pod.Spec.Tolerations = []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}}
	pod.Spec.NodeSelector = map[string]string{"pool": "data"}
	return pod
}

// notReady gives the Pod a status of its own.
func notReady(pod *corev1.Pod, status corev1.PodStatus) {
	status.Conditions = append(status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse})
	pod.Status = status
}

func (s *shape) env(name, value string) {
	api := &s.manager.Spec.Template.Spec.Containers[1]
	for i := range api.Env {
		if api.Env[i].Name == name {
			api.Env[i].Value = value
			return
		}
	}
	api.Env = append(api.Env, corev1.EnvVar{Name: name, Value: value})
}

// objects are all that are left: a test removes one by setting it to nil.
func (s *shape) objects() []runtime.Object {
	objects := s.extra
	if s.namespace != nil {
		objects = append(objects, s.namespace)
	}
	for _, d := range []*appsv1.Deployment{s.manager, s.mysql, s.proxy} {
		if d != nil {
			objects = append(objects, d)
		}
	}
	if s.service != nil {
		objects = append(objects, s.service)
	}
	if s.pvc != nil {
		objects = append(objects, s.pvc)
	}
	if s.policy != nil {
		objects = append(objects, s.policy)
	}
	if s.pod != nil {
		objects = append(objects, s.pod)
	}
	return objects
}

func (s *shape) client() *fake.Clientset { return fake.NewClientset(s.objects()...) }

// forbid makes the API server refuse a verb on a resource, everywhere or in
// one namespace ("*" for all).
func forbid(client *fake.Clientset, verb, resourceName, namespace string) {
	client.PrependReactor(verb, resourceName, func(a clienttesting.Action) (bool, runtime.Object, error) {
		if namespace != "*" && a.GetNamespace() != namespace {
			return false, nil, nil
		}
		resource := schema.GroupResource{Group: a.GetResource().Group, Resource: a.GetResource().Resource}
		return true, nil, apierrors.NewForbidden(resource, "", errors.New("user \"dana\" may not"))
	})
}

func discoverShape(t *testing.T, s *shape) (*Release, error) {
	t.Helper()
	return Discover(t.Context(), s.client(), "ml", "")
}
