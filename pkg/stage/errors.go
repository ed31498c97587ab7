package stage

import (
	"errors"
	"fmt"
	"strings"
)

// Reason sorts what a volume refuses by what can be done about it.
type Reason string

// The reasons of a VolumeError.
const (
	NoSpace   Reason = "no space"          // blocks, inodes or quota are used up
	ReadOnly  Reason = "read-only"         // the file system is mounted read-only
	Denied    Reason = "permission"        // the Pod's user may not
	Mismatch  Reason = "mismatch"          // what lies there is not what was sent
	NoTool    Reason = "missing tool"      // the image lacks a tool, or an option of one
	InTheWay  Reason = "in the way"        // something foreign lies where a directory must be
	Conflict  Reason = "record of another" // the run record belongs to another run
	Lost      Reason = "lost"              // what was received is gone, or did not come whole
	NoLink    Reason = "no link"           // a file of an older tree could not be taken over
	OtherFail Reason = "failed"            // none of these
)

// VolumeError is a refusal of the remote side.
type VolumeError struct {
	Reason Reason
	// Dir is the tree's directory in the Pod.
	Dir string
	// Text is what the tool said, at most 1 KiB, unescaped: it may hold file names.
	Text string
}

// advice is the way out for each reason.
var advice = map[Reason]string{
	NoSpace:   "free some; staged copies that no run needs lie beside it, one directory per table",
	ReadOnly:  "the volume must be mounted for writing: look at its claim and at the node's log",
	Denied:    "the directory must be writable for the user that the stage pod runs as, which is the ingestor's",
	Mismatch:  "nothing was published; push again, and if it happens again look at the volume's health",
	NoTool:    "choose an image with a full busybox or GNU tools: --stage-image",
	InTheWay:  "move it away, it is not from this tool",
	Conflict:  "another push of the same data is under way",
	Lost:      "push again",
	NoLink:    "push again",
	OtherFail: "push again",
}

// Error says where, what, and the way out. The tool's own words are quoted.
func (e *VolumeError) Error() string {
	what := map[Reason]string{
		NoSpace:   "no space is left on the volume",
		ReadOnly:  "the volume is read-only",
		Denied:    "permission denied on the volume",
		Mismatch:  "what arrived on the volume differs from what was sent",
		NoTool:    "the stage image lacks a tool",
		InTheWay:  "the directory cannot be used",
		Conflict:  "the tree belongs to another run",
		Lost:      "the data did not arrive whole",
		NoLink:    "a file of an older tree could not be taken over",
		OtherFail: "the stage pod could not write",
	}[e.Reason]
	if e.Text != "" {
		what += fmt.Sprintf(": %q", e.Text)
	}
	return fmt.Sprintf("staged tree %q: %s (%s)", e.Dir, what, advice[e.Reason])
}

func newVolumeError(plan Plan, a answer) *VolumeError {
	e := &VolumeError{Dir: plan.Dir(), Text: strings.TrimSuffix(a.text(2), "\nstatus 1")}
	e.Reason = classify(a.field(1), e.Text)
	return e
}

// classify trusts the step first: a file name may contain any words.
func classify(step, text string) Reason {
	switch step {
	case "checksum", "count":
		return Mismatch
	case "tool":
		return NoTool
	case "in-the-way":
		return InTheWay
	case "conflict":
		return Conflict
	case "lost", "cut", "frame":
		return Lost
	case "link":
		return NoLink
	}
	for _, c := range []struct {
		words  string
		reason Reason
	}{
		{"No space left on device", NoSpace},
		{"Disk quota exceeded", NoSpace},
		{"File too large", NoSpace},
		{"Wrote only", NoSpace}, // GNU tar, of a write that the end of the volume cut short
		{"Read-only file system", ReadOnly},
		{"Permission denied", Denied},
		{"Operation not permitted", Denied},
		{"Not a directory", InTheWay},
		{"File exists", InTheWay},
		{"is not a directory", InTheWay},
		{"invalid option", NoTool},
		{"unrecognized option", NoTool},
	} {
		if strings.Contains(text, c.words) {
			return c.reason
		}
	}
	return OtherFail
}

// SpaceError says that the volume has no room for the tree, before anything was sent. A number that the volume does not tell is -1.
type SpaceError struct {
	NeedBytes, FreeBytes   int64
	NeedInodes, FreeInodes int64
}

// Error gives both numbers of what is short.
func (e *SpaceError) Error() string {
	if e.FreeBytes >= 0 && e.NeedBytes > e.FreeBytes {
		return fmt.Sprintf("the shared volume has %d bytes free, the staged data needs %d (%s)", e.FreeBytes, e.NeedBytes, advice[NoSpace])
	}
	return fmt.Sprintf("the shared volume has %d inodes free, the staged data needs %d (%s)", e.FreeInodes, e.NeedInodes, advice[NoSpace])
}

// SessionError says that a session ended, broke or stalled before it gave its answer. What it was doing may or may not have been done.
type SessionError struct {
	// Err is what the connection said; nil where it said nothing, as SPDY does.
	Err error
	// Output is the end of what the command printed instead, unescaped.
	Output string
}

// Error names the cause where there is one.
func (e *SessionError) Error() string {
	text := "the session in the stage pod ended without an answer"
	if e.Err != nil {
		text = fmt.Sprintf("the session in the stage pod broke: %q", e.Err.Error())
	}
	if e.Output != "" {
		text += fmt.Sprintf(" (it printed %q)", e.Output)
	}
	return text
}

// Unwrap returns Err.
func (e *SessionError) Unwrap() error { return e.Err }

// errProtocol says that the remote side sent what it cannot mean.
var errProtocol = errors.New("the stage pod answered out of turn")
