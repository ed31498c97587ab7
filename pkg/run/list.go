package run

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/pager"
)

// List returns the runs of a namespace, or of all with "", oldest first, from
// their Jobs and ConfigMaps (contract, cluster §2.4); whoever submitted them. No
// log is read: a Job that ended well is PhaseComplete. Of several Jobs with one
// key the newest counts. selector is held against the labels of the Job and the
// ConfigMap together; "" takes every run.
func List(ctx context.Context, client kubernetes.Interface, namespace, selector string) ([]*IngestionRun, error) {
	q, err := newQuery(client, namespace, selector)
	if err != nil {
		return nil, err
	}
	found := catalog{}
	if _, err := q.load(ctx, found); err != nil {
		return nil, err
	}
	return q.choose(found.runs()), nil
}

// query is which runs are asked for.
type query struct {
	client    kubernetes.Interface
	namespace string
	// key goes to the server: both kinds of objects have that label.
	key string
	// rest is held against the labels of the run.
	rest labels.Selector
}

func newQuery(client kubernetes.Interface, namespace, selector string) (*query, error) {
	all, err := labels.Parse(selector)
	if err != nil {
		return nil, fmt.Errorf("selector %q: %w", selector, err)
	}
	requirements, selectable := all.Requirements()
	key, rest := labels.NewSelector(), labels.NewSelector()
	for _, requirement := range requirements {
		if requirement.Key() == Label {
			key = key.Add(requirement)
		} else {
			rest = rest.Add(requirement)
		}
	}
	if !selectable {
		rest = labels.Nothing()
	}
	has, err := labels.NewRequirement(Label, "exists", nil)
	if err != nil {
		return nil, fmt.Errorf("label %q: %w", Label, err)
	}
	return &query{client: client, namespace: namespace, key: key.Add(*has).String(), rest: rest}, nil
}

func (q *query) matches(r *IngestionRun) bool { return q.rest.Matches(labels.Set(r.Labels)) }

// choose returns the runs that were asked for.
func (q *query) choose(runs []*IngestionRun) []*IngestionRun {
	return slices.DeleteFunc(runs, func(r *IngestionRun) bool { return !q.matches(r) })
}

// The resources of the two kinds of objects that tell of a run.
const (
	resourceJobs    = "jobs"
	resourceConfigs = "configmaps"
)

// resource is one of them.
type resource struct {
	name, kind string
	list       func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error)
	watch      func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
}

func (q *query) resources() []resource {
	jobs, configs := q.client.BatchV1().Jobs(q.namespace), q.client.CoreV1().ConfigMaps(q.namespace)
	return []resource{
		{resourceJobs, "Jobs", func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return jobs.List(ctx, o) }, jobs.Watch},
		{resourceConfigs, "ConfigMaps", func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return configs.List(ctx, o) }, configs.Watch},
	}
}

// load lists both kinds at once into the catalog and returns the versions of the
// lists, in the order of resources.
func (q *query) load(ctx context.Context, into catalog) ([]string, error) {
	kinds := q.resources()
	found, versions, failed := make([][]metav1.Object, len(kinds)), make([]string, len(kinds)), make([]error, len(kinds))
	var all sync.WaitGroup
	for i, kind := range kinds {
		all.Go(func() { found[i], versions[i], failed[i] = q.pages(ctx, kind) })
	}
	all.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err // a second one mostly says the same
		}
	}
	for _, objects := range found {
		for _, object := range objects {
			into.put(object)
		}
	}
	return versions, nil
}

// pages lists one kind, page by page.
func (q *query) pages(ctx context.Context, kind resource) ([]metav1.Object, string, error) {
	list, _, err := pager.New(kind.list).List(ctx, metav1.ListOptions{LabelSelector: q.key})
	if err != nil {
		return nil, "", explain(fmt.Sprintf("list the %s of runs %s", kind.kind, inNamespace(q.namespace)), q.namespace, err)
	}
	var objects []metav1.Object
	err = meta.EachListItem(list, func(item runtime.Object) error {
		object, err := meta.Accessor(item)
		if err != nil {
			return fmt.Errorf("unexpected %T in a list of %s", item, kind.kind)
		}
		objects = append(objects, object)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	all, err := meta.ListAccessor(list)
	if err != nil {
		return nil, "", fmt.Errorf("list the %s of runs: %w", kind.kind, err)
	}
	return objects, all.GetResourceVersion(), nil
}
