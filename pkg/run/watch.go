package run

import (
	"context"
	"slices"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// Change is what became of a run: it is new or another, or it is gone.
type Change struct {
	Run     *IngestionRun
	Deleted bool
}

// Watch tells of the runs that List would return, as they change. The first call
// of emit has all that are there, oldest first, and may have none. It ends with
// the context's cause, with an error of emit, or when watching is not allowed. A
// broken connection is made again as often as needed, and nothing is told twice.
func Watch(ctx context.Context, client kubernetes.Interface, namespace, selector string, emit func([]Change) error) error {
	q, err := newQuery(client, namespace, selector)
	if err != nil {
		return err
	}
	w := &watcher{keeper: newKeeper(nil), query: q, catalog: catalog{}, shown: map[runID]*IngestionRun{}, touched: map[runID]bool{}}
	versions, err := q.load(ctx, w.catalog)
	if err != nil {
		return err
	}
	if err := emit(w.all()); err != nil {
		return err
	}
	inner, cancel := context.WithCancelCause(ctx)
	defer w.workers.Wait()
	defer cancel(errStopped)
	for i, kind := range q.resources() {
		w.workers.Go(func() { w.keep(inner, w.source(kind, versions[i])) })
	}
	for {
		if err := w.await(inner, time.Time{}); err != nil {
			return err
		}
		if w.fatal != nil {
			return w.fatal
		}
		if changes := w.changes(); len(changes) > 0 {
			if err := emit(changes); err != nil {
				return err
			}
		}
	}
}

// watcher is one call of Watch. Its loop alone touches the fields.
type watcher struct {
	*keeper
	query   *query
	catalog catalog
	shown   map[runID]*IngestionRun // as they were told last
	touched map[runID]bool          // what may have changed since
}

// all takes every run for told.
func (w *watcher) all() []Change {
	runs := w.query.choose(w.catalog.runs())
	changes := make([]Change, 0, len(runs))
	for _, r := range runs {
		w.shown[runID{r.Namespace, r.Name}] = r
		changes = append(changes, Change{Run: r})
	}
	return changes
}

// changes compares what was touched with what was told last.
func (w *watcher) changes() []Change {
	var changes []Change
	for id := range w.touched {
		old := w.shown[id]
		var now *IngestionRun
		if t := w.catalog[id]; t != nil {
			now = t.describe(id)
		}
		switch {
		case now == nil || !w.query.matches(now):
			if old != nil {
				delete(w.shown, id)
				changes = append(changes, Change{Run: old, Deleted: true})
			}
		case old == nil || !apiequality.Semantic.DeepEqual(old, now):
			w.shown[id] = now
			changes = append(changes, Change{Run: now})
		}
	}
	clear(w.touched)
	slices.SortFunc(changes, func(a, b Change) int { return older(a.Run, b.Run) })
	return changes
}

func (w *watcher) touch(object metav1.Object) { w.touched[idOf(object)] = true }

// source keeps up with one kind; the state of version is known.
func (w *watcher) source(kind resource, version string) source {
	known := true
	return source{
		name: kind.name,
		sync: func(ctx context.Context) (string, bool, error) {
			if known {
				known = false
				return version, false, nil
			}
			objects, version, err := w.query.pages(ctx, kind)
			if err != nil {
				return "", false, err
			}
			w.do(ctx, func() { w.replace(kind, objects) })
			return version, false, nil
		},
		watch: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = w.query.key
			return kind.watch(ctx, options)
		},
		apply: func(event watch.Event) {
			object, ok := event.Object.(metav1.Object)
			if !ok || object.GetLabels()[Label] == "" {
				return
			}
			w.touch(object)
			if event.Type == watch.Deleted {
				w.catalog.drop(object)
			} else {
				w.catalog.put(object)
			}
		},
	}
}

// replace takes a list for all that there is of its kind.
func (w *watcher) replace(kind resource, objects []metav1.Object) {
	for _, t := range w.catalog {
		for _, object := range t.of(kind) {
			w.touch(object)
			w.catalog.drop(object)
		}
	}
	for _, object := range objects {
		w.touch(object)
		w.catalog.put(object)
	}
}

// of returns the objects of one kind.
func (t *traces) of(kind resource) []metav1.Object {
	objects := make([]metav1.Object, 0, len(t.jobs)+len(t.configs))
	switch kind.name {
	case resourceJobs:
		for _, job := range t.jobs {
			objects = append(objects, job)
		}
	case resourceConfigs:
		for _, config := range t.configs {
			objects = append(objects, config)
		}
	}
	return objects
}
