package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/client-go/kubernetes"
)

// Find returns the run that name means: its key, its Job as NAME or job/NAME, or
// the beginning of either that only one run has. What is written out wins over
// what only begins so. The errors are *NotFoundError and *AmbiguousNameError,
// and those of List.
func Find(ctx context.Context, client kubernetes.Interface, namespace, name string) (*IngestionRun, error) {
	runs, err := List(ctx, client, namespace, "")
	if err != nil {
		return nil, err
	}
	return Match(runs, namespace, name)
}

// Match is Find on the runs that were listed of the namespace.
func Match(runs []*IngestionRun, namespace, name string) (*IngestionRun, error) {
	wanted, isJob := cutJob(name)
	names := func(r *IngestionRun) []string {
		if isJob {
			return []string{r.Status.Job}
		}
		return []string{r.Name, r.Status.Job}
	}
	for _, same := range []func(have string) bool{
		func(have string) bool { return have == wanted },
		func(have string) bool { return strings.HasPrefix(have, wanted) },
	} {
		var found []*IngestionRun
		for _, r := range runs {
			if wanted != "" && slices.ContainsFunc(names(r), same) {
				found = append(found, r)
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		e := &AmbiguousNameError{Namespace: namespace, Name: name}
		for _, r := range found {
			e.Candidates = append(e.Candidates, r.Name)
		}
		return nil, e
	}
	return nil, &NotFoundError{Namespace: namespace, Name: name, Runs: len(runs)}
}

// cutJob takes off what kubectl puts before the name of a Job.
func cutJob(name string) (rest string, isJob bool) {
	for _, prefix := range []string{"job/", "jobs/", "job.batch/", "jobs.batch/"} {
		if rest, isJob = strings.CutPrefix(name, prefix); isJob {
			return rest, true
		}
	}
	for _, prefix := range []string{"ingestionrun/", "ingestionruns/", "ingestionrun.tracebloc.io/"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest, false // as -o name prints it
		}
	}
	return name, false
}

// NotFoundError says that the namespace knows no such run.
type NotFoundError struct {
	Namespace, Name string
	// Runs is how many runs the namespace has.
	Runs int
}

func (e *NotFoundError) Error() string {
	if e.Runs == 0 {
		return fmt.Sprintf("no run %q in namespace %q, which has no runs at all (name the namespace of the release with -n; kubectl tracebloc runs -A)", e.Name, e.Namespace)
	}
	return fmt.Sprintf("no run %q in namespace %q (kubectl tracebloc runs -n %s lists those that the cluster still knows)", e.Name, e.Namespace, e.Namespace)
}

// AmbiguousNameError says that several runs begin so.
type AmbiguousNameError struct {
	Namespace, Name string
	// Candidates are their keys, oldest first.
	Candidates []string
}

// maxCandidates bounds how many names an error lists.
const maxCandidates = 10

func (e *AmbiguousNameError) Error() string {
	shown := make([]string, 0, maxCandidates)
	for _, name := range e.Candidates[:min(len(e.Candidates), maxCandidates)] {
		shown = append(shown, fmt.Sprintf("%q", name))
	}
	more := ""
	if left := len(e.Candidates) - len(shown); left > 0 {
		more = fmt.Sprintf(" and %d more", left)
	}
	return fmt.Sprintf("%q may be %d runs in namespace %q: %s%s (write out more of the name)", e.Name, len(e.Candidates), e.Namespace, strings.Join(shown, ", "), more)
}
