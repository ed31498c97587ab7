// Package release finds out what is in the cluster before a byte is sent: the
// client release, its jobs-manager, its volume, who may ingest what, and
// whether every later call is allowed.
package release

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
)

// SharedMount is where jobs-manager and every ingestion Job mount the shared
// volume (contract cluster.md §1.3).
const SharedMount = "/data/shared"

// ServiceName is the name of jobs-manager's Service; no chart ever prefixed it
// with the release (contract cluster.md §1.1).
const ServiceName = "jobs-manager"

// Release is what a push needs to know about one client release.
type Release struct {
	// Name is the Helm release, from the instance label; it stays the same
	// under fullnameOverride.
	Name string `json:"name"`
	// Namespace is where the release lives.
	Namespace string `json:"namespace"`
	// ChartVersion is the version of the chart without its name, "1.9.62";
	// empty when the Deployment does not say.
	ChartVersion string `json:"chartVersion,omitempty"`
	// Deployment is the jobs-manager Deployment.
	Deployment string `json:"deployment,omitempty"`
	// Service is the Service in front of it.
	Service string `json:"service,omitempty"`
	// Pod is a Ready jobs-manager Pod, owned by Deployment and behind Service.
	Pod string `json:"pod,omitempty"`
	// Node is where Pod runs. A stage Pod on any other node may write into
	// another directory of the same name (hostPath, contract cluster.md §3.5).
	Node string `json:"node,omitempty"`
	// Port is the port of Pod that the Service's port "http" leads to.
	Port int `json:"port,omitempty"`
	// PVC is the shared volume.
	PVC PVC `json:"pvc,omitzero"`
	// MountPath is where the volume is mounted in Pods that read and write it.
	MountPath string `json:"mountPath,omitempty"`
	// AuthzConfigMap holds the ingestion policy, Authz is what it says. The
	// policy in force is the one that jobs-manager read when it started.
	AuthzConfigMap string       `json:"authzConfigMap,omitempty"`
	Authz          []AuthzEntry `json:"authz,omitempty"`
	// IngestorImage is what jobs-manager runs a Job with; empty when the
	// release names none and every submit must bring a digest.
	IngestorImage string `json:"ingestorImage,omitempty"`
	// StageImage is a small image with a shell and tar that the release
	// already needs, so that it is on the registry mirror too.
	StageImage string `json:"stageImage,omitempty"`
	// ImagePullSecrets, Tolerations and NodeSelector are those of Pod.
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	Tolerations      []corev1.Toleration           `json:"tolerations,omitempty"`
	NodeSelector     map[string]string             `json:"nodeSelector,omitempty"`
	// RunAsUser and RunAsGroup are the ids that the ingestor runs as; nil on
	// OpenShift, where the namespace assigns them.
	RunAsUser  *int64 `json:"runAsUser,omitempty"`
	RunAsGroup *int64 `json:"runAsGroup,omitempty"`
	// OpenShift is true where security context constraints assign the ids.
	OpenShift bool `json:"openShift,omitempty"`
	// HTTPDisabled is true when the release switched the ingestion endpoint off.
	HTTPDisabled bool `json:"httpDisabled,omitempty"`
}

// PVC is the state of the shared volume's claim.
type PVC struct {
	Name        string                              `json:"name"`
	Phase       corev1.PersistentVolumeClaimPhase   `json:"phase,omitempty"`
	AccessModes []corev1.PersistentVolumeAccessMode `json:"accessModes,omitempty"`
	// Capacity is a Kubernetes quantity, "50Gi"; empty until the claim is bound.
	Capacity string `json:"capacity,omitempty"`
}

// AuthzEntry is one entry of the ingestion policy: the service account may
// write tables whose name starts with one of the prefixes, or all with "*".
type AuthzEntry struct {
	ServiceAccount string   `json:"serviceAccount"`
	Namespace      string   `json:"namespace"`
	TablePrefixes  []string `json:"tablePrefixes"`
}

// Step is one thing that Inspect looked for.
type Step struct {
	// Name is one of the Step constants.
	Name string
	// Detail is what was found; like Warning it may hold foreign text.
	Detail string
	// Warning is a doubt that does not keep a push from working.
	Warning string
	// Err says why a push cannot work, with the next step for the user.
	Err error
}

// The steps of Inspect, in order. Later ones are missing when an earlier one
// took the ground from under them.
const (
	StepRelease  = "release"
	StepManager  = "jobs-manager"
	StepService  = "service"
	StepPVC      = "pvc"
	StepPod      = "pod"
	StepPolicy   = "policy"
	StepIngestor = "ingestor image"
	StepStage    = "stage image"
	StepSecurity = "security"
)

// Discover finds the release called name in namespace, or the only one there
// is when name is empty, and everything that a push needs of it. The first
// thing that makes a push impossible is the error: *NotFoundError,
// *SeveralError, *TooOldError, an *AccessError with all that a push may not do,
// an API error, or a plain one; each says what to do next. It implements contract cluster.md §1.5.
func Discover(ctx context.Context, client kubernetes.Interface, namespace, name string) (*Release, error) {
	r, steps := Inspect(ctx, client, namespace, name)
	for _, step := range steps {
		if step.Err != nil {
			return nil, r.explainAll(ctx, client, RolePush, step.Err)
		}
	}
	return r, nil
}

// Inspect is Discover that goes on after a failure: the Release holds what
// could be found, and the steps tell about each part of it. The Release is
// never nil.
func Inspect(ctx context.Context, client kubernetes.Interface, namespace, name string) (*Release, []Step) {
	in := &inspection{client: client, release: &Release{Namespace: namespace, MountPath: SharedMount}}
	if in.findDeployment(ctx, name) != nil {
		return in.release, in.steps
	}
	in.checkManager()
	service := in.findService(ctx)
	in.findPVC(ctx)
	in.findPod(ctx, service)
	in.readPolicy(ctx)
	in.findImages()
	in.findSecurity(ctx)
	return in.release, in.steps
}

// inspection collects what Inspect finds.
type inspection struct {
	client  kubernetes.Interface
	release *Release
	steps   []Step
	found   found
}

func (in *inspection) ok(name, detail string) {
	in.steps = append(in.steps, Step{Name: name, Detail: detail})
}

func (in *inspection) warn(name, detail, warning string) {
	in.steps = append(in.steps, Step{Name: name, Detail: detail, Warning: warning})
}

func (in *inspection) fail(name string, err error) {
	in.steps = append(in.steps, Step{Name: name, Err: err})
}
