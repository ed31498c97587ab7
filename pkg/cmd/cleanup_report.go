package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/yaml"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
	"github.com/tracebloc/kubectl-tracebloc/pkg/stage"
)

// States of an item of a cleanupReport.
const (
	stateRemovable = "Removable"
	stateKept      = "Kept"
	stateRemoved   = "Removed"
	stateFailed    = "Failed"
)

// cleanupReport is what -o json and -o yaml print; docs/output.md describes it.
type cleanupReport struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   cleanupMetadata `json:"metadata"`
	Spec       cleanupSpec     `json:"spec"`
	Status     cleanupStatus   `json:"status"`
}

type cleanupMetadata struct {
	Namespace string `json:"namespace,omitempty"`
}

type cleanupSpec struct {
	Release   string `json:"release,omitempty"`
	Table     string `json:"table,omitempty"`
	OlderThan string `json:"olderThan"` // a Go duration, "24h0m0s"
	DryRun    string `json:"dryRun,omitempty"`
	Yes       bool   `json:"remove"` // without asking
}

type cleanupStatus struct {
	ExitCode     int           `json:"exitCode"`
	Message      string        `json:"message,omitempty"`
	Removable    int           `json:"removable"`    // items that may go, and are still there
	Removed      int           `json:"removed"`      // items
	RemovedBytes int64         `json:"removedBytes"` // of their files
	Kept         int           `json:"kept"`
	Failed       int           `json:"failed"`
	Truncated    bool          `json:"truncated,omitempty"`
	Items        []cleanupItem `json:"items"`
}

type cleanupItem struct {
	Kind        stage.Kind `json:"kind"`
	Table       string     `json:"table,omitempty"`
	Name        string     `json:"name,omitempty"`
	Path        string     `json:"path,omitempty"`
	Run         string     `json:"run,omitempty"`
	Files       *int64     `json:"files,omitempty"`
	Bytes       *int64     `json:"bytes,omitempty"`
	AgeSeconds  *int64     `json:"ageSeconds,omitempty"`
	UID         *int64     `json:"uid,omitempty"`
	State       string     `json:"state"`
	Why         string     `json:"why"`
	KeptBecause string     `json:"keptBecause,omitempty"`
	Error       string     `json:"error,omitempty"`
}

func newCleanupReport(o *cleanupOptions) *cleanupReport {
	r := &cleanupReport{APIVersion: run.GroupVersion.String(), Kind: "CleanupReport"}
	r.Spec = cleanupSpec{Release: o.release, Table: o.table, OlderThan: o.olderThan.String(), Yes: o.yes}
	if o.dryRun != dryRunNone {
		r.Spec.DryRun = o.dryRun
	}
	r.Status.Items = []cleanupItem{}
	return r
}

// take notes what was found; the items keep their order.
func (r *cleanupReport) take(items []stage.Item, truncated bool) {
	r.Status.Truncated = truncated
	for _, i := range items {
		item := cleanupItem{
			Kind: i.Kind, Table: i.Table, Name: i.Name, Path: i.Path, Run: i.Run, Why: i.Why, KeptBecause: i.Kept, State: stateRemovable,
			Files: known(i.Files), Bytes: known(i.Bytes), UID: known(i.UID),
		}
		if i.Age >= 0 {
			item.AgeSeconds = known(int64(i.Age / time.Second))
		}
		if i.Kept != "" {
			item.State = stateKept
		}
		r.Status.Items = append(r.Status.Items, item)
	}
	r.count()
}

// known is nil for what nobody counted.
func known(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

func (r *cleanupReport) count() {
	s := &r.Status
	s.Removable, s.Removed, s.RemovedBytes, s.Kept, s.Failed = 0, 0, 0, 0, 0
	for _, i := range s.Items {
		switch i.State {
		case stateRemovable:
			s.Removable++
		case stateKept:
			s.Kept++
		case stateFailed:
			s.Failed++
		case stateRemoved:
			s.Removed++
			s.RemovedBytes += i.bytes()
		}
	}
}

func (i cleanupItem) bytes() int64 {
	if i.Bytes == nil {
		return 0
	}
	return *i.Bytes
}

// removable is how many items may go, and how large their files are.
func (r *cleanupReport) removable() (count int, bytes int64) {
	for _, i := range r.Status.Items {
		if i.State == stateRemovable {
			count++
			bytes += i.bytes()
		}
	}
	return count, bytes
}

func (r *cleanupReport) removed(i int) {
	r.Status.Items[i].State = stateRemoved
	r.count()
}

func (r *cleanupReport) spared(i int, kept string) {
	r.Status.Items[i].State, r.Status.Items[i].KeptBecause = stateKept, kept
	r.count()
}

func (r *cleanupReport) failed(i int, err error) {
	r.Status.Items[i].State, r.Status.Items[i].Error = stateFailed, err.Error()
	r.count()
}

// progress is what has been removed so far: "2 of 3 items, 1.2 GiB".
func (r *cleanupReport) progress() string {
	s := r.Status
	return fmt.Sprintf("%d of %s, %s", s.Removed, plural(int64(s.Removed+s.Removable+s.Failed), "item"), progress.Bytes(s.RemovedBytes))
}

// print writes the report in a format; the table was printed before.
func (r *cleanupReport) print(w io.Writer, format string) error {
	switch format {
	case "json":
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "    ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	case "yaml":
		text, err := yaml.Marshal(r)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	case "name":
		for _, i := range r.Status.Items {
			if i.State != stateRemoved && (i.State != stateRemovable || r.Spec.Yes) {
				continue
			}
			if _, err := fmt.Fprintln(escapeWriter{w}, itemName(i.Kind, i.Table, i.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// printTable writes one line for each item.
func (r *cleanupReport) printTable(w io.Writer) error {
	if len(r.Status.Items) == 0 {
		return nil
	}
	table := printers.GetNewTabWriter(w)
	if _, err := fmt.Fprintln(table, "KIND\tTABLE\tNAME\tSIZE\tAGE\tWHY\tKEPT BECAUSE"); err != nil {
		return err
	}
	for _, i := range r.Status.Items {
		size, age := "-", "-"
		if i.Bytes != nil {
			size = progress.Bytes(*i.Bytes)
		}
		if i.AgeSeconds != nil {
			age = duration.HumanDuration(time.Duration(*i.AgeSeconds) * time.Second)
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", i.Kind, cell(i.Table), cell(i.Name), size, age, cell(i.Why), cell(i.KeptBecause))
		if err != nil {
			return err
		}
	}
	return table.Flush()
}

// nameOf is how an item is called in messages and by -o name: tree/cats/0123456789abcdef.
func nameOf(i stage.Item) string { return itemName(i.Kind, i.Table, i.Name) }

func itemName(kind stage.Kind, table, name string) string {
	if kind == stage.KindPod || table == "" {
		return strings.ToLower(string(kind)) + "/" + name
	}
	return strings.ToLower(string(kind)) + "/" + table + "/" + name
}
