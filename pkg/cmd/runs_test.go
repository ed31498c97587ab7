package cmd

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// someRuns is a namespace with a run of each kind, and one in another namespace.
func someRuns(t *testing.T) *runsServer {
	t.Helper()
	s := newRunsServer(t)
	s.add(
		aRun{key: "0ld", table: "kept", task: "tabular_regression", age: 240 * time.Hour, noJob: true},
		aRun{key: "5a3901", table: "pets", task: "image_classification", age: 120 * time.Hour, end: batchv1.JobComplete, log: "success"},
		aRun{key: "5a3902", table: "churn", task: "tabular_classification", age: 30 * time.Hour, end: batchv1.JobComplete, log: "skipped",
			labels: map[string]string{"team": "blue"}},
		aRun{key: "77aa", table: "scans", task: "object_detection", age: 3 * time.Hour, end: batchv1.JobFailed, exit: 1, log: "validation"},
		aRun{key: "77ab", table: "notes", task: "text_classification", age: 50 * time.Minute},
		aRun{key: "77ac", table: "tags", task: "token_classification", age: 40 * time.Minute, pending: true},
		aRun{key: "helm-1700000000", table: "iris", task: "tabular_classification", age: 30 * time.Minute, end: batchv1.JobComplete, noPod: true},
		aRun{key: "far", namespace: "prod", table: "far", task: "seq2seq", age: 20 * time.Minute, noConfig: true},
	)
	return s
}

func TestRuns(t *testing.T) {
	s := someRuns(t)
	for name, args := range map[string][]string{
		"table.txt":      nil,
		"wide.txt":       {"-o", "wide"},
		"all.txt":        {"-A"},
		"all-wide.txt":   {"--all-namespaces", "-o", "wide", "--no-headers"},
		"none-read.txt":  {"--summaries=0"},
		"one-read.txt":   {"--summaries=1", "-l", "tracebloc.io/ingestion-run in (5a3901,5a3902)"},
		"selector.txt":   {"-l", "team=blue"},
		"selector.json":  {"-l", "team=blue", "-o", "json"},
		"selector.yaml":  {"-l", "team=blue", "-o", "yaml"},
		"names.txt":      {"-o", "name"},
		"jsonpath.txt":   {"-o", `jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.phase}{"\t"}{.status.records.inserted}{"\n"}{end}`},
		"template.txt":   {"--template", `{{range .items}}{{.spec.table}} {{end}}`},
		"no-runs.json":   {"-n", "empty", "-o", "json"},
		"namespaced.txt": {"-n", "prod", "--no-headers"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := s.tb(append([]string{"runs"}, args...)...)
			if err != nil || stderr != "" {
				t.Fatalf("error %v, stderr %q", err, stderr)
			}
			golden(t, "runs/"+name, timeless(stdout))
		})
	}
}

// timeless replaces the times that depend on when the test runs: all but those
// around jobStarted.
func timeless(text string) string {
	return regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`).ReplaceAllStringFunc(text, func(stamp string) string {
		at, err := time.Parse(time.RFC3339, stamp)
		if from := at.Sub(jobStarted().Time); err == nil && from.Abs() <= time.Minute {
			return stamp
		}
		return "(when the test ran)"
	})
}

func TestRunsWithoutAny(t *testing.T) {
	s := newRunsServer(t)
	for where, args := range map[string][]string{" in ml namespace.": nil, " in far namespace.": {"-n", "far"}, "": {"-A"}} {
		stdout, stderr, err := s.tb(append([]string{"runs"}, args...)...)
		if want := "No resources found" + where + "\n"; err != nil || stdout != "" || stderr != want {
			t.Errorf("%v: error %v, stdout %q, stderr %q; want %q", args, err, stdout, stderr, want)
		}
	}
	if stdout, stderr, err := s.tb("runs", "-o", "name"); err != nil || stdout+stderr != "" {
		t.Errorf("-o name: error %v, stdout %q, stderr %q", err, stdout, stderr)
	}
}

// A log is a request to a node: none is read unless asked for, and a listing does
// not ask for each run.
func TestRunsAsksLittle(t *testing.T) {
	s := someRuns(t)
	if _, _, err := s.tb("runs", "--summaries=0"); err != nil {
		t.Fatal(err)
	}
	if got := s.requests("GET"); len(got) != 2 {
		t.Errorf("a listing without summaries needs two requests, made %q", got)
	}
}

func TestRunsFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		args   []string
		deny   string
		code   int
		want   string
		status bool
	}{
		"argument":  {args: []string{"5a39"}, code: exitSpec, want: "kubectl tracebloc status RUN"},
		"format":    {args: []string{"-o", "wdie"}, code: exitSpec, want: "yaml,wide"},
		"jsonpath":  {args: []string{"-o", "jsonpath={.items"}, code: exitSpec, want: "unclosed action"},
		"selector":  {args: []string{"-l", "a b"}, code: exitSpec, want: `--selector="a b"`},
		"empty":     {args: []string{"-l", ""}, code: exitSpec, want: "has no value"},
		"summaries": {args: []string{"--summaries=-1"}, code: exitSpec, want: "--summaries=-1"},
		"context":   {args: []string{"--context", "nowhere"}, code: exitRelease, want: "nowhere"},
		"forbidden": {deny: "list jobs", code: exitAuth, want: "list jobs"},
		"watch":     {args: []string{"--watch"}, deny: "list configmaps", code: exitAuth, want: "list configmaps"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRunsServer(t)
			s.deny = []string{tt.deny}
			stdout, _, err := s.tb(append([]string{"runs"}, tt.args...)...)
			if ExitCode(err) != tt.code || !strings.Contains(errorText(err), tt.want) || stdout != "" {
				t.Errorf("exit code %d, want %d; error %v; stdout %q", ExitCode(err), tt.code, err, stdout)
			}
		})
	}
}

func TestRunsUnreachable(t *testing.T) {
	stdout, _, err := runRootCommand(t, "runs", "--kubeconfig", "testdata/info/kubeconfig")
	if ExitCode(err) != exitRelease || !strings.Contains(errorText(err), "kubectl cluster-info") || stdout != "" {
		t.Errorf("exit code %d, error %v, stdout %q", ExitCode(err), err, stdout)
	}
}

// screen is what a command has printed so far.
type screen struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newScreen() *screen { return &screen{changed: make(chan struct{}, 1)} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// shows waits until the text is on the screen.
func (s *screen) shows(t *testing.T, text string) {
	t.Helper()
	for !strings.Contains(s.String(), text) {
		select {
		case <-s.changed:
		case <-t.Context().Done():
			t.Fatalf("never saw %q in:\n%s", text, s)
		}
	}
}

// start runs a command line until the context ends or it does.
func (s *runsServer) start(ctx context.Context, in io.Reader, args ...string) (stdout, stderr *screen, end func() error) {
	stdout, stderr = newScreen(), newScreen()
	root := NewRootCommand("v1.2.3", genericiooptions.IOStreams{In: in, Out: stdout, ErrOut: stderr})
	root.SetArgs(append(args, "--kubeconfig", s.kubeconfig))
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	return stdout, stderr, func() error { return <-ended }
}

// watched waits until the command watches all of the resources, in any order.
func (s *runsServer) watched(t *testing.T, resources ...string) {
	t.Helper()
	for missing := slices.Clone(resources); len(missing) > 0; {
		select {
		case got := <-s.watches:
			missing = slices.DeleteFunc(missing, func(resource string) bool { return resource == got })
		case <-t.Context().Done():
			t.Fatalf("nobody watches %q", missing)
		}
	}
}

func TestRunsWatch(t *testing.T) {
	for name, tt := range map[string]struct {
		args   []string
		before string
		after  string
	}{
		"watch.txt": {before: "77ab", after: "SucceededWithLosses"},
		"watch.name": {args: []string{"-o", "name"}, before: "ingestionrun.tracebloc.io/77ab\n",
			after: "ingestionrun.tracebloc.io/77ab\ningestionrun.tracebloc.io/77ab\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRunsServer(t)
			s.add(aRun{key: "77ab", table: "notes", task: "text_classification", age: 50 * time.Minute})
			ctx, interrupt := context.WithCancel(t.Context())
			stdout, stderr, end := s.start(ctx, nil, append([]string{"runs", "-w"}, tt.args...)...)
			stdout.shows(t, tt.before)
			s.watched(t, "jobs")
			s.finish("77ab", batchv1.JobComplete, 0, "skipped")
			stdout.shows(t, tt.after)
			interrupt()
			err := end()
			var said bytes.Buffer
			PrintError(&said, err)
			if ExitCode(err) != exitInterrupted || said.Len() > 0 || stderr.String() != "" {
				t.Errorf("exit code %d, said %q, stderr %q", ExitCode(err), &said, stderr)
			}
			golden(t, "runs/"+name, stdout.String())
		})
	}
}

// A run whose Job and ConfigMap are both gone is told of once more.
func TestRunsWatchDeleted(t *testing.T) {
	s := newRunsServer(t)
	s.add(aRun{key: "77ab", table: "notes", task: "text_classification", age: 50 * time.Minute, noConfig: true})
	ctx, interrupt := context.WithCancel(t.Context())
	stdout, _, end := s.start(ctx, nil, "runs", "-w", "--no-headers")
	s.watched(t, "jobs")
	gvr, _, _ := serverKind("jobs")
	if err := s.tracker.Delete(gvr, "ml", "ingest-job-77ab"); err != nil {
		t.Fatal(err)
	}
	stdout.shows(t, "Deleted")
	interrupt()
	_ = end()
}

func TestCellIsOneSafeLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "-", " \n": "-", "a\tb\nc": "a b c", "\x1b[31mred": `\x1b[31mred`, "pets": "pets"} {
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q, want %q", in, got, want)
		}
	}
}

// Whatever a name holds, a table stays a table.
func FuzzCell(f *testing.F) {
	f.Add("pets\t\x1b[2J\n")
	f.Fuzz(func(t *testing.T, text string) {
		got := cell(text)
		if got == "" || strings.ContainsAny(got, "\t\n\r\f\v\x1b") {
			t.Errorf("cell(%q) = %q", text, got)
		}
	})
}
