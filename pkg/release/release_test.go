package release

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func number(n int64) *int64 { return &n }

func TestDiscover(t *testing.T) {
	t.Parallel()
	got, err := discoverShape(t, newShape())
	if err != nil {
		t.Fatal(err)
	}
	want := &Release{
		Name: "acme", Namespace: "ml", ChartVersion: "1.9.62", Deployment: "acme-jobs-manager", Service: "jobs-manager",
		Pod: "acme-jobs-manager-7d9f8b6c5-x7x2p", Node: "node-b", Port: 8080,
		PVC:       PVC{Name: "client-pvc", Phase: corev1.ClaimBound, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, Capacity: "50Gi"},
		MountPath: "/data/shared", AuthzConfigMap: "acme-ingestion-authz",
		Authz:         []AuthzEntry{{ServiceAccount: "ingestor", Namespace: "ml", TablePrefixes: []string{"*"}}},
		IngestorImage: "ghcr.io/tracebloc/ingestor@sha256:05e1", StageImage: "docker.io/library/busybox:1.35",
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: "acme-regcred"}},
		Tolerations:      []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}},
		NodeSelector:     map[string]string{"pool": "data"},
		RunAsUser:        number(65534), RunAsGroup: number(65534),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("release (-want +got):\n%s", diff)
	}
}

// Each case is a release that differs in one way and works all the same.
func TestDiscoverVariants(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(s *shape)
		shape  func() *shape
		want   func(r *Release) string // empty when the release is as it must be
	}{
		{name: "fullnameOverride renames objects, not the release",
			shape: func() *shape { return shapeOf("ml", "acme", "research") },
			want: func(r *Release) string {
				return cmp.Diff([]string{"acme", "research-jobs-manager", "research-ingestion-authz", "client-pvc"},
					[]string{r.Name, r.Deployment, r.AuthzConfigMap, r.PVC.Name})
			}},
		{name: "Deployment called just jobs-manager",
			change: func(s *shape) {
				s.manager.Name = "jobs-manager"
				s.pod = managerPod(s.manager, "jobs-manager-7d9f8b6c5-aaaaa")
			},
			want: func(r *Release) string {
				return cmp.Diff([]string{"acme", "jobs-manager-7d9f8b6c5-aaaaa"}, []string{r.Name, r.Pod})
			}},
		{name: "api container under another name",
			change: func(s *shape) { s.manager.Spec.Template.Spec.Containers[1].Name = "server" },
			want:   func(r *Release) string { return cmp.Diff("client-pvc", r.PVC.Name) }},
		{name: "claim only in CLIENT_PVC",
			change: func(s *shape) { s.manager.Spec.Template.Spec.Containers[1].VolumeMounts = nil },
			want:   func(r *Release) string { return cmp.Diff("client-pvc", r.PVC.Name) }},
		{name: "claim of another name",
			change: func(s *shape) {
				s.manager.Spec.Template.Spec.Volumes[0].PersistentVolumeClaim.ClaimName = "datasets"
				s.env("CLIENT_PVC", "datasets")
				s.pvc.Name = "datasets"
			},
			want: func(r *Release) string { return cmp.Diff("datasets", r.PVC.Name) }},
		{name: "read-write-many",
			change: func(s *shape) {
				s.pvc.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadOnlyMany, corev1.ReadWriteMany}
			},
			want: func(r *Release) string { return cmp.Diff(2, len(r.PVC.AccessModes)) }},
		{name: "floating ingestor tag",
			change: func(s *shape) { s.env("INGESTOR_IMAGE_DIGEST", "") },
			want:   func(r *Release) string { return cmp.Diff("ghcr.io/tracebloc/ingestor:0.8", r.IngestorImage) }},
		{name: "no ingestor image at all",
			change: func(s *shape) { s.env("INGESTOR_IMAGE_DIGEST", ""); s.env("INGESTOR_IMAGE_TAG", "") },
			want:   func(r *Release) string { return cmp.Diff("", r.IngestorImage) }},
		{name: "stage image of the mirror",
			change: func(s *shape) { s.mysql = nil; s.env("JOB_IMAGE_HOST", "mirror.example:5000/") },
			want:   func(r *Release) string { return cmp.Diff("mirror.example:5000/library/busybox:1.35", r.StageImage) }},
		{name: "stage image from the registry of the api image",
			change: func(s *shape) {
				s.mysql = nil
				s.env("JOB_IMAGE_HOST", "")
				s.manager.Spec.Template.Spec.Containers[1].Image = "localhost/tracebloc/jobs-manager:prod"
			},
			want: func(r *Release) string { return cmp.Diff("localhost/library/busybox:1.35", r.StageImage) }},
		{name: "stage image when nothing names a registry",
			change: func(s *shape) {
				s.mysql.Labels[labelInstance] = "other"
				s.env("JOB_IMAGE_HOST", "")
				s.manager.Spec.Template.Spec.Containers[1].Image = "tracebloc/jobs-manager:prod"
			},
			want: func(r *Release) string { return cmp.Diff("docker.io/library/busybox:1.35", r.StageImage) }},
		{name: "ids of the host",
			change: func(s *shape) { s.env("HOST_UID", "1000"); s.env("HOST_GID", "2000") },
			want: func(r *Release) string {
				return cmp.Diff([]*int64{number(1000), number(2000)}, []*int64{r.RunAsUser, r.RunAsGroup})
			}},
		{name: "OpenShift assigns the ids",
			change: func(s *shape) {
				s.namespace.Annotations = map[string]string{"openshift.io/sa.scc.uid-range": "1000650000/10000"}
				s.env("HOST_UID", "1000")
			},
			want: func(r *Release) string {
				return cmp.Diff([]any{true, true, true}, []any{r.OpenShift, r.RunAsUser == nil, r.RunAsGroup == nil})
			}},
		{name: "named target port",
			change: func(s *shape) {
				s.service.Spec.Ports = []corev1.ServicePort{
					{Name: "metrics", Port: 9090, TargetPort: intstr.FromInt32(9090)},
					{Name: "http", Port: 80, TargetPort: intstr.FromString("http")},
				}
			},
			want: func(r *Release) string { return cmp.Diff(8080, r.Port) }},
		{name: "headless Service",
			change: func(s *shape) { s.service.Spec.ClusterIP = corev1.ClusterIPNone },
			want:   func(r *Release) string { return cmp.Diff(8080, r.Port) }},
		{name: "INGESTION_HTTP_DISABLED says no",
			change: func(s *shape) { s.env("INGESTION_HTTP_DISABLED", "False") },
			want:   func(r *Release) string { return cmp.Diff(false, r.HTTPDisabled) }},
		{name: "build metadata in the chart label",
			change: func(s *shape) { s.manager.Labels[labelChart] = "client-1.9.62_gabc" },
			want:   func(r *Release) string { return cmp.Diff("1.9.62+gabc", r.ChartVersion) }},
		{name: "no chart label",
			change: func(s *shape) { delete(s.manager.Labels, labelChart) },
			want:   func(r *Release) string { return cmp.Diff("", r.ChartVersion) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShape()
			if tt.shape != nil {
				s = tt.shape()
			}
			if tt.change != nil {
				tt.change(s)
			}
			got, err := discoverShape(t, s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := tt.want(got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What looks like jobs-manager and is not must never be taken.
func TestDiscoverDecoys(t *testing.T) {
	t.Parallel()
	s := newShape()
	foreign := managerPod(s.manager, "foreign-manager")
	foreign.OwnerReferences[0].Name = "someone-else-" + hash
	foreign.CreationTimestamp = metav1.NewTime(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	bare := managerPod(s.manager, "bare-manager")
	bare.OwnerReferences = nil
	suffix := managerPod(s.manager, "suffix-manager")
	suffix.OwnerReferences[0].Name = "not-" + s.manager.Name + "-" + hash
	terminating := managerPod(s.manager, "terminating")
	now := metav1.NewTime(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	terminating.DeletionTimestamp, terminating.Finalizers, terminating.CreationTimestamp = &now, []string{"x/y"}, now
	older := managerPod(s.manager, "older")
	older.CreationTimestamp = metav1.NewTime(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))
	unready := managerPod(s.manager, "unready")
	unready.CreationTimestamp = now
	notReady(unready, corev1.PodStatus{Phase: corev1.PodRunning})
	elsewhere := managerPod(s.manager, "elsewhere")
	elsewhere.Namespace = "other"

	local := s.service.DeepCopy()
	local.Name = "jobs-manager-local-api"
	local.Spec.Ports = []corev1.ServicePort{{Name: "local-api", Port: 8091, TargetPort: intstr.FromInt32(8091)}}
	unmanaged := s.manager.DeepCopy()
	unmanaged.Name, unmanaged.Labels = "copy-jobs-manager", map[string]string{"app": "manager"}
	alien := s.manager.DeepCopy()
	alien.Name = "alien-jobs-manager"
	alien.Labels["app.kubernetes.io/name"] = "scheduler"
	s.extra = append(s.extra, foreign, bare, suffix, terminating, older, unready, elsewhere, local, unmanaged, alien)

	got, err := discoverShape(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if got.Pod != "acme-jobs-manager-7d9f8b6c5-x7x2p" || got.Port != 8080 || got.Deployment != "acme-jobs-manager" {
		t.Errorf("took pod %q, port %d of deployment %q", got.Pod, got.Port, got.Deployment)
	}
}

func TestDiscoverPicksRelease(t *testing.T) {
	t.Parallel()
	one, two := shapeOf("ml", "acme", "acme"), shapeOf("ml", "beta", "beta")
	client := one.client()
	for _, d := range []*appsv1.Deployment{two.manager} {
		if err := client.Tracker().Add(d); err != nil {
			t.Fatal(err)
		}
	}
	for _, object := range []*corev1.Pod{two.pod} {
		if err := client.Tracker().Add(object); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Tracker().Add(two.policy); err != nil {
		t.Fatal(err)
	}

	_, err := Discover(t.Context(), client, "ml", "")
	var several *SeveralError
	if !errors.As(err, &several) {
		t.Fatalf("got %v, want a *SeveralError", err)
	}
	if want := `namespace "ml" has several tracebloc client releases: "acme", "beta" (pick one with --release)`; err.Error() != want {
		t.Errorf("got %s\nwant %s", err, want)
	}
	got, err := Discover(t.Context(), client, "ml", "beta")
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "beta" || got.Pod != two.pod.Name || got.AuthzConfigMap != "beta-ingestion-authz" {
		t.Errorf("--release=beta gave %+v", got)
	}
	_, err = Discover(t.Context(), client, "ml", "gamma")
	if want := `no tracebloc client release "gamma" in namespace "ml"; the namespace has "acme", "beta" (pick one with --release)`; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestDiscoverSameReleaseTwice(t *testing.T) {
	t.Parallel()
	s := newShape()
	twin := s.manager.DeepCopy()
	twin.Name = "old-jobs-manager"
	s.extra = append(s.extra, twin)
	_, err := discoverShape(t, s)
	if err == nil || !strings.Contains(err.Error(), `release "acme" in namespace "ml" has several jobs-manager Deployments: "acme-jobs-manager", "old-jobs-manager"`) {
		t.Errorf("got %v", err)
	}
}
