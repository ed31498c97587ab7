package preflight

import (
	"io"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// taskCheck is a group of rules that some tasks have (dataset.Task.Checks). Either part may be nil.
type taskCheck struct {
	rows  rowCheck
	files fileCheck
}

// rowCheck holds rules over the records of the CSV. One goroutine calls its methods, in this order.
type rowCheck interface {
	// begin is given the header. It reports what is wrong with it, and returns false when the rows need no look.
	begin(t *table) bool
	// row is given each record below the header; its bytes are valid during the call only. A field beyond the end of a
	// short record is nil.
	row(at place, r *dataset.Record)
	// finish comes after the last record, unless the CSV could not be read to its end. Files may still be read then: what
	// needs both belongs into fileCheck.finish.
	finish()
}

// columnOwner is a rowCheck that decides about columns itself. own is given the header of each reading, before begin, and
// marks them.
type columnOwner interface {
	own(t *table)
}

// fileCheck holds rules over the content of staged files.
type fileCheck interface {
	// wants reports whether the check reads the file. At most one check of a task wants the same file.
	wants(e dataset.Entry) bool
	// read is given the content of the i-th staged file. It need not read to the end, and leaves errors of reading to its
	// caller. Many goroutines call it at once, for different files.
	read(i int, e dataset.Entry, content content)
	// finish comes after the CSV and all files were read.
	finish()
}

// content is what a file holds, front to back; at gives access at any place, for formats that need it.
type content struct {
	io.Reader
	at io.ReaderAt
}

// taskChecks makes the groups of rules by their names in the registry.
func taskChecks() map[dataset.Check]func(c *checker) taskCheck {
	return map[dataset.Check]func(c *checker) taskCheck{
		dataset.CheckImages:           func(c *checker) taskCheck { return taskCheck{files: newImageCheck(c)} },
		dataset.CheckKeypoints:        newKeypoints,
		dataset.CheckForecasting:      func(c *checker) taskCheck { return taskCheck{rows: &forecastingCheck{checker: c}} },
		dataset.CheckSequences:        func(c *checker) taskCheck { return taskCheck{rows: &sequenceCheck{checker: c}} },
		dataset.CheckTimeToEvent:      func(c *checker) taskCheck { return taskCheck{rows: &timeToEventCheck{checker: c}} },
		dataset.CheckVOC:              func(c *checker) taskCheck { v := newVOCCheck(c); return taskCheck{rows: v, files: vocFiles{v}} },
		dataset.CheckMasks:            func(c *checker) taskCheck { m := newMaskCheck(c); return taskCheck{rows: m, files: maskFiles{m}} },
		dataset.CheckText:             func(c *checker) taskCheck { return taskCheck{files: newTextCheck(c, textForm{})} },
		dataset.CheckBIO:              func(c *checker) taskCheck { b := newBIOCheck(c); return taskCheck{rows: bioRows{b}, files: b} },
		dataset.CheckSentencePairs:    func(c *checker) taskCheck { return taskCheck{files: newTextCheck(c, sentencePair())} },
		dataset.CheckContrastivePairs: func(c *checker) taskCheck { return taskCheck{files: newTextCheck(c, contrastivePair())} },
		dataset.CheckTokenizer:        func(c *checker) taskCheck { return taskCheck{files: newTokenizerCheck(c, "[PAD]")} },
		dataset.CheckMaskedTokenizer:  func(c *checker) taskCheck { return taskCheck{files: newTokenizerCheck(c, "[MASK]", "[PAD]")} },
	}
}
