// Package manifests makes the objects of a tracebloc client release as the chart leaves them in a cluster
// (contract/cluster.md §1), with stand-ins for its private images, and decoys beside them that a client must not mistake
// for the release.
package manifests

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Options shape one release. The zero value, defaulted, is a release named and placed as the chart's installer does.
type Options struct {
	Namespace string // default tracebloc
	Name      string // the Helm release, default Namespace
	// FullName replaces Name in object names, as the chart's fullnameOverride does; the instance label keeps Name.
	FullName     string
	ChartVersion string // default 1.9.62

	Restricted   bool                              // the Namespace enforces the restricted Pod Security Standard
	StorageClass string                            // default standard
	AccessMode   corev1.PersistentVolumeAccessMode // of client-pvc, default ReadWriteOnce
	Replicas     *int32                            // of jobs-manager, default 1
	HTTPDisabled bool                              // INGESTION_HTTP_DISABLED
	HostUID      *int64                            // HOST_UID, with HostGID
	HostGID      *int64
	Authz        []AuthzEntry // default: ingestor may write every table; an empty list that is not nil denies all
	Tolerations  []corev1.Toleration
	NodeSelector map[string]string
	PullSecrets  []string // imagePullSecrets of the Pods; the Secrets are not created
	BackoffLimit *int32   // of ingestion Jobs, default 1: the real number is not public
	// Annotations go on the Namespace, such as openshift.io/sa.scc.uid-range.
	Annotations map[string]string
	NoDecoys    bool

	// IngestorDigest replaces the digest of the ingestor image; IngestorByTag leaves it out, as development releases do.
	IngestorDigest string
	IngestorByTag  bool

	Images Images
	// APIServer is HOST:PORT of the API server for clusters whose Service addresses do not work; empty elsewhere.
	APIServer string
}

// Images are the references that the Pods run, and the digest of the ingestor's.
type Images struct {
	JobsManager, PodsMonitor, MySQL, Busybox string
	IngestorRepository, IngestorTag          string
	IngestorDigest                           string
	// ID changes with the content of the images, so that Pods are replaced although the tags stay.
	ID string
}

// AuthzEntry lets a service account of the release's namespace write the tables with one of the prefixes, "*" for all.
type AuthzEntry struct {
	ServiceAccount string   `json:"service_account"`
	Namespace      string   `json:"namespace"`
	TablePrefixes  []string `json:"table_prefixes"`
}

// Default fills what is empty.
func (o Options) Default() Options {
	o.Namespace = cmp.Or(o.Namespace, "tracebloc")
	o.Name = cmp.Or(o.Name, o.Namespace)
	o.FullName = cmp.Or(o.FullName, o.Name)
	o.ChartVersion = cmp.Or(o.ChartVersion, "1.9.62")
	o.StorageClass = cmp.Or(o.StorageClass, "standard")
	o.AccessMode = cmp.Or(o.AccessMode, corev1.ReadWriteOnce)
	if o.BackoffLimit == nil {
		o.BackoffLimit = ptr(int32(1))
	}
	if o.Authz == nil {
		o.Authz = []AuthzEntry{{ServiceAccount: "ingestor", Namespace: o.Namespace, TablePrefixes: []string{"*"}}}
	}
	return o
}

// DeploymentName is the name of the jobs-manager Deployment.
func (o Options) DeploymentName() string { return o.FullName + "-jobs-manager" }

// clusterName names the cluster-scoped objects. The chart uses the release's name alone; a namespace beside it keeps
// releases of one name in several namespaces apart.
func (o Options) clusterName() string {
	if o.FullName == o.Namespace {
		return o.FullName + "-jobs-manager-rbac"
	}
	return o.Namespace + "-" + o.FullName + "-jobs-manager-rbac"
}

// labels are the chart's labels, which stand on every object and on no Pod.
func (o Options) labels(more ...string) map[string]string {
	l := map[string]string{
		"app.kubernetes.io/name":       "client",
		"app.kubernetes.io/instance":   o.Name,
		"app.kubernetes.io/version":    o.ChartVersion,
		"app.kubernetes.io/managed-by": "Helm",
		"helm.sh/chart":                "client-" + o.ChartVersion,
	}
	for i := 0; i+1 < len(more); i += 2 {
		l[more[i]] = more[i+1]
	}
	return l
}

func (o Options) meta(name string, moreLabels ...string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: o.Namespace, Labels: o.labels(moreLabels...)}
}

// policy is the text of the authz ConfigMap.
func (o Options) policy() (string, error) {
	data, err := yaml.Marshal(map[string][]AuthzEntry{"allowed": o.Authz})
	if err != nil {
		return "", fmt.Errorf("write the authz policy: %w", err)
	}
	return string(data), nil
}

// rollout is an annotation that changes with what the Pods must be replaced for.
func (o Options) rollout(parts ...string) map[string]string {
	sum := sha256.Sum256([]byte(strings.Join(append(parts, o.Images.ID), "\x00")))
	return map[string]string{"standin.tracebloc.io/rollout": hex.EncodeToString(sum[:8])}
}

func ptr[T any](v T) *T { return &v }
