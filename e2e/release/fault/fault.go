// Package fault describes the faults that tests switch on in the stand-ins of the release. The release's jobs-manager
// stand-in serves them on a port of its own (Port); nothing in a real release knows them.
package fault

import (
	"encoding/json"
	"fmt"
	"time"
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

// Faults is what goes wrong from now on. The zero value is a healthy stand-in.
type Faults struct {
	// DelayBefore holds every submit back before anything is read or created.
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
	// Unhealthy makes GET /healthz answer 503.
	Unhealthy bool `json:"unhealthy,omitempty"`
	// Ingestor goes into the environment of the ingestors of new Jobs.
	Ingestor Ingestor `json:"ingestor,omitzero"`
}

// Ingestor is what goes wrong in an ingestor stand-in.
type Ingestor struct {
	// Sleep holds the ingestor back before it reads its spec.
	Sleep Duration `json:"sleep,omitempty"`
	// Skip makes it skip so many records at the start of the manifest, which a real one does for bad data_id values:
	// they are counted as skipped and the exit code stays 0.
	Skip int `json:"skip,omitempty"`
	// Crash ends it with a Python traceback and exit code 1 after the rows are written, before the banner.
	Crash bool `json:"crash,omitempty"`
	// Newer makes it behave as ingestors from 0.7 on where a follower can tell (contract/ingestor.md §6): two more lines in
	// the log, exit code 1 for skipped records, and the staged source deleted after a clean success.
	Newer bool `json:"newer,omitempty"`
}

// Environment names of the ingestor's faults.
const (
	EnvSleep = "STANDIN_SLEEP"
	EnvSkip  = "STANDIN_SKIP"
	EnvCrash = "STANDIN_CRASH"
	EnvNewer = "STANDIN_NEWER"
)

// Env lists the variables that carry the faults into the ingestor's container, in a stable order; none for the zero value.
func (i Ingestor) Env() [][2]string {
	var env [][2]string
	if i.Sleep > 0 {
		env = append(env, [2]string{EnvSleep, time.Duration(i.Sleep).String()})
	}
	if i.Skip > 0 {
		env = append(env, [2]string{EnvSkip, fmt.Sprint(i.Skip)})
	}
	if i.Crash {
		env = append(env, [2]string{EnvCrash, "1"})
	}
	if i.Newer {
		env = append(env, [2]string{EnvNewer, "1"})
	}
	return env
}
