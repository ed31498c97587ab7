package run

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
)

// GroupVersion of the objects that the plugin prints. Nothing of this group is
// stored in a cluster.
var GroupVersion = schema.GroupVersion{Group: "tracebloc.io", Version: "v1alpha1"}

// The kinds of IngestionRun and IngestionRunList.
const (
	KindIngestionRun     = "IngestionRun"
	KindIngestionRunList = "IngestionRunList"
)

// Phase is where an ingestion run stands, or how it ended.
type Phase string

// The phases of an IngestionRun. Planned is the end of a dry run; Refused means
// that nothing was submitted; Detached is a run that its push stopped following.
// Pending and Running are phases of a run that is at work, the others tell how it
// ended.
const (
	PhasePlanned             Phase = "Planned"
	PhaseRefused             Phase = "Refused"
	PhaseDetached            Phase = "Detached"
	PhasePending             Phase = "Pending" // submitted; no container runs, not yet or not now
	PhaseRunning             Phase = "Running"
	PhaseComplete            Phase = "Complete" // the Job ended well; its summary was not read, so what became of the records is not known
	PhaseSucceeded           Phase = "Succeeded"
	PhaseSucceededWithLosses Phase = "SucceededWithLosses"
	PhaseFailed              Phase = "Failed"
	PhaseCanceled            Phase = "Canceled"
	PhaseUnknown             Phase = "Unknown"
)

// Ended reports whether a run of that phase is over, however it ended.
func (p Phase) Ended() bool {
	switch p {
	case PhaseComplete, PhaseSucceeded, PhaseSucceededWithLosses, PhaseFailed, PhaseCanceled:
		return true
	}
	return false
}

// IngestionRun is what -o json and -o yaml print on every ending of a push,
// failures included, and of each run that the cluster knows. metadata.name is the
// idempotency key of the run, which is also the value of the label
// tracebloc.io/ingestion-run in the cluster; it is empty when a push ended before
// a key was made. metadata.creationTimestamp and labels are those of the run's
// Job, or of the ConfigMap with its spec where the Job is gone.
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
	Phase Phase `json:"phase"`
	// ExitCode is the exit code of the process that printed the run; nil in lists.
	ExitCode *int   `json:"exitCode,omitempty"`
	Step     string `json:"step,omitempty"` // the step of the push that ended it
	Message  string `json:"message,omitempty"`
	// Warnings say what may be wrong besides, of a clean success too.
	Warnings []string `json:"warnings,omitempty"`
	Job      string   `json:"job,omitempty"`
	Replay   bool     `json:"replay,omitempty"` // the server knew the key already

	Started  *metav1.Time `json:"started,omitempty"`  // when the Job started
	Finished *metav1.Time `json:"finished,omitempty"` // when the Job was over
	Attempts int          `json:"attempts,omitempty"` // lives of the ingestor's container that the cluster knows of
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

// SetExitCode sets the exit code of the process that prints the run.
func (r *IngestionRun) SetExitCode(code int) { r.Status.ExitCode = &code }

// SetOutcome writes into the status what was found out about the run. What the
// outcome does not know stays as it is.
func (r *IngestionRun) SetOutcome(o Outcome) {
	s := &r.Status
	s.Phase, s.Message, s.Warnings = o.State, o.Reason, slices.Clone(o.Warnings)
	if o.Job != "" {
		s.Job = o.Job
	}
	if !o.Started.IsZero() {
		s.Started = timeOf(o.Started)
	}
	if !o.Finished.IsZero() {
		s.Finished = timeOf(o.Finished)
	}
	if o.Attempts > 0 {
		s.Attempts = o.Attempts
	}
	if o.Banner != nil {
		s.DestinationTable, s.Records = o.Banner.Table, o.Banner.Records()
	}
}

// Active reports whether the run's Job is there and not over, though it may be
// about to be deleted.
func (r *IngestionRun) Active() bool {
	return r.Status.Phase == PhasePending || r.Status.Phase == PhaseRunning
}

// IngestionRunList is what -o json and -o yaml print of several runs.
type IngestionRunList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`

	Items []IngestionRun `json:"items"`
}

// NewIngestionRunList returns a list of runs with its type set.
func NewIngestionRunList(runs []*IngestionRun) *IngestionRunList {
	list := &IngestionRunList{
		TypeMeta: metav1.TypeMeta{APIVersion: GroupVersion.String(), Kind: KindIngestionRunList},
		Items:    make([]IngestionRun, 0, len(runs)),
	}
	for _, r := range runs {
		list.Items = append(list.Items, *r.DeepCopy())
	}
	return list
}
