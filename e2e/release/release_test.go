package release

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/images"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/manifests"
)

func TestAPIServer(t *testing.T) {
	port := int32(16443)
	endpoint := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "kubernetes", Namespace: "default", Labels: map[string]string{discoveryv1.LabelServiceName: "kubernetes"}},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.7"}}},
		Ports:      []discoveryv1.EndpointPort{{Port: &port}},
	}
	dns := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "kube-dns", Namespace: "kube-system"}}
	for _, tc := range []struct {
		name    string
		objects []runtime.Object
		want    string
		fails   bool
	}{
		{"no Service addresses", []runtime.Object{endpoint}, "10.0.0.7:16443", false},
		{"an ordinary cluster", []runtime.Object{endpoint, dns}, "", false},
		{"nothing known", nil, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := apiServer(t.Context(), fake.NewClientset(tc.objects...))
			if got != tc.want || (err != nil) != tc.fails {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	set := images.Set{
		JobsManager: images.Archive{Ref: "docker.io/tracebloc/jobs-manager:prod", Digest: "sha256:a"},
		PodsMonitor: images.Archive{Ref: "docker.io/tracebloc/pods-monitor:prod", Digest: "sha256:b"},
		Ingestor:    images.Archive{Ref: "ghcr.io/tracebloc/ingestor:0.8", Digest: "sha256:c"},
		MySQL:       images.Archive{Ref: "docker.io/tracebloc/mysql-client:prod", Digest: "sha256:d"},
		Busybox:     images.Archive{Ref: "docker.io/library/busybox:1.35", Digest: "sha256:e"},
	}
	got := references(set)
	if got.IngestorRepository != "ghcr.io/tracebloc/ingestor" || got.IngestorTag != "0.8" || got.IngestorDigest != "sha256:c" || got.MySQL != "docker.io/tracebloc/mysql-client@sha256:d" {
		t.Errorf("%+v", got)
	}
	set.JobsManager.Digest = "sha256:f"
	if references(set).ID == got.ID {
		t.Error("another image has the same ID, so its Pods would not be replaced")
	}
}

func TestInstallWithoutImages(t *testing.T) {
	if _, err := Install(t.Context(), &rest.Config{Host: "https://127.0.0.1:1"}, Options{}, nil); err == nil || errors.Is(err, t.Context().Err()) {
		t.Errorf("got %v", err)
	}
}

func TestUninstallLeavesTheClusterAsItWas(t *testing.T) {
	namespace := func(name string, labels map[string]string) *corev1.Namespace {
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	}
	binding := func(name, ns string) *rbacv1.ClusterRoleBinding {
		return &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app.kubernetes.io/name": "client"}},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "x", Namespace: ns}},
			RoleRef:    rbacv1.RoleRef{Kind: "ClusterRole", Name: name},
		}
	}
	role := func(name string) *rbacv1.ClusterRole {
		return &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}}
	}
	ours := map[string]string{manifests.LabelInstalled: "true"}
	objects := []runtime.Object{namespace("ml", ours), namespace("theirs", nil), role("a"), role("b"), role("c"), binding("a", "ml"), binding("b", "other"), binding("c", "gone")}
	client := fake.NewClientset(objects...)
	for ns, fails := range map[string]bool{"ml": false, "theirs": true, "gone": false} {
		r := &Release{Options: Options{Namespace: ns}.Default(), Client: client}
		if err := r.Uninstall(t.Context()); (err != nil) != fails {
			t.Errorf("%s: %v", ns, err)
		}
	}
	if _, err := client.CoreV1().Namespaces().Get(t.Context(), "theirs", metav1.GetOptions{}); err != nil {
		t.Errorf("a namespace that no install made: %v", err)
	}
	roles, err := client.RbacV1().ClusterRoles().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(roles.Items) != 1 || roles.Items[0].Name != "b" {
		t.Errorf("ClusterRoles left: %v, %v", roles.Items, err)
	}
	bindings, err := client.RbacV1().ClusterRoleBindings().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(bindings.Items) != 1 || bindings.Items[0].Name != "b" {
		t.Errorf("ClusterRoleBindings left: %v, %v", bindings.Items, err)
	}
}
