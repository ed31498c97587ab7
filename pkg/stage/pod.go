package stage

import (
	"crypto/rand"
	"math"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Container is the name of the stage Pod's only container.
const Container = "stage"

// Labels and annotations of a stage Pod. A table name may be no valid label value ("x_"), and a key is no selector, so both are
// annotations. A Pod with tracebloc.io/ingestion-run, tracebloc.io/workload or app=manager would be taken for something else by
// NetworkPolicies and Services of the release (contract cluster.md §3.4).
const (
	// Selector finds every stage Pod of a namespace.
	Selector = "app.kubernetes.io/managed-by=kubectl-tracebloc,app.kubernetes.io/component=stage"

	AnnotationTable = "tracebloc.io/stage-table"
	AnnotationKey   = "tracebloc.io/stage-key"
)

const (
	scratch = "tmp"
	shared  = "shared"

	// graceSeconds is not 0: the API would then forget the Pod before the node has ended its processes.
	graceSeconds = int64(1)

	// maxKeyInName keeps the Pod's name within the 63 characters of a host name.
	maxKeyInName = 40
)

// PodOptions is what a stage Pod is made from. All but Name, Namespace, Image, PVC, MountPath and Deadline may be left empty.
type PodOptions struct {
	// Name is the Pod's name; PodName makes one, and a Station does so by itself.
	Name string
	// Namespace is that of the release.
	Namespace string
	// Image has a POSIX sh and the usual tools.
	Image string
	// PVC is the claim of the shared volume, MountPath where it is mounted: "/data/shared".
	PVC, MountPath string
	// Node is the node of jobs-manager. The Pod runs there and nowhere else: a hostPath volume is another, empty directory on any other
	// node, and a ReadWriteOnce volume cannot be attached twice (contract cluster.md §3.5).
	Node string
	// Table and Key are the destination table and the idempotency key of the push; for people who look at the Pod.
	Table, Key string
	// ImagePullSecrets, Tolerations and NodeSelector are those of jobs-manager's Pod.
	ImagePullSecrets []corev1.LocalObjectReference
	Tolerations      []corev1.Toleration
	NodeSelector     map[string]string
	// RunAsUser and RunAsGroup are the ids of the ingestor; nil on OpenShift, which assigns them.
	RunAsUser, RunAsGroup *int64
	// FSGroup makes the volume writable where it is not otherwise. It may relabel the whole volume and take away the access of others
	// (contract cluster.md §3.5), so it is nil unless it was asked for.
	FSGroup *int64
	// Deadline ends the Pod whatever happens.
	Deadline time.Duration
}

// PodName returns a new name for the stage Pod of a push. The random end is made here and not by the API server, so that a Pod whose
// creation was never confirmed can be found and deleted.
func PodName(key string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, key)
	clean = strings.Trim(clean[:min(len(clean), maxKeyInName)], "-")
	parts := []string{"tracebloc-stage"}
	if clean != "" {
		parts = append(parts, clean)
	}
	return strings.Join(append(parts, strings.ToLower(rand.Text()[:5])), "-")
}

// BuildPod returns the stage Pod. It fulfills the PodSecurity standard "restricted", mounts no token, and needs no network.
func BuildPod(o PodOptions) *corev1.Pod {
	deadline := int64(math.Max(1, o.Deadline.Seconds()))
	annotations := map[string]string{"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
	if o.Table != "" {
		annotations[AnnotationTable] = o.Table
	}
	if o.Key != "" {
		annotations[AnnotationKey] = o.Key
	}
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Name:      o.Name,
			Namespace: o.Namespace,
			Labels: map[string]string{
				"app.kubernetes.io/name":       "kubectl-tracebloc",
				"app.kubernetes.io/managed-by": "kubectl-tracebloc",
				"app.kubernetes.io/component":  "stage",
			},
			Annotations: annotations,
		},
		Spec: corev1.PodSpec{
			Containers:                    []corev1.Container{container(o, deadline)},
			RestartPolicy:                 corev1.RestartPolicyNever,
			ActiveDeadlineSeconds:         &deadline,
			TerminationGracePeriodSeconds: new(graceSeconds),
			AutomountServiceAccountToken:  new(false),
			EnableServiceLinks:            new(false),
			SecurityContext:               podSecurity(o),
			Affinity:                      onNode(o.Node),
			NodeSelector:                  o.NodeSelector,
			Tolerations:                   o.Tolerations,
			ImagePullSecrets:              o.ImagePullSecrets,
			Volumes: []corev1.Volume{
				{Name: shared, VolumeSource: corev1.VolumeSource{
					PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: o.PVC},
				}},
				{Name: scratch, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			},
		},
	}
}

func container(o PodOptions, deadline int64) corev1.Container {
	const margin = 5
	alive := max(1, deadline-margin)
	return corev1.Container{
		Name:            Container,
		Image:           o.Image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		Command:         []string{"sh", "-c", lifetime(), "tracebloc-stage", strconv.FormatInt(alive, 10)},
		Env:             []corev1.EnvVar{{Name: scriptVariable, Value: Script()}},
		WorkingDir:      "/tmp",
		VolumeMounts: []corev1.VolumeMount{
			{Name: shared, MountPath: o.MountPath},
			{Name: scratch, MountPath: "/tmp"},
		},
		// Verifying and unpacking share this limit: busybox hashes 262 MB/s on a whole core, half a core would halve it.
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse("100m"),
				corev1.ResourceMemory: resource.MustParse("64Mi"),
			},
			Limits: corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse("2"),
				corev1.ResourceMemory: resource.MustParse("512Mi"),
			},
		},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false),
			ReadOnlyRootFilesystem:   new(true),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
}

func podSecurity(o PodOptions) *corev1.PodSecurityContext {
	// A release whose files belong to root can only be served by root; "restricted" does not allow that, and says so.
	asRoot := o.RunAsUser != nil && *o.RunAsUser == 0
	return &corev1.PodSecurityContext{
		RunAsNonRoot:   new(!asRoot),
		RunAsUser:      o.RunAsUser,
		RunAsGroup:     o.RunAsGroup,
		FSGroup:        o.FSGroup,
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

// onNode requires a node by its name and not by the host name label, which may differ. The scheduler stays in charge, so that a claim
// that waits for its first consumer is bound, and a node that is full is reported.
func onNode(node string) *corev1.Affinity {
	if node == "" {
		return nil
	}
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchFields: []corev1.NodeSelectorRequirement{{
					Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{node},
				}},
			}},
		},
	}}
}
