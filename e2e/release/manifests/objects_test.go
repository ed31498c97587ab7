package manifests

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

func objects(t *testing.T, o Options) map[string]runtime.Object {
	t.Helper()
	list, err := Objects(o.Default())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]runtime.Object{}
	for _, obj := range list {
		typ, err := meta.TypeAccessor(obj)
		if err != nil {
			t.Fatal(err)
		}
		m, err := meta.Accessor(obj)
		if err != nil {
			t.Fatal(err)
		}
		if typ.GetKind() == "" || typ.GetAPIVersion() == "" {
			t.Errorf("%q has no kind", m.GetName())
		}
		key := typ.GetKind() + "/" + m.GetName()
		if _, twice := byName[key]; twice {
			t.Errorf("%s stands there twice", key)
		}
		byName[key] = obj
	}
	return byName
}

func TestOnlyOneDeploymentIsTheRelease(t *testing.T) {
	var found []string
	for key, obj := range objects(t, Options{Namespace: "ml", Name: "prod"}) {
		d, ok := obj.(*appsv1.Deployment)
		if !ok {
			continue
		}
		for k := range d.Spec.Template.Labels {
			if strings.HasPrefix(k, "app.kubernetes.io/") {
				t.Errorf("%s: the Pods carry the chart's label %s", key, k)
			}
		}
		if d.Labels["app.kubernetes.io/name"] == "client" && d.Labels["app.kubernetes.io/managed-by"] == "Helm" && strings.HasSuffix(d.Name, "-jobs-manager") {
			found = append(found, d.Name)
		}
	}
	if !slices.Equal(found, []string{"prod-jobs-manager"}) {
		t.Errorf("jobs-manager Deployments: %q", found)
	}
}

func TestJobsManagerPod(t *testing.T) {
	all := objects(t, Options{Namespace: "ml", Name: "prod", FullName: "tb", HTTPDisabled: true, HostUID: ptr(int64(1234)), APIServer: "10.0.0.1:6443"})
	d, ok := all["Deployment/tb-jobs-manager"].(*appsv1.Deployment)
	if !ok {
		t.Fatalf("no Deployment tb-jobs-manager")
	}
	if got := d.Labels["app.kubernetes.io/instance"]; got != "prod" {
		t.Errorf("instance = %q", got)
	}
	spec := d.Spec.Template.Spec
	if got := []string{spec.Containers[0].Name, spec.Containers[1].Name}; !slices.Equal(got, []string{"api", "pods-monitor-container"}) {
		t.Errorf("containers = %q", got)
	}
	if spec.Containers[0].ReadinessProbe != nil {
		t.Error("a release with the HTTP server off has a readiness probe")
	}
	env := map[string]string{}
	for _, e := range spec.Containers[0].Env {
		env[e.Name] = e.Value
	}
	for name, want := range map[string]string{"INGESTION_HTTP_DISABLED": "true", "HOST_UID": "1234", "CLIENT_PVC": "client-pvc", "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "6443"} {
		if env[name] != want {
			t.Errorf("%s = %q, want %q", name, env[name], want)
		}
	}
	if !slices.ContainsFunc(spec.Volumes, func(v corev1.Volume) bool {
		return v.Name == "ingestion-authz" && v.ConfigMap != nil && v.ConfigMap.Name == "tb-ingestion-authz"
	}) {
		t.Error("the authz ConfigMap is not mounted")
	}
}

func TestPolicy(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   []AuthzEntry
		want string
	}{
		{"default", nil, "allowed:\n- namespace: ml\n  service_account: ingestor\n  table_prefixes:\n  - '*'\n"},
		{"deny all", []AuthzEntry{}, "allowed: []\n"},
	} {
		all := objects(t, Options{Namespace: "ml", Authz: tc.in})
		cm := all["ConfigMap/ml-ingestion-authz"].(*corev1.ConfigMap)
		if got := cm.Data[policyKey]; got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
		var parsed map[string]any
		if err := yaml.Unmarshal([]byte(cm.Data[policyKey]), &parsed); err != nil {
			t.Error(err)
		}
	}
}

func TestRestrictedPodsAreClean(t *testing.T) {
	for key, obj := range objects(t, Options{Restricted: true}) {
		var spec corev1.PodSpec
		switch obj := obj.(type) {
		case *appsv1.Deployment:
			spec = obj.Spec.Template.Spec
		case *corev1.Pod:
			spec = obj.Spec
		default:
			continue
		}
		for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
			sc := c.SecurityContext
			if sc == nil || sc.AllowPrivilegeEscalation == nil || *sc.AllowPrivilegeEscalation || sc.Capabilities == nil || !slices.Contains(sc.Capabilities.Drop, "ALL") {
				t.Errorf("%s %s: not restricted", key, c.Name)
			}
			podSays := spec.SecurityContext.RunAsNonRoot != nil && spec.SecurityContext.SeccompProfile != nil
			if !podSays && (sc == nil || sc.RunAsNonRoot == nil || sc.SeccompProfile == nil) {
				t.Errorf("%s %s: may run as root or without seccomp", key, c.Name)
			}
		}
	}
}
