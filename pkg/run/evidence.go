package run

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
)

// JobState is what is known of the Job itself.
type JobState string

// The states of a Job. A Job that is gone before it was seen is JobMissing, one
// that went while it was watched and had not finished is JobDeleted.
const (
	JobActive   JobState = "Active"
	JobComplete JobState = "Complete"
	JobFailed   JobState = "Failed"
	JobDeleted  JobState = "Deleted"
	JobMissing  JobState = "Missing"
)

// Evidence is everything that is known of one run. It holds facts only; [Judge]
// says what they prove.
type Evidence struct {
	Namespace string
	Job       string
	State     JobState

	Conditions []batchv1.JobCondition // as the Job controller set them
	Started    time.Time              // zero when the Job has not started
	Finished   time.Time              // zero when it has not finished

	Attempts []Attempt // oldest first; at most maxAttempts, the first is always kept
	// Unseen is how many attempts the cluster has counted besides, whose Pods or
	// containers were gone when somebody looked.
	Unseen int

	// Stuck says why no container can start, when that ended the following.
	Stuck string
	// Waiting is what the run waited for when the following ended.
	Waiting string
}

// Attempt is one life of the ingestor's container: a restart in place is a new
// attempt, and so is a replacement Pod. A Pod that failed before its container
// started is an attempt without ContainerID.
type Attempt struct {
	Pod         string
	Node        string
	Container   string
	ContainerID string

	PodReason  string // Evicted, DeadlineExceeded, Preempting ...
	PodMessage string

	Running  bool   // when the evidence was taken
	ExitCode *int32 // nil while it runs, or when its end was not seen
	Reason   string // Completed, Error, OOMKilled ...
	Message  string
	Started  time.Time
	Finished time.Time

	Log         Report
	LogRead     bool   // its log was opened at all
	LogComplete bool   // its log was read to its end
	LogError    string // why it was not, printable
}

// maxAttempts bounds the memory of a Job that restarts for days.
const maxAttempts = 16

// Last returns the newest attempt, nil when no container has started.
func (e *Evidence) Last() *Attempt {
	if len(e.Attempts) == 0 {
		return nil
	}
	return &e.Attempts[len(e.Attempts)-1]
}

// Succeeded returns the newest attempt that exited with 0, nil when there is none.
func (e *Evidence) Succeeded() *Attempt {
	for i := len(e.Attempts) - 1; i >= 0; i-- {
		if code := e.Attempts[i].ExitCode; code != nil && *code == 0 {
			return &e.Attempts[i]
		}
	}
	return nil
}

// condition returns the Job's condition of that type when it is true.
func (e *Evidence) condition(kind batchv1.JobConditionType) *batchv1.JobCondition {
	for i, c := range e.Conditions {
		if c.Type == kind && c.Status == "True" {
			return &e.Conditions[i]
		}
	}
	return nil
}
