package stage

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// submitWindow is how long after its key was stored a run may still come to be: a push repeats the submit for some minutes.
const submitWindow = 30 * time.Minute

// Run is an ingestion run as far as it matters to what it was staged for.
type Run struct {
	// Key is its idempotency key.
	Key string
	// Phase is how far it got, in a word.
	Phase string
	// Active says that it is not over: it may read files now, or later.
	Active bool
	// Doubt says why it counts as active where that is not sure.
	Doubt string
	// Blind says that nobody can tell what it reads.
	Blind bool
	// Reads tells whether it reads a directory of the volume, something in it or something above it. nil is nothing.
	Reads func(dir string) bool
}

// stands says that the run is not over, or may not be.
func (r Run) stands() string {
	if r.Doubt != "" {
		return fmt.Sprintf("run %q may not be over: %s", r.Key, r.Doubt)
	}
	return fmt.Sprintf("run %q is not over", r.Key)
}

// situation is what the cluster knows at one time.
type situation struct {
	at   time.Time
	runs []Run
	pods []stray
}

// judge says what an entry is, and why it stays; kept is "" when it is to go.
func (s *situation) judge(root string, e Entry, olderThan time.Duration) (why, kept string) {
	why = s.why(e)
	for _, reason := range []string{foreign(e), s.used(e.Path(root), e), s.held(e)} {
		if reason != "" {
			return why, reason
		}
	}
	if e.Age < olderThan {
		return why, younger(olderThan)
	}
	return why, ""
}

// why says what an entry was made for.
func (s *situation) why(e Entry) string {
	switch e.Kind {
	case KindWork:
		return "a transfer that was not finished"
	case KindTrash:
		return "a removal that was not finished"
	case KindTemporary:
		return "a session that was cut off"
	case KindTree:
		switch run := s.runOf(e); {
		case e.kind == typeNone && e.Record == nil:
			return "what is left of a staged copy that is gone"
		case e.Record == nil:
			return "no run was submitted for it"
		case run == nil:
			return fmt.Sprintf("staged for run %q, which the cluster does not have", e.Record.Key)
		default:
			return fmt.Sprintf("staged for run %q: %s", run.Key, run.Phase)
		}
	}
	return "not from this tool"
}

func (s *situation) runOf(e Entry) *Run {
	if e.Record == nil {
		return nil
	}
	i := slices.IndexFunc(s.runs, func(r Run) bool { return r.Key == e.Record.Key })
	if i < 0 {
		return nil
	}
	return &s.runs[i]
}

// foreign is why something that this tool has not made stays.
func foreign(e Entry) string {
	switch {
	case e.Closed:
		return fmt.Sprintf("it belongs to uid %d, and the stage pod may not look into it", e.UID)
	case e.Kind == KindOther:
		return "it is left alone"
	case e.kind == typeDirectory, e.Kind == KindTree && e.kind == typeNone:
		return ""
	case e.Kind == KindTrash, e.Kind == KindTemporary:
		return ""
	case e.kind == typeLink:
		return "it is a symbolic link, which this tool never makes: it is left alone"
	}
	return "it is not the directory that its name says: it is left alone"
}

// used is which run keeps it.
func (s *situation) used(place string, e Entry) string {
	for _, run := range s.runs {
		mine := e.Record != nil && e.Record.Key == run.Key
		switch {
		case !run.Active:
		case mine:
			return run.stands()
		case run.Blind:
			return run.stands() + ", and its spec cannot be read: it may need this"
		case run.Reads != nil && run.Reads(place):
			return run.stands() + ", and reads it"
		}
	}
	if e.Kind == KindTree && e.Record != nil && s.runOf(e) == nil && e.Age < submitWindow {
		return fmt.Sprintf("run %q may be submitted at this moment", e.Record.Key)
	}
	return ""
}

// held is which Pod keeps it.
func (s *situation) held(e Entry) string {
	for _, owner := range e.Owners {
		if owner == strangePlace {
			return "something in its lock is not from this tool"
		}
	}
	for _, pod := range s.pods {
		switch {
		case !pod.holds():
		case slices.Contains(e.Owners, string(pod.UID)):
			return fmt.Sprintf("a push is at work in it, through pod %q", pod.Name)
		case pod.table == e.Table:
			return fmt.Sprintf("a push of the table may be at work, through pod %q", pod.Name)
		}
	}
	return ""
}

// gone are the owners of a work directory whose Pods are not there any more.
func (s *situation) gone(e Entry) []string {
	return slices.DeleteFunc(slices.Clone(e.Owners), func(owner string) bool {
		return slices.ContainsFunc(s.pods, func(p stray) bool { return p.alive && string(p.UID) == owner })
	})
}

// younger is why something stays that may be of use to somebody who comes back.
func younger(than time.Duration) string {
	text := than.String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return "it is younger than " + text
}

// item describes an entry for people.
func (s *situation) item(root string, e Entry, olderThan time.Duration) Item {
	i := Item{
		Kind: e.Kind, Table: e.Table, Name: e.Name, Path: path.Join(root, e.Table, e.Name),
		Files: e.Files, Bytes: e.Bytes, Age: e.Age, UID: e.UID, entry: e,
	}
	if e.Record != nil {
		i.Run = e.Record.Key
	}
	i.Why, i.Kept = s.judge(root, e, olderThan)
	return i
}
