// Package fault describes the faults that tests switch on in the stand-ins of the release. The release's jobs-manager
// stand-in serves them on a port of its own (Port); nothing in a real release knows them.
package fault

import (
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Port is the container port of the jobs-manager stand-in that serves GET, PUT and DELETE /faults.
// It is reached by port-forward only: no Service names it.
const Port = 8099

// Duration is a time.Duration that reads and writes the form of time.ParseDuration in JSON.
type Duration time.Duration

// MarshalJSON writes the duration as a string such as "1.5s".
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

// UnmarshalJSON reads a string such as "1.5s".
func (d *Duration) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("a duration is a string such as \"1.5s\": %w", err)
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}

// Faults is what goes wrong from now on. The zero value is a healthy stand-in. Faults that are set for a table count for its
// submits in place of those that are set for all.
type Faults struct {
	// DelayBefore holds every submit back before anything is judged or created.
	DelayBefore Duration `json:"delayBefore,omitempty"`
	// DelayAfter holds the answer back after the Job exists.
	DelayAfter Duration `json:"delayAfter,omitempty"`
	// DropBefore closes the connection of so many submits before anything is created.
	DropBefore int `json:"dropBefore,omitempty"`
	// DropAfter closes the connection of so many submits after the Job exists, without an answer.
	DropAfter int `json:"dropAfter,omitempty"`
	// FailStatus is the HTTP status that FailTimes submits get before anything is created.
	FailStatus int `json:"failStatus,omitempty"`
	// FailTimes counts down with each submit that FailStatus has answered.
	FailTimes int `json:"failTimes,omitempty"`
	// Unhealthy makes GET /healthz answer 503. It does not depend on a table.
	Unhealthy bool `json:"unhealthy,omitempty"`
	// Ingestor goes into the new Jobs and the environment of their ingestors.
	Ingestor Ingestor `json:"ingestor,omitzero"`
}

// Ingestor is what goes wrong in an ingestor stand-in. Several faults come in the order of the fields.
type Ingestor struct {
	// MemoryLimit is the memory limit of its container; the Jobs have none otherwise.
	MemoryLimit *resource.Quantity `json:"memoryLimit,omitempty"`
	// Lives limits Fail, Memory and Crash to the first so many lives of the container in its Pod, which is restarted in place;
	// 0 is all of them.
	Lives int `json:"lives,omitempty"`
	// Sleep holds the ingestor back before it reads its spec.
	Sleep Duration `json:"sleep,omitempty"`
	// Fail ends it with a Python traceback and exit code 1 before it reads its spec.
	Fail bool `json:"fail,omitempty"`
	// Skip makes it skip so many records at the start of the manifest, which a real one does for bad data_id values:
	// they are counted as skipped and the exit code stays 0.
	Skip int `json:"skip,omitempty"`
	// Empty makes it read no record at all: a summary of zeros, and exit code 0.
	Empty bool `json:"empty,omitempty"`
	// LongLine prints a line of so many bytes after the rows are written.
	LongLine int `json:"longLine,omitempty"`
	// Lines prints so many numbered lines (Line) after the rows are written, before the summary.
	Lines int `json:"lines,omitempty"`
	// Pause comes after each of the Lines.
	Pause Duration `json:"pause,omitempty"`
	// Memory takes memory until the kernel ends the container, after the rows are written; it needs MemoryLimit.
	Memory bool `json:"memory,omitempty"`
	// Crash ends it with a Python traceback and exit code 1 after the rows are written, before the banner.
	Crash bool `json:"crash,omitempty"`
	// NoSummary leaves the banner out, and does not change the exit code.
	NoSummary bool `json:"noSummary,omitempty"`
	// Newer makes it behave as ingestors from 0.7 on where a follower can tell (contract/ingestor.md §6): two more lines in
	// the log, exit code 1 for skipped records, and the staged source deleted after a clean success.
	Newer bool `json:"newer,omitempty"`
}

// EnvIngestor is the variable that carries the ingestor's faults, as JSON.
const EnvIngestor = "STANDIN_FAULTS"

// Env is the value of EnvIngestor, empty for the zero value.
func (i Ingestor) Env() (string, error) {
	if i == (Ingestor{}) {
		return "", nil
	}
	data, err := json.Marshal(i)
	return string(data), err
}

// FromEnv reads the value of EnvIngestor.
func FromEnv(value string) (Ingestor, error) {
	var i Ingestor
	if value == "" {
		return i, nil
	}
	if err := json.Unmarshal([]byte(value), &i); err != nil {
		return Ingestor{}, fmt.Errorf("read %s: %w", EnvIngestor, err)
	}
	return i, nil
}

// Line is the text of one of the Lines, which count from 1.
func Line(n int) string { return fmt.Sprintf("stand-in line %06d", n) }
