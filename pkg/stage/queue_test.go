package stage

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

func TestQueue(t *testing.T) {
	t.Parallel()
	a, b, c := &job{id: "a"}, &job{id: "b"}, &job{id: "c"}
	q := newQueue([]*job{a, b})
	wantNext := func(want *job, finished bool) <-chan struct{} {
		t.Helper()
		got, over, changed := q.take()
		if got != want || over != finished {
			t.Errorf("got %+v, finished %v", got, over)
		}
		return changed
	}
	wantNext(a, false)
	q.putBack()
	wantNext(b, false)
	changed := wantNext(nil, false)
	q.putBack(a)
	<-changed
	wantNext(a, false)
	changed = wantNext(nil, false)
	q.done(c)
	<-changed
	if q.size() != 2 || q.finished() {
		t.Errorf("size %d", q.size())
	}
	wantNext(c, false)
	changed = wantNext(nil, false)
	q.done()
	q.done()
	<-changed
	wantNext(nil, true)
	if !q.finished() || q.size() != 0 {
		t.Error("it is not finished")
	}
	if _, finished, _ := newQueue(nil).take(); !finished {
		t.Error("an empty queue is not finished")
	}
}

// TestQueueOfMany: each job is done once, whoever takes it, however often it comes back.
func TestQueueOfMany(t *testing.T) {
	t.Parallel()
	const jobs = 500
	var all []*job
	for range jobs {
		all = append(all, &job{})
	}
	q := newQueue(all)
	var done, added atomic.Int64
	var workers sync.WaitGroup
	for n := range 8 {
		workers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 1))
			for {
				next, finished, changed := q.take()
				switch {
				case finished:
					return
				case next == nil:
					<-changed
				case r.IntN(3) == 0:
					q.putBack(next)
				case r.IntN(10) == 0:
					done.Add(1)
					added.Add(2)
					q.done(&job{number: 1}, &job{number: 1})
				default:
					done.Add(1)
					q.done()
				}
			}
		})
	}
	workers.Wait()
	if done.Load() != jobs+added.Load() {
		t.Errorf("%d jobs were done, want %d", done.Load(), jobs+added.Load())
	}
}
