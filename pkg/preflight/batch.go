package preflight

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// batchSize is about how many bytes of records are gathered before the columns look at them: enough that handing them out
// costs nothing, and few enough to stay in the cache.
const batchSize = 256 << 10

// batches let the columns of a table, which do not depend on each other, be summed up on all cores while the next records
// are parsed. Each column sees its cells in the order of the rows.
type batches struct {
	// filling takes records; the columns are at work on running.
	filling, running *dataset.Batch
	busy             sync.WaitGroup
}

func (t *table) startBatches() {
	t.batches = &batches{filling: dataset.NewBatch(batchSize), running: dataset.NewBatch(batchSize)}
}

// gather takes a record for the columns. The batch ends where a chunk of the ingestor's validator does.
func (t *table) gather(r *dataset.Record) {
	t.batches.filling.Add(r)
	if t.batches.filling.Bytes() >= batchSize || t.rows%chunkRows == 0 {
		t.handOut()
	}
}

// settle waits until the columns have seen all records so far.
func (t *table) settle() {
	if t.batches != nil {
		t.handOut()
		t.batches.busy.Wait()
	}
}

// handOut gives the gathered records to the columns.
func (t *table) handOut() {
	b := t.batches
	b.busy.Wait()
	b.filling, b.running = b.running, b.filling
	if b.filling.Reset(); b.filling.Capacity() > 4*batchSize {
		b.filling = dataset.NewBatch(batchSize) // a huge record has been in it
	}
	work := t.columnWork(b.running, t.rows-int64(b.running.Len()))
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(work)) {
		b.busy.Go(func() {
			for i := next.Add(1); i <= int64(len(work)); i = next.Add(1) {
				work[i-1]()
			}
		})
	}
}

// columnWork is what is to be done about the records behind a row; the pieces may run at the same time.
func (t *table) columnWork(b *dataset.Batch, row int64) (work []func()) {
	if b.Len() == 0 {
		return nil
	}
	each := func(i int, observe func(at place, cell []byte)) {
		for n := range b.Len() {
			observe(place{row: row + int64(n) + 1, line: b.Line(n)}, b.Field(n, i))
		}
	}
	if l := t.labels; l != nil {
		work = append(work, func() { each(l.index, l.observe) })
	}
	for i, c := range t.columns {
		if c == nil {
			continue
		}
		work = append(work, func() {
			each(i, func(at place, cell []byte) { t.cell(c, at, cell) })
			if (row+int64(b.Len()))%chunkRows == 0 {
				c.endChunk()
			}
		})
	}
	return work
}
