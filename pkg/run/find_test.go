package run

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

func TestFind(t *testing.T) {
	t.Parallel()
	var objects []runtime.Object
	for hour, key := range []string{"abc", "abcd", "abx", "job", "ingest-job-zz", "only"} {
		condition := "Complete"
		if key == "only" {
			condition = "gone"
		}
		objects = append(objects, submitted(key, "cats", condition, hour)...)
	}
	client := fake.NewClientset(objects...)
	for name, want := range map[string]string{
		"abc":                           "abc", // though abcd begins so
		"abcd":                          "abcd",
		"abx":                           "abx",
		"only":                          "only", // its job is gone
		"on":                            "only",
		"ingest-job-abcd":               "abcd",
		"job/ingest-job-abcd":           "abcd",
		"jobs/ingest-job-abx":           "abx",
		"job.batch/ingest-job-abx":      "abx",
		"job/ingest-job-j":              "job",
		"job":                           "job",
		"ingestionrun/abx":              "abx",
		"ingestionrun.tracebloc.io/abx": "abx",
		"ingest-job-zz":                 "ingest-job-zz", // a key that looks like a Job wins over what begins so
		"ab":                            "3 runs: \"abc\", \"abcd\", \"abx\" ",
		"ingest-job-a":                  "3 runs",
		"job/ab":                        `no run "job/ab"`,
		"job/only":                      "no run",
		"nothing":                       `no run "nothing" in namespace "ml" (kubectl tracebloc runs -n ml`,
		"":                              "no run",
		"job/":                          "no run",
		"ABC":                           "no run",
	} {
		got := ""
		r, err := Find(t.Context(), client, "ml", name)
		var ambiguous *AmbiguousNameError
		var notFound *NotFoundError
		switch {
		case err == nil:
			got = r.Name
		case errors.As(err, &ambiguous):
			got = strings.Replace(err.Error(), "runs in namespace \"ml\"", "runs", 1)
		case errors.As(err, &notFound):
			got = err.Error()
		default:
			t.Fatal(err)
		}
		if err == nil && got != want || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	_, err := Find(t.Context(), client, "elsewhere", "abc")
	if err == nil || !strings.Contains(err.Error(), "which has no runs at all (name the namespace of the release with -n") {
		t.Errorf("error %v", err)
	}
}

// An error names only some of very many candidates.
func TestFindAmongMany(t *testing.T) {
	t.Parallel()
	var runs []*IngestionRun
	for range 25 {
		r := NewIngestionRun("ml")
		r.Name = "a" + NewKey()
		runs = append(runs, r)
	}
	_, err := Match(runs, "ml", "a")
	if err == nil || strings.Count(err.Error(), `"a`) != 11 || !strings.Contains(err.Error(), "and 15 more") {
		t.Errorf("error %v", err)
	}
}
