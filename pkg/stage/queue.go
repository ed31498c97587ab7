package stage

import "sync"

// queue has the jobs of a transfer that nobody works on. A job that was taken comes back, or is done.
type queue struct {
	mu      sync.Mutex
	jobs    []*job
	open    int // jobs that are not done, those taken among them
	changed chan struct{}
}

func newQueue(jobs []*job) *queue {
	return &queue{jobs: jobs, open: len(jobs), changed: make(chan struct{})}
}

// take returns the next job. Without one, finished tells whether all are done; when they are not, changed is closed as soon as it is
// worth to ask again.
func (q *queue) take() (next *job, finished bool, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) > 0 {
		next, q.jobs = q.jobs[0], q.jobs[1:]
	}
	return next, q.open == 0, q.changed
}

// putBack returns jobs that were taken: they come next.
func (q *queue) putBack(jobs ...*job) {
	if len(jobs) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(jobs[:len(jobs):len(jobs)], q.jobs...)
	q.wake()
}

// done ends a job that was taken, and adds those that follow from it.
func (q *queue) done(followers ...*job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open += len(followers) - 1
	q.jobs = append(q.jobs, followers...)
	if q.open == 0 || len(followers) > 0 {
		q.wake()
	}
}

// state is take without taking: whether there is a job.
func (q *queue) state() (waiting, finished bool, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.jobs) > 0, q.open == 0, q.changed
}

// size is the number of jobs that are not done.
func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.open
}

// finished tells whether all jobs are done.
func (q *queue) finished() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.open == 0
}

// wake is for whoever holds mu.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}
