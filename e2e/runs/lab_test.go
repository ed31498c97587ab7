package runs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

const (
	// stageSelector finds the stage Pods, whatever became of the push that made them.
	stageSelector = "app.kubernetes.io/managed-by=kubectl-tracebloc,app.kubernetes.io/component=stage"
	labelRun      = "tracebloc.io/ingestion-run"
	stagingRoot   = "/data/shared/.tracebloc-staging/"
)

// people is a dataset of four rows.
const people = `age,income,city,label
31,1200.5,Köln,stays
54,77.25,"New York, NY",leaves
17,300,O'Hara,stays
29,77777.25,Paris,leaves
`

// lab is a release whose runs the tests break side by side: each has a table of its own.
type lab struct {
	*release.Release
	volume *release.Volume
}

// openLab installs a release in a namespace of its own, for a test and its subtests.
func openLab(t *testing.T, name string) *lab {
	t.Helper()
	// A Job that may fail once is failed by Kubernetes as soon as its container is started the second time.
	backoffLimit := int32(2)
	r, err := release.Install(t.Context(), cluster.config, release.Options{
		Namespace: "e2e-" + name + "-" + rand.String(5), Restricted: true, NoDecoys: true, BackoffLimit: &backoffLimit, Images: cluster.images}, os.Stderr)
	if r != nil {
		t.Cleanup(func() {
			if os.Getenv("E2E_KEEP") != "" {
				t.Logf("kept namespace %q", r.Options.Namespace)
			} else if err := r.Uninstall(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{Release: r}
	if l.volume, err = r.OpenVolume(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// trial is one table, and what is pushed into it.
type trial struct {
	*lab
	table, file string
}

// trial writes the dataset of a table, and sets the faults of its submits.
func (l *lab) trial(t *testing.T, table string, f fault.Faults) *trial {
	t.Helper()
	r := &trial{lab: l, table: table, file: filepath.Join(t.TempDir(), table+".csv")}
	if err := os.WriteFile(r.file, []byte(people), 0o644); err != nil {
		t.Fatal(err)
	}
	r.set(t, f)
	return r
}

func (r *trial) set(t *testing.T, f fault.Faults) {
	t.Helper()
	if err := r.SetTableFaults(t.Context(), r.table, f); err != nil {
		t.Fatal(err)
	}
}

// start begins a push of the dataset.
func (r *trial) start(t *testing.T, more ...string) *process {
	t.Helper()
	args := []string{"push", r.file, "--task=tabular_classification", "-n", r.Options.Namespace, "--no-progress", "-o", "json"}
	return start(t, append(args, more...)...)
}

func (r *trial) push(t *testing.T, more ...string) result {
	t.Helper()
	return r.start(t, more...).wait()
}

// submitted waits until the cluster has a run into the table, and returns its key.
func (r *trial) submitted(t *testing.T) (key string) {
	t.Helper()
	eventually(t, "a Job for table "+r.table, func() bool {
		for _, key = range r.runs(t) {
			if len(r.jobs(t, key)) > 0 {
				return true
			}
		}
		return false
	})
	return key
}

// staged waits until a push has stored everything on the volume and given its stage Pod back: it submits now.
func (r *trial) staged(t *testing.T, p *process) {
	t.Helper()
	p.says(t, "Verified:")
	eventually(t, "the stage Pod of table "+r.table+" is gone", func() bool { return len(r.stagePods(t)) == 0 })
}

// runs are the keys of all runs into the table, by their ConfigMaps.
func (r *trial) runs(t *testing.T) []string {
	t.Helper()
	configs, err := r.Client.CoreV1().ConfigMaps(r.Options.Namespace).List(context.WithoutCancel(t.Context()), metav1.ListOptions{LabelSelector: labelRun})
	if err != nil {
		t.Fatal(err)
	}
	of := regexp.MustCompile(`(?m)^table: "?` + r.table + `"?$`)
	var keys []string
	for _, config := range configs.Items {
		if of.MatchString(config.Data["ingest.yaml"]) {
			keys = append(keys, config.Labels[labelRun])
		}
	}
	return keys
}

func (l *lab) jobs(t *testing.T, key string) []batchv1.Job {
	t.Helper()
	jobs, err := l.Client.BatchV1().Jobs(l.Options.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: labelRun + "=" + key})
	if err != nil {
		t.Fatal(err)
	}
	return jobs.Items
}

// pods are those of a run, terminating ones among them.
func (l *lab) pods(t *testing.T, key string) []corev1.Pod {
	t.Helper()
	pods, err := l.Client.CoreV1().Pods(l.Options.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: labelRun + "=" + key})
	if err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

// deletePod ends the one Pod of a run.
func (l *lab) deletePod(t *testing.T, key string, grace int64) {
	t.Helper()
	pods := l.pods(t, key)
	if len(pods) != 1 {
		t.Fatalf("run %s has %d Pods", key, len(pods))
	}
	if err := l.Client.CoreV1().Pods(l.Options.Namespace).Delete(t.Context(), pods[0].Name, metav1.DeleteOptions{GracePeriodSeconds: &grace}); err != nil {
		t.Fatal(err)
	}
}

// deleteJob is how a run is canceled by hand.
func (l *lab) deleteJob(t *testing.T, name string) {
	t.Helper()
	background := metav1.DeletePropagationBackground
	err := l.Client.BatchV1().Jobs(l.Options.Namespace).Delete(t.Context(), name, metav1.DeleteOptions{PropagationPolicy: &background})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
}

// stagePods are those of the table that were not deleted.
func (r *trial) stagePods(t *testing.T) (names []string) {
	t.Helper()
	pods, err := r.Client.CoreV1().Pods(r.Options.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: stageSelector})
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if pod.Annotations["tracebloc.io/stage-table"] == r.table {
			names = append(names, pod.Name)
		}
	}
	return names
}

// remains is what a run that is over leaves in the cluster: rows of the table, Jobs of its key, and the staged copy, which only another
// try needs.
type remains struct {
	rows, jobs int
	staged     bool
}

// leaves checks what is left, once everything that was deleted is gone: never a second run, no stage Pod, no row twice.
func (r *trial) leaves(t *testing.T, o ingestionRun, want remains) {
	t.Helper()
	eventually(t, "no stage Pod of table "+r.table, func() bool { return len(r.stagePods(t)) == 0 })
	if runs := r.runs(t); len(runs) != 1 || runs[0] != o.Metadata.Name {
		t.Errorf("the runs into table %s are %q, want only %q", r.table, runs, o.Metadata.Name)
	}
	jobs := r.jobs(t, o.Metadata.Name)
	if len(jobs) != want.jobs {
		t.Errorf("run %s has %d Jobs, want %d", o.Metadata.Name, len(jobs), want.jobs)
	}
	for _, job := range jobs {
		if job.Name != o.Status.Job {
			t.Errorf("the Job is %q, and -o json says %q", job.Name, o.Status.Job)
		}
	}
	if rows := r.rows(t); rows != want.rows {
		t.Errorf("table %s has %d rows, want %d", r.table, rows, want.rows)
	}
	files, err := r.volume.List(t.Context(), stagingRoot+r.table)
	if err != nil {
		t.Fatal(err)
	}
	if staged := len(files) > 0; staged != want.staged || want.staged && o.Status.Staging.Removed {
		t.Errorf("the staging directory has %q, and -o json says removed: %v; want a staged copy: %v", files, o.Status.Staging.Removed, want.staged)
	}
	for _, name := range files {
		if strings.Contains(name, "lock") {
			t.Errorf("a lock is left behind: %s", name)
		}
	}
}

// rows counts those of the table, which a run that failed early has not made.
func (r *trial) rows(t *testing.T) int {
	t.Helper()
	there, err := r.HasTable(t.Context(), r.table)
	if err != nil {
		t.Fatal(err)
	}
	if !there {
		return 0
	}
	content, err := r.Rows(t.Context(), r.table)
	if err != nil {
		t.Fatal(err)
	}
	return len(content.Rows)
}

// ended checks phase and counts of a run that is over; counts that are not given must not be told.
func (o ingestionRun) ended(t *testing.T, phase string, counts string) {
	t.Helper()
	var got []string
	for _, name := range []string{"total", "inserted", "sent", "skipped"} {
		if n, ok := o.Status.Records[name]; ok {
			got = append(got, fmt.Sprintf("%s %d", name, n))
		}
	}
	if told := strings.Join(got, ", "); o.Status.Phase != phase || told != counts {
		t.Errorf("the run ended %s (%s), want %s (%s): %s", o.Status.Phase, told, phase, counts, o.Status.Message)
	}
}

// all are the counts of a run that lost nothing.
const all = "total 4, inserted 4, sent 4, skipped 0"

// seconds is a fault's duration.
func seconds(n int) fault.Duration { return fault.Duration(time.Duration(n) * time.Second) }
