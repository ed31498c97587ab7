// Package docs types the command lines of the documentation that need a cluster, through the real kubectl, at a release in a real
// cluster. What needs none is run by pkg/cmd's tests; hack/pages says which is which.
package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tracebloc/kubectl-tracebloc/e2e/gen"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/releasetest"
	"github.com/tracebloc/kubectl-tracebloc/hack/pages"
)

const (
	repository = "../.."
	// theRun is the id of the run that the pages speak of; "5a39" is short for it.
	theRun = "5a3907a66777"
	// asUser is the kubectl of the pages. The namespace is that of the test's release, and what watches is interrupted after a while. A
	// table is filled once, so every push gets one of its own, but for the first push of a page that shows what it prints.
	asUser = `#!/bin/sh
real=%[1]s namespace=%[2]s table=doc_%[3]s_$$ shows=%[4]t
case " $* " in
" completion "*|" config "*|*" -A "*) exec "$real" "$@" ;;
*" -w "*|*" --watch "*) timeout -s INT 3 "$real" "$@" -n "$namespace"; [ $? = 124 ]; exit ;;
" tracebloc push "*" --dry-run=client "*) exec "$real" "$@" -n "$namespace" ;;
" tracebloc push "*)
  if $shows && [ ! -e "$HOME/.pushed" ]; then touch "$HOME/.pushed"; exec "$real" "$@" -n "$namespace"; fi
  exec "$real" "$@" -n "$namespace" --table="$table" ;;
*) exec "$real" "$@" -n "$namespace" ;;
esac
`
)

var standins releasetest.Images

// lab is a release, and a kubeconfig whose context is in its namespace.
type lab struct {
	*release.Release
	kubeconfig string
	kubectl    string
	job        string // of theRun
}

func openLab(t *testing.T) *lab {
	t.Helper()
	two := int32(2)
	l := &lab{Release: standins.Install(t, release.Options{NoDecoys: true, BackoffLimit: &two}), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	config, err := clientcmd.LoadFromFile(os.Getenv("KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	config.Contexts[config.CurrentContext].Namespace = l.Options.Namespace
	if err := clientcmd.WriteToFile(*config, l.kubeconfig); err != nil {
		t.Fatal(err)
	}
	if l.kubectl, err = exec.LookPath("kubectl"); err != nil {
		t.Fatal(err)
	}
	if _, err = exec.LookPath("kubectl-tracebloc"); err != nil {
		t.Fatal("the end-to-end tests need the built plugin (make e2e brings it):", err)
	}
	l.makeTheRun(t)
	return l
}

// makeTheRun makes the run that the pages speak of. Its first attempt fails before it reads anything, so that there is a log before
// the last one.
func (l *lab) makeTheRun(t *testing.T) {
	t.Helper()
	if err := l.SetTableFaults(t.Context(), "the_run", fault.Faults{Ingestor: fault.Ingestor{Fail: true, Lives: 1}}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "the_run.csv")
	if err := os.WriteFile(file, []byte("age,label\n41,yes\n29,no\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), l.kubectl, "tracebloc", "push", file, "--task=tabular_classification", "--idempotency-key="+theRun)
	c.Env = append(os.Environ(), "KUBECONFIG="+l.kubeconfig)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", c.Args, err, out)
	}
	jobs, err := l.Client.BatchV1().Jobs(l.Options.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "tracebloc.io/ingestion-run=" + theRun})
	if err != nil || len(jobs.Items) != 1 {
		t.Fatalf("run %s has the Jobs %v: %v", theRun, names(jobs), err)
	}
	l.job = jobs.Items[0].Name
}

func names(jobs *batchv1.JobList) (all []string) {
	if jobs != nil {
		for i := range jobs.Items {
			all = append(all, jobs.Items[i].Name)
		}
	}
	return all
}

// fill puts real names in place of those that a page made up.
func (l *lab) fill(line pages.Line) pages.Line {
	line.Text = strings.ReplaceAll(line.Text, "ingest-job-"+theRun, l.job)
	return line
}

// Every command line of the pages that needs a cluster does what the page shows, typed into a shell in the order of the page, together
// with the lines that need none.
func TestPages(t *testing.T) {
	all, err := pages.Load(repository)
	if err != nil {
		t.Fatal(err)
	}
	l := openLab(t)
	ran := 0
	for _, page := range all {
		lines, needs := l.lines(t, page)
		if !needs {
			continue
		}
		ran += len(lines)
		for _, session := range sessions(page, lines) {
			t.Run(fmt.Sprintf("%s:%d", page.Name, session[0].Number), func(t *testing.T) {
				t.Parallel()
				for _, step := range l.run(t, page, session) {
					if err := step.Check(); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	if ran < 40 {
		t.Errorf("only %d lines were run: the pages are not read as they are meant", ran)
	}
}

// sessions are the lines that are typed into one shell. Those of docs/tasks.md have nothing to do with each other.
func sessions(page pages.Page, lines []pages.Line) [][]pages.Line {
	if page.Name == "docs/tasks.md" {
		return slices.Collect(slices.Chunk(lines, 1))
	}
	return [][]pages.Line{lines}
}

// lines are those of the page that can be run here; needs tells whether one of them needs a cluster.
func (l *lab) lines(t *testing.T, page pages.Page) (lines []pages.Line, needs bool) {
	t.Helper()
	for _, line := range page.Lines() {
		class, err := pages.Classify(line)
		if err != nil {
			t.Error(err)
			continue
		}
		if class != pages.Elsewhere {
			lines = append(lines, l.fill(line))
			needs = needs || class == pages.Cluster
		}
	}
	return lines, needs
}

func (l *lab) run(t *testing.T, page pages.Page, lines []pages.Line) []pages.Step {
	t.Helper()
	prefix := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(page.Name))
	shows := page.Name == "README.md"
	kubectl := fmt.Sprintf(asUser, l.kubectl, l.Options.Namespace, prefix, shows)
	world, err := pages.NewWorld(repository, t.TempDir(), kubectl, lines)
	if err != nil {
		t.Fatal(err)
	}
	if shows {
		morePictures(t, world.Dir)
	}
	steps, err := pages.Run(t.Context(), world.Dir, append(world.Env, "KUBECONFIG="+l.kubeconfig), lines)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range steps {
		if why := allowed(step.Line); why != "" && step.Code != 0 && strings.Contains(step.Got, why) {
			steps[i].Code = 0
		}
		steps[i].Got = strings.ReplaceAll(step.Got, l.Options.Namespace, "tracebloc") // as the release and its namespace are called on the pages
	}
	return steps
}

// allowed is what a line may say instead of doing its work, where that depends on the cluster; "" for all others.
func allowed(line pages.Line) string {
	if strings.HasSuffix(line.Text, " --previous") {
		return "the node has not kept the log" // of an attempt of a Pod that has ended since
	}
	return ""
}

// morePictures makes the dataset as large as the one that the README pushes.
func morePictures(t *testing.T, dir string) {
	t.Helper()
	pets := filepath.Join(dir, "cats-and-dogs")
	if err := os.RemoveAll(pets); err != nil {
		t.Fatal(err)
	}
	if _, err := (gen.Images{Count: 600, Width: 128, Height: 96, Format: ".jpg"}).Write(pets); err != nil {
		t.Fatal(err)
	}
}
