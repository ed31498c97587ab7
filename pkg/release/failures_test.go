package release

import (
	"context"
	"errors"
	"net/url"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

const askEdit = `(ask an admin of the cluster: kubectl create rolebinding tracebloc-edit --clusterrole=edit --user=YOUR-USER -n ml)`

// Every way in which a release cannot take a push has its own words and a next
// step.
func TestDiscoverFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(s *shape)
		api    func(client *fake.Clientset)
		want   string
	}{
		{name: "nothing anywhere",
			change: func(s *shape) { s.manager = nil },
			want: `no tracebloc client release in namespace "ml", nor in any other namespace of this cluster` +
				` (check the context with kubectl config current-context, or install the client)`},
		{name: "release elsewhere",
			change: func(s *shape) {
				s.manager = nil
				s.extra = append(s.extra, shapeOf("prod", "acme", "acme").manager, shapeOf("test", "beta", "other").manager)
			},
			want: `no tracebloc client release in namespace "ml"; this cluster has "acme" in -n prod, "beta" in -n test`},
		{name: "elsewhere is forbidden",
			change: func(s *shape) { s.manager = nil },
			api:    func(c *fake.Clientset) { forbid(c, "list", "deployments", "") },
			want: `no tracebloc client release in namespace "ml"; other namespaces could not be searched, since listing Deployments` +
				` of the whole cluster is not allowed (name the namespace of the release with -n)`},
		{name: "here is forbidden",
			api: func(c *fake.Clientset) {
				forbid(c, "list", "deployments", "*")
				answerReviews(c, allowAllBut("list deployments.apps", "get services", "list events"))
			},
			want: `a push needs permissions in namespace "ml" that you do not have: list deployments.apps, get services (ask an admin of the cluster:` +
				` kubectl create rolebinding tracebloc-view --clusterrole=view --user=YOUR-USER -n ml; if the release is in another namespace, name it with -n)`},
		{name: "here is forbidden, and so is asking",
			api: func(c *fake.Clientset) {
				forbid(c, "list", "deployments", "*")
				forbid(c, "create", "selfsubjectaccessreviews", "*")
			},
			want: `list Deployments in namespace "ml": deployments.apps is forbidden: user "dana" may not ` + askEdit +
				`; if the release is in another namespace, name it with -n`},
		{name: "legacy chart",
			change: func(s *shape) {
				s.manager.Labels[labelName], s.manager.Labels[labelChart] = "eks", "eks-1.0.4"
			},
			want: `release "acme" in namespace "ml" is of chart "eks-1.0.4", which has no ingestion endpoint; the chart "client" replaced it` +
				` (install tracebloc/client 1.3.3 or later in its place)`},
		{name: "chart before the endpoint",
			change: func(s *shape) { s.manager.Labels[labelChart] = "client-1.2.0"; s.service = nil },
			want: `release "acme" in namespace "ml" is of chart "client-1.2.0", which has no ingestion endpoint; it came with 1.3.3` +
				` (helm repo update && helm upgrade acme tracebloc/client -n ml --reset-then-reuse-values)`},
		{name: "Service gone",
			change: func(s *shape) { s.service = nil },
			want: `service "jobs-manager" in namespace "ml": not found, though release "acme" is there` +
				` (helm upgrade acme tracebloc/client -n ml --reset-then-reuse-values)`},
		{name: "Service without the port",
			change: func(s *shape) { s.service.Spec.Ports[0].Name = "web" },
			want: `service "jobs-manager" in namespace "ml": Service 'jobs-manager' does not have a named port 'http'` +
				` (kubectl describe service jobs-manager -n ml)`},
		{name: "Service selects nothing",
			change: func(s *shape) { s.service.Spec.Selector = nil },
			want:   `service "jobs-manager" in namespace "ml": it selects no Pods (kubectl describe service jobs-manager -n ml)`},
		{name: "no api container",
			change: func(s *shape) {
				s.manager.Spec.Template.Spec.Containers = s.manager.Spec.Template.Spec.Containers[:1]
			},
			want: `deployment "acme-jobs-manager" in namespace "ml" has no container "api" and none with env CLIENT_PVC;` +
				` is it a tracebloc jobs-manager? (kubectl describe deployment acme-jobs-manager -n ml)`},
		{name: "replicas 0",
			change: func(s *shape) { *s.manager.Spec.Replicas = 0; s.pod = nil },
			want: `deployment "acme-jobs-manager" in namespace "ml" has 0 replicas; jobs-manager must run to take the submit` +
				` (kubectl scale deployment acme-jobs-manager --replicas=1 -n ml)`},
		{name: "endpoint switched off",
			change: func(s *shape) { s.env("INGESTION_HTTP_DISABLED", "1") },
			want: `deployment "acme-jobs-manager" in namespace "ml" sets INGESTION_HTTP_DISABLED, so jobs-manager takes no submit` +
				` (helm upgrade acme tracebloc/client -n ml --reset-then-reuse-values --set-string env.INGESTION_HTTP_DISABLED=)`},
		{name: "PVC Pending comes before the Pod that waits for it",
			change: func(s *shape) {
				s.pvc.Status.Phase = corev1.ClaimPending
				notReady(s.pod, corev1.PodStatus{Phase: corev1.PodPending})
			},
			want: `pvc "client-pvc" in namespace "ml": phase is Pending; it must be Bound (kubectl describe pvc client-pvc -n ml)`},
		{name: "PVC without a phase",
			change: func(s *shape) { s.pvc.Status.Phase = "" },
			want:   `pvc "client-pvc" in namespace "ml": phase is not set yet; it must be Bound (kubectl describe pvc client-pvc -n ml)`},
		{name: "PVC going away",
			change: func(s *shape) {
				now := metav1.Now()
				s.pvc.DeletionTimestamp, s.pvc.Finalizers = &now, []string{"kubernetes.io/pvc-protection"}
			},
			want: `pvc "client-pvc" in namespace "ml": it is being deleted, and no new Pod may use it (kubectl describe pvc client-pvc -n ml)`},
		{name: "PVC gone",
			change: func(s *shape) { s.pvc = nil },
			want:   `pvc "client-pvc" in namespace "ml": not found, though jobs-manager mounts it (kubectl get pvc -n ml)`},
		{name: "PVC forbidden",
			api: func(c *fake.Clientset) {
				forbid(c, "get", "persistentvolumeclaims", "ml")
				answerReviews(c, allowAllBut("get persistentvolumeclaims", "create pods/exec"))
			},
			want: `a push needs permissions in namespace "ml" that you do not have: get persistentvolumeclaims, create pods/exec ` + askEdit},
		{name: "PVC forbidden by something else",
			api: func(c *fake.Clientset) {
				forbid(c, "get", "persistentvolumeclaims", "ml")
				answerReviews(c, allowAllBut())
			},
			want: `get pvc "client-pvc" in namespace "ml": persistentvolumeclaims is forbidden: user "dana" may not ` + askEdit},
		{name: "PVC for one Pod only",
			change: func(s *shape) {
				s.pvc.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOncePod}
			},
			want: `pvc "client-pvc" in namespace "ml": access mode is ReadWriteOncePod, so no stage Pod can mount it beside jobs-manager;` +
				` it must be ReadWriteOnce or ReadWriteMany (set pvcAccessMode and migrate the volume)`},
		{name: "PVC read-only",
			change: func(s *shape) {
				s.pvc.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadOnlyMany}
			},
			want: `pvc "client-pvc" in namespace "ml": access modes are ["ReadOnlyMany"], which allow no writing;` +
				` it must be ReadWriteOnce or ReadWriteMany (set pvcAccessMode and migrate the volume)`},
		{name: "no shared volume",
			change: func(s *shape) { s.manager.Spec.Template.Spec.Volumes = nil; s.env("CLIENT_PVC", "") },
			want: `deployment "acme-jobs-manager" in namespace "ml": container "api" mounts no PVC at /data/shared and has no env CLIENT_PVC;` +
				` the release has no shared volume to stage on`},
		{name: "Jobs read another volume",
			change: func(s *shape) { s.env("CLIENT_PVC", "other-pvc") },
			want: `deployment "acme-jobs-manager" in namespace "ml": container "api" mounts pvc "client-pvc" at /data/shared but gives its Jobs` +
				` pvc "other-pvc" (env CLIENT_PVC); they must be the same for a Job to read what was staged`},
		{name: "no policy volume",
			change: func(s *shape) {
				s.manager.Spec.Template.Spec.Volumes = s.manager.Spec.Template.Spec.Volumes[:2]
			},
			want: `deployment "acme-jobs-manager" in namespace "ml" mounts no ingestion policy (volume "ingestion-authz")` +
				` (helm upgrade acme tracebloc/client -n ml --reset-then-reuse-values)`},
		{name: "policy gone",
			change: func(s *shape) { s.policy = nil },
			want: `get configmap "acme-ingestion-authz" in namespace "ml", the ingestion policy: configmaps "acme-ingestion-authz" not found` +
				` (helm upgrade acme tracebloc/client -n ml --reset-then-reuse-values)`},
		{name: "policy without the list",
			change: func(s *shape) { s.policy.Data["ingestion-authz.yaml"] = "denied: []\n" },
			want: `configmap "acme-ingestion-authz" in namespace "ml", key "ingestion-authz.yaml": the policy has no list "allowed"` +
				` (kubectl get configmap acme-ingestion-authz -n ml -o yaml)`},
		{name: "host uid that is none",
			change: func(s *shape) { s.env("HOST_UID", "nobody") },
			want: `deployment "acme-jobs-manager" in namespace "ml": env HOST_UID of jobs-manager is "nobody"; it must be a number` +
				` (set it in the values of the release)`},
		{name: "target port without a name in the Pod",
			change: func(s *shape) {
				s.service.Spec.Ports[0].TargetPort.Type, s.service.Spec.Ports[0].TargetPort.StrVal = 1, "web"
			},
			want: `pod "acme-jobs-manager-7d9f8b6c5-x7x2p" in namespace "ml": Pod 'acme-jobs-manager-7d9f8b6c5-x7x2p' does not have a named port 'web'` +
				` (kubectl describe service jobs-manager -n ml)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShape()
			if tt.change != nil {
				tt.change(s)
			}
			client := s.client()
			if tt.api != nil {
				tt.api(client)
			}
			_, err := Discover(t.Context(), client, "ml", "")
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestDiscoverNoReadyPod(t *testing.T) {
	t.Parallel()
	waiting := func(reason, message string) []corev1.ContainerStatus {
		return []corev1.ContainerStatus{{Name: "api", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}}
	}
	pod := `pod "acme-jobs-manager-7d9f8b6c5-x7x2p" `
	tests := []struct {
		name   string
		change func(s *shape)
		want   string
	}{
		{"none at all", func(s *shape) { s.pod = nil }, "there are no Pods of it"},
		{"quota", func(s *shape) {
			s.pod = nil
			s.manager.Status.Conditions = []appsv1.DeploymentCondition{
				{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "exceeded quota: small"}}
		}, `no Pod can be created: "exceeded quota: small"`},
		{"terminating", func(s *shape) {
			now := metav1.Now()
			s.pod.DeletionTimestamp, s.pod.Finalizers = &now, []string{"x/y"}
		}, pod + "is terminating"},
		{"image", func(s *shape) {
			notReady(s.pod, corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: waiting("ImagePullBackOff", "Back-off \x1b[31mpulling")})
		}, pod + `is waiting in container "api": ImagePullBackOff: "Back-off \x1b[31mpulling"`},
		{"crash", func(s *shape) {
			notReady(s.pod, corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: waiting("CrashLoopBackOff", "")})
		}, pod + `is waiting in container "api": CrashLoopBackOff`},
		{"init container first", func(s *shape) {
			notReady(s.pod, corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: waiting("PodInitializing", ""),
				InitContainerStatuses: []corev1.ContainerStatus{{Name: "init-writable-data", State: corev1.ContainerState{
					Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull"}}}}})
		}, pod + `is waiting in container "init-writable-data": ErrImagePull`},
		{"unschedulable", func(s *shape) {
			notReady(s.pod, corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{
				{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available"}}})
		}, pod + `is not scheduled: Unschedulable: "0/3 nodes are available"`},
		{"volume", func(s *shape) {
			notReady(s.pod, corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: waiting("ContainerCreating", "")})
		}, pod + `is waiting in container "api": ContainerCreating`},
		{"readiness probe", func(s *shape) {
			notReady(s.pod, corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{
				{Name: "api", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}})
		}, pod + `runs, but container "api" is not ready yet`},
		{"ended", func(s *shape) {
			notReady(s.pod, corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{
				{Name: "api", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}}}}})
		}, pod + `has ended in container "api": OOMKilled, exit code 137`},
		{"evicted", func(s *shape) {
			notReady(s.pod, corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "low on memory"})
		}, pod + `is Failed: Evicted: "low on memory"`},
		{"no status", func(s *shape) { notReady(s.pod, corev1.PodStatus{Phase: corev1.PodPending}) }, pod + "is Pending"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShape()
			tt.change(s)
			_, err := discoverShape(t, s)
			want := `no Ready Pod of deployment "acme-jobs-manager" in namespace "ml": ` + tt.want + ` (kubectl describe pods -l app=manager -n ml)`
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestDiscoverUnreachable(t *testing.T) {
	t.Parallel()
	client := newShape().client()
	client.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, &url.Error{Op: "Get", URL: "https://10.0.0.1:6443/apis?x=y", Err: errors.New("dial tcp 10.0.0.1:6443: connect: connection refused")}
	})
	_, err := Discover(t.Context(), client, "ml", "")
	want := `list Deployments in namespace "ml": dial tcp 10.0.0.1:6443: connect: connection refused` +
		` (does this context reach its cluster? kubectl config current-context; kubectl cluster-info)`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if IsDenied(err) {
		t.Error("a lost connection counts as a refusal")
	}
}

func TestDiscoverCanceled(t *testing.T) {
	t.Parallel()
	client := newShape().client()
	client.PrependReactor("get", "services", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, context.Canceled
	})
	if _, err := Discover(t.Context(), client, "ml", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want one that wraps context.Canceled", err)
	}
}

// Where the namespace may not be read, the API groups tell about OpenShift.
func TestOpenShiftByGroup(t *testing.T) {
	t.Parallel()
	for _, group := range []string{"security.openshift.io/v1", "apps/v1"} {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			client := newShape().client()
			forbid(client, "get", "namespaces", "*")
			client.Resources = []*metav1.APIResourceList{{GroupVersion: group}}
			got, err := Discover(t.Context(), client, "ml", "")
			if err != nil {
				t.Fatal(err)
			}
			if want := group == "security.openshift.io/v1"; got.OpenShift != want {
				t.Errorf("OpenShift is %v", got.OpenShift)
			}
		})
	}
}

// Inspect tells about everything that it can still find.
func TestInspectGoesOn(t *testing.T) {
	t.Parallel()
	s := newShape()
	s.pvc.Status.Phase = corev1.ClaimLost
	s.service = nil
	r, steps := Inspect(t.Context(), s.client(), "ml", "")
	failed := map[string]bool{}
	for _, step := range steps {
		failed[step.Name] = step.Err != nil
	}
	for name, want := range map[string]bool{StepRelease: false, StepManager: false, StepService: true, StepPVC: true, StepPolicy: false, StepStage: false, StepSecurity: false} {
		if got, ok := failed[name]; !ok || got != want {
			t.Errorf("step %q: found %v, failed %v", name, ok, got)
		}
	}
	if r.PVC.Phase != corev1.ClaimLost || len(r.Authz) != 1 {
		t.Errorf("release is %+v", r)
	}
}

func TestIsDenied(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{apierrors.NewUnauthorized("token expired"), true},
		{&DeniedError{}, true},
		{&AccessError{}, true},
		{&NotFoundError{}, false},
		{context.DeadlineExceeded, false},
		{nil, false},
	} {
		if got := IsDenied(tt.err); got != tt.want {
			t.Errorf("IsDenied(%T) = %v", tt.err, got)
		}
	}
}

func TestListIsBounded(t *testing.T) {
	t.Parallel()
	e := &NotFoundError{Namespace: "ml"}
	for range 12 {
		e.Elsewhere = append(e.Elsewhere, Ref{Namespace: "x", Name: "y"})
	}
	if got := e.Error(); len(got) > 400 || got[len(got)-11:] != " and 2 more" {
		t.Errorf("got %s", got)
	}
}
