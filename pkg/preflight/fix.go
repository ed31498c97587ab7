package preflight

import (
	"crypto/sha256"
	"hash"
	"sync"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// staging takes the bytes of the CSV as they will stand on the volume: their digest, their number, and the rules. With
// Params.Fix the repairs stand in front of it, so that everything is said about what will be staged.
type staging struct {
	pass *csvPass
	sum  hash.Hash
	size int64
}

func newStaging(p *csvPass) *staging { return &staging{pass: p, sum: sha256.New()} }

// Write takes the digest of the block, and checks its encoding, on a core of their own while the records are parsed.
func (s *staging) Write(block []byte) (int, error) {
	var alongside sync.WaitGroup
	alongside.Go(func() {
		// Neither fails.
		_, _ = s.sum.Write(block)
		_, _ = s.pass.utf8.Write(block)
	})
	s.size += int64(len(block))
	s.pass.write(block)
	alongside.Wait()
	return len(block), nil
}

// fixOptions say which repairs have one safe meaning for the dataset.
func (c *checker) fixOptions() dataset.FixOptions {
	o := dataset.FixOptions{CSV: c.csvOptions()}
	if c.Task.HasFiles() {
		// The options live as long as the transfer, and must not hold all that the check has found.
		staged, dir, extension := c.staged, c.Task.Dir, c.extension
		o.Filename = filenameColumn
		o.Known = func(name []byte) bool {
			_, ok := findStaged(staged, resolved(dir, name, extension))
			return ok
		}
	}
	return o
}

// repaired notes each repair, and makes the CSV's line of the manifest that of its repaired content.
func (c *checker) repaired(e dataset.Entry, s *staging, repairs dataset.Repairs) {
	if !repairs.Changed() {
		return
	}
	for _, repair := range repairs.List() {
		c.report.add("csv-repaired", Finding{File: e.Path, Message: repair})
	}
	fixed := dataset.NewFixedFile(e, s.size, [sha256.Size]byte(s.sum.Sum(nil)), c.fixOptions())
	c.fixed = &fixed
}
