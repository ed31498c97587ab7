package run

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
)

// GroupVersion of the objects that the plugin prints. Nothing of this group is
// stored in a cluster.
var GroupVersion = schema.GroupVersion{Group: "tracebloc.io", Version: "v1alpha1"}

// KindIngestionRun is the kind of IngestionRun.
const KindIngestionRun = "IngestionRun"

// Phase is where an ingestion run stands, or how it ended.
type Phase string

// The phases of an IngestionRun. Planned is the end of a dry run; Refused means
// that nothing was submitted; the others tell how a submitted run ended.
const (
	PhasePlanned             Phase = "Planned"
	PhaseRefused             Phase = "Refused"
	PhaseDetached            Phase = "Detached"
	PhaseSucceeded           Phase = "Succeeded"
	PhaseSucceededWithLosses Phase = "SucceededWithLosses"
	PhaseFailed              Phase = "Failed"
	PhaseCanceled            Phase = "Canceled"
	PhaseUnknown             Phase = "Unknown"
)

// IngestionRun is what -o json and -o yaml print on every ending of a push,
// failures included. metadata.name is the idempotency key of the run, which is
// also the value of the label tracebloc.io/ingestion-run in the cluster; it is
// empty when the push ended before a key was made.
type IngestionRun struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec   IngestionRunSpec   `json:"spec"`
	Status IngestionRunStatus `json:"status"`
}

// IngestionRunSpec says what was to be ingested, after inference.
type IngestionRunSpec struct {
	Path    string `json:"path,omitempty"`    // the dataset, as given on the command line
	Release string `json:"release,omitempty"` // Helm release of the tracebloc client
	Table   string `json:"table,omitempty"`
	Task    string `json:"task,omitempty"`   // the spec's category
	Intent  string `json:"intent,omitempty"` // train or test
	DryRun  string `json:"dryRun,omitempty"` // client or server
	// IngestConfig is the spec as it is submitted, in YAML.
	IngestConfig string `json:"ingestConfig,omitempty"`
}

// IngestionRunStatus says what happened.
type IngestionRunStatus struct {
	Phase    Phase  `json:"phase"`
	ExitCode int    `json:"exitCode"` // the exit code of the process
	Step     string `json:"step"`     // the step of the push that ended it
	Message  string `json:"message,omitempty"`
	Job      string `json:"job,omitempty"`
	Replay   bool   `json:"replay,omitempty"` // the server knew the key already
	// DestinationTable is the physical table that the ingestor named.
	DestinationTable string `json:"destinationTable,omitempty"`

	Dataset   *DatasetStatus      `json:"dataset,omitempty"`
	Staging   *StagingStatus      `json:"staging,omitempty"`
	Records   *RecordsStatus      `json:"records,omitempty"`
	Findings  []preflight.Finding `json:"findings,omitempty"`
	Durations map[string]float64  `json:"durations,omitempty"` // seconds by step
}

// DatasetStatus describes the dataset on disk.
type DatasetStatus struct {
	TreeID  string `json:"treeID,omitempty"` // 16 hex digits, see docs/architecture.md
	Files   int64  `json:"files"`
	Bytes   int64  `json:"bytes"`
	Rows    int64  `json:"rows"`
	Classes int64  `json:"classes,omitempty"`
}

// StagingStatus describes the transfer to the shared volume.
type StagingStatus struct {
	Path            string  `json:"path"`            // directory in the ingestor's Pod
	Reused          bool    `json:"reused"`          // the verified tree was there already
	Removed         bool    `json:"removed"`         // the tree was removed after a clean success
	Files           int64   `json:"files"`           // sent and acknowledged
	Bytes           int64   `json:"bytes"`           // of these files
	TakenOverFiles  int64   `json:"takenOverFiles"`  // on the volume already: in an older tree, or from an earlier attempt
	TakenOverBytes  int64   `json:"takenOverBytes"`  // of these files
	SentBytes       int64   `json:"sentBytes"`       // that traveled: archives, compressed where that pays, retries included
	CompressedBytes int64   `json:"compressedBytes"` // bytes of files that traveled compressed
	Retries         int     `json:"retries"`         // sessions and pieces of work that failed and were repeated
	Pods            int     `json:"pods"`            // stage Pods that were needed
	Seconds         float64 `json:"seconds"`         // from the first session to the published tree
	PodSeconds      float64 `json:"podSeconds"`      // until the stage Pods were ready
}

// RecordsStatus holds the ingestor's own counts (contract: ingestor, summary
// banner). A count that it did not print is nil.
type RecordsStatus struct {
	Total                *int64 `json:"total,omitempty"`
	Processed            *int64 `json:"processed,omitempty"`
	Inserted             *int64 `json:"inserted,omitempty"`
	Sent                 *int64 `json:"sent,omitempty"`
	Skipped              *int64 `json:"skipped,omitempty"`
	FileTransferFailures *int64 `json:"fileTransferFailures,omitempty"`
	FailedInsertion      *int64 `json:"failedInsertion,omitempty"`
	FailedSend           *int64 `json:"failedSend,omitempty"`
}

// NewIngestionRun returns an empty IngestionRun with its type set.
func NewIngestionRun(namespace string) *IngestionRun {
	return &IngestionRun{
		TypeMeta:   metav1.TypeMeta{APIVersion: GroupVersion.String(), Kind: KindIngestionRun},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace},
	}
}

// DeepCopy returns a copy that shares no memory with r.
func (r *IngestionRun) DeepCopy() *IngestionRun {
	if r == nil {
		return nil
	}
	out := *r
	r.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.Dataset = copyOf(r.Status.Dataset)
	out.Status.Staging = copyOf(r.Status.Staging)
	out.Status.Records = r.Status.Records.deepCopy()
	out.Status.Findings = slices.Clone(r.Status.Findings)
	if r.Status.Durations != nil {
		out.Status.Durations = make(map[string]float64, len(r.Status.Durations))
		for step, seconds := range r.Status.Durations {
			out.Status.Durations[step] = seconds
		}
	}
	return &out
}

func (r *RecordsStatus) deepCopy() *RecordsStatus {
	if r == nil {
		return nil
	}
	return &RecordsStatus{
		Total: copyOf(r.Total), Processed: copyOf(r.Processed), Inserted: copyOf(r.Inserted), Sent: copyOf(r.Sent), Skipped: copyOf(r.Skipped),
		FileTransferFailures: copyOf(r.FileTransferFailures), FailedInsertion: copyOf(r.FailedInsertion), FailedSend: copyOf(r.FailedSend),
	}
}

// DeepCopyObject implements runtime.Object, so that kubectl's printers take an
// IngestionRun.
func (r *IngestionRun) DeepCopyObject() runtime.Object {
	return r.DeepCopy()
}

func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
