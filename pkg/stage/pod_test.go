package stage

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files anew")

func options() PodOptions {
	return PodOptions{
		Name:       "tracebloc-stage-abc-12345",
		Namespace:  "ml",
		Image:      "docker.io/library/busybox:1.35",
		PVC:        "client-pvc",
		MountPath:  "/data/shared",
		Node:       "node-1",
		Table:      "cats_",
		Key:        "abc",
		RunAsUser:  new(int64(65534)),
		RunAsGroup: new(int64(65534)),
		Deadline:   2 * time.Hour,
	}
}

func TestBuildPod(t *testing.T) {
	t.Parallel()
	openshift := options()
	openshift.RunAsUser, openshift.RunAsGroup = nil, nil
	hostUID := options()
	hostUID.RunAsUser, hostUID.RunAsGroup = new(int64(1000)), new(int64(1001))
	hostUID.Tolerations = []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}}
	hostUID.NodeSelector = map[string]string{"pool": "data"}
	hostUID.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "r-regcred"}}
	minimal := PodOptions{Name: "x", Namespace: "ml", Image: "busybox", PVC: "client-pvc", MountPath: "/data/shared", FSGroup: new(int64(65534))}
	for name, o := range map[string]PodOptions{"plain": options(), "openshift": openshift, "hostuid": hostUID, "minimal": minimal} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := BuildPod(o)
			c := &pod.Spec.Containers[0]
			if c.Env[0].Value != Script() || c.Command[2] != lifetime() {
				t.Error("the pod does not run the scripts")
			}
			c.Env[0].Value, c.Command[2] = "the script", "lifetime"
			got, err := yaml.Marshal(pod)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "pod-"+name+".yaml")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// TestPodLabels: a label that others select by would put the Pod behind a Service or under a NetworkPolicy (contract cluster.md §3.4).
func TestPodLabels(t *testing.T) {
	t.Parallel()
	o := options()
	o.Table, o.Key = "_x_", strings.Repeat("K", 63)
	pod := BuildPod(o)
	for _, key := range []string{"app", "tracebloc.io/ingestion-run", "tracebloc.io/workload", "tracebloc.io/table"} {
		if _, ok := pod.Labels[key]; ok {
			t.Errorf("label %q is set", key)
		}
	}
	for key, value := range pod.Labels {
		if problems := validation.IsValidLabelValue(value); problems != nil {
			t.Errorf("label %s=%q: %q", key, value, problems)
		}
	}
	if pod.Annotations[AnnotationTable] != "_x_" || pod.Annotations[AnnotationKey] != o.Key {
		t.Errorf("annotations %v", pod.Annotations)
	}
}

func TestPodName(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "abc", "A.B_C", "---", strings.Repeat("K", 63), "ünï", "abcdefghijklmnopqrstuvwxyz0123456789-._xyz"} {
		name := PodName(key)
		if problems := validation.IsDNS1123Label(name); problems != nil {
			t.Errorf("key %q: name %q: %q", key, name, problems)
		}
		if name == PodName(key) {
			t.Errorf("key %q: the same name twice: %q", key, name)
		}
	}
}

// TestRoot: a release that runs as root asks for root openly.
func TestRoot(t *testing.T) {
	t.Parallel()
	o := options()
	o.RunAsUser = new(int64(0))
	if got := BuildPod(o).Spec.SecurityContext.RunAsNonRoot; got == nil || *got {
		t.Errorf("runAsNonRoot %v with uid 0 can never start", got)
	}
}
