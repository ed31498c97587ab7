package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tracebloc/kubectl-tracebloc/e2e/gen"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/releasetest"
)

// standins holds the images for every test of this package that installs a release.
var standins releasetest.Images

func imageSpec(table, dir string, w, h int) string {
	return fmt.Sprintf(`apiVersion: tracebloc.io/v1
kind: IngestConfig
category: image_classification
table: %s
intent: train
csv: %s/labels.csv
images: %s/images
label: label
spec:
  file_options:
    target_size: [%d, %d]
    extension: .png
`, table, dir, dir, w, h)
}

func tabularSpec(table, file string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: tabular_classification\ntable: %s\nintent: test\ncsv: %s\nlabel: label\nschema:\n", table, file)
	for _, c := range (gen.Tabular{}).Schema() {
		fmt.Fprintf(&b, "  %s: %s\n", c[0], c[1])
	}
	return b.String()
}

func submit(t *testing.T, r *release.Release, s release.Submission) release.Answer {
	t.Helper()
	token, err := r.Token(t.Context(), "ingestor")
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Submit(t.Context(), token, s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func finish(t *testing.T, r *release.Release, job string) release.Outcome {
	t.Helper()
	out, err := r.WaitJob(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestStandinsIngestImages(t *testing.T) {
	t.Parallel()
	r := standins.Install(t, release.Options{Restricted: true, Authz: []release.AuthzEntry{}})
	if a := submit(t, r, release.Submission{IngestConfig: imageSpec("pets", "/data/shared/x", 8, 6), IdempotencyKey: "denied"}); a.Status != http.StatusForbidden {
		t.Errorf("with an empty policy: %d %s", a.Status, a.Body)
	}
	// A changed policy takes effect with a new Pod, which the second install makes.
	entry := release.AuthzEntry{ServiceAccount: "ingestor", Namespace: r.Options.Namespace, TablePrefixes: []string{"pets"}}
	r = standins.Install(t, release.Options{Namespace: r.Options.Namespace, Restricted: true, Authz: []release.AuthzEntry{entry}})

	local := filepath.Join(t.TempDir(), "data")
	names, err := gen.Images{Count: 13, Width: 8, Height: 6, Format: ".png", Unusual: true}.Write(local)
	if err != nil {
		t.Fatal(err)
	}
	const dir = "/data/shared/.tracebloc-staging/pets/1"
	volume := releasetest.Volume(t, r)
	if err := volume.PutDir(t.Context(), local, dir); err != nil {
		t.Fatal(err)
	}
	config := imageSpec("pets", dir, 8, 6)
	job := submitOnce(t, r, config)
	out := finish(t, r, job)
	if !out.Succeeded || out.ExitCode != 0 || !strings.Contains(out.Log, "🎉 Ingestion completed successfully!") {
		t.Fatalf("the Job: %+v", out)
	}
	comparePets(t, r, volume, local, names)

	again := submit(t, r, release.Submission{IngestConfig: config, IdempotencyKey: "run-6"})
	out = finish(t, r, again.JobName)
	if out.Succeeded || out.Reason != "BackoffLimitExceeded" || !strings.Contains(out.Log, "Ingestion failed: ") || !strings.Contains(out.Log, "Destination directory '/data/shared/pets' already exists") || strings.Contains(out.Log, "SUMMARY") {
		t.Errorf("a second run into the same table: %+v", out)
	}
}

// submitOnce submits config, then again in every way that must not make a second Job, and returns the Job's name.
func submitOnce(t *testing.T, r *release.Release, config string) string {
	t.Helper()
	first := submit(t, r, release.Submission{IngestConfig: config, IdempotencyKey: "run-1"})
	if first.Status != http.StatusCreated || first.Replay || !strings.HasPrefix(first.JobName, "ingest-job-") || first.Namespace != r.Options.Namespace {
		t.Fatalf("first submit: %d %s", first.Status, first.Body)
	}
	if a := submit(t, r, release.Submission{IngestConfig: config, IdempotencyKey: "run-1"}); a.Status != http.StatusOK || !a.Replay || a.JobName != first.JobName {
		t.Errorf("replay: %d %s", a.Status, a.Body)
	}
	for name, tc := range map[string]struct {
		config, key, digest string
		status              int
		detail              string
	}{
		"same key, other content": {config + "# changed\n", "run-1", "", http.StatusConflict, "run-1"},
		"other prefix":            {strings.Replace(config, "table: pets", "table: cats", 1), "run-2", "", http.StatusForbidden, "may not write table 'cats'"},
		"unknown category":        {strings.Replace(config, "image_classification", "image_sorting", 1), "run-3", "", http.StatusBadRequest, "'image_sorting' is not one of ["},
		"unknown field":           {config + "colour: red\n", "run-4", "", http.StatusBadRequest, "Additional properties are not allowed ('colour' was unexpected)"},
		"a tag as digest":         {config, "run-5", "0.8", http.StatusBadRequest, "tags are not accepted"},
	} {
		a := submit(t, r, release.Submission{IngestConfig: tc.config, IdempotencyKey: tc.key, ImageDigest: tc.digest})
		if a.Status != tc.status || !strings.Contains(a.Detail, tc.detail) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	jobs, err := r.Client.BatchV1().Jobs(r.Options.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "tracebloc.io/ingestion-run"})
	if err != nil || len(jobs.Items) != 1 {
		t.Errorf("%d Jobs, %v", len(jobs.Items), err)
	}
	return first.JobName
}

// comparePets compares the rows, and the files at the destination byte for byte, with the dataset on this machine.
func comparePets(t *testing.T, r *release.Release, volume *release.Volume, local string, names []string) {
	t.Helper()
	table, err := r.Rows(t.Context(), "pets")
	if err != nil {
		t.Fatal(err)
	}
	var want, got [][]any
	for i, name := range names {
		want = append(want, []any{strings.TrimSuffix(name, ".png"), ".png", []string{"cat", "dog"}[i%2], "train"})
	}
	for _, row := range table.Rows {
		got = append(got, []any{row["filename"], row["extension"], row["label"], row["data_intent"]})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	listed, err := volume.List(t.Context(), "/data/shared/pets")
	if err != nil || len(listed) != len(names) {
		t.Errorf("the destination has %q (%v)", listed, err)
	}
	for _, name := range names {
		want, err := os.ReadFile(filepath.Join(local, "images", name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := volume.Run(t.Context(), nil, "cat", "/data/shared/pets/"+name); err != nil || got != string(want) {
			t.Errorf("%q differs at the destination (%v)", name, err)
		}
	}
}

func TestStandinsIngestATable(t *testing.T) {
	t.Parallel()
	r := standins.Install(t, release.Options{NoDecoys: true})
	local := filepath.Join(t.TempDir(), "data")
	data := gen.Tabular{Rows: 1500}
	if err := data.Write(local); err != nil {
		t.Fatal(err)
	}
	volume := releasetest.Volume(t, r)
	const dir = "/data/shared/.tracebloc-staging/people/1"
	if err := volume.PutDir(t.Context(), local, dir); err != nil {
		t.Fatal(err)
	}
	a := submit(t, r, release.Submission{IngestConfig: tabularSpec("people", dir+"/data.csv"), IdempotencyKey: "people-1"})
	if out := finish(t, r, a.JobName); !out.Succeeded || !strings.Contains(out.Log, "Total Records Found:\x1b[0m     \x1b[94m1,500\x1b[0m") {
		t.Fatalf("the Job: %+v", out)
	}
	table, err := r.Rows(t.Context(), "people")
	if err != nil {
		t.Fatal(err)
	}
	var want, got [][]any
	for _, rec := range data.Records() {
		row := make([]any, len(rec))
		for i, cell := range rec {
			if cell != "" {
				row[i] = cell
			}
		}
		want = append(want, row)
	}
	for _, row := range table.Rows {
		got = append(got, []any{row["age"], row["income"], row["city"], row["zip"], row["joined"], row["label"]})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// misbehaving is a release with a small table staged, whose faults a test switches.
type misbehaving struct {
	*release.Release
	token string
}

func newMisbehaving(t *testing.T) misbehaving {
	t.Helper()
	r := standins.Install(t, release.Options{NoDecoys: true})
	local := filepath.Join(t.TempDir(), "data")
	if err := (gen.Tabular{Rows: 10}).Write(local); err != nil {
		t.Fatal(err)
	}
	if err := releasetest.Volume(t, r).PutDir(t.Context(), local, "/data/shared/src"); err != nil {
		t.Fatal(err)
	}
	token, err := r.Token(t.Context(), "ingestor")
	if err != nil {
		t.Fatal(err)
	}
	return misbehaving{r, token}
}

func (m misbehaving) set(t *testing.T, f fault.Faults) {
	t.Helper()
	if err := m.SetFaults(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// try submits the staged table under a name that is the table and the key.
func (m misbehaving) try(t *testing.T, name string) (release.Answer, error) {
	t.Helper()
	return m.Submit(t.Context(), m.token, release.Submission{IngestConfig: tabularSpec(name, "/data/shared/src/data.csv"), IdempotencyKey: name})
}

func TestStandinsMisbehaveOnRequest(t *testing.T) {
	t.Parallel()
	m := newMisbehaving(t)
	m.set(t, fault.Faults{DropAfter: 1})
	if a, err := m.try(t, "lost"); err == nil {
		t.Errorf("a dropped answer: %d %s", a.Status, a.Body)
	}
	a, err := m.try(t, "lost")
	if err != nil || a.Status != http.StatusOK || !a.Replay {
		t.Fatalf("after the lost answer: %d %s %v", a.Status, a.Body, err)
	}
	if out := finish(t, m.Release, a.JobName); !out.Succeeded {
		t.Errorf("the Job of the lost answer: %+v", out)
	}
	if table, err := m.Rows(t.Context(), "lost"); err != nil || len(table.Rows) != 10 {
		t.Errorf("%d rows, %v: an answer that was lost must not write twice", len(table.Rows), err)
	}

	m.set(t, fault.Faults{FailStatus: 500, FailTimes: 1, Unhealthy: true})
	if a, err := m.Health(t.Context()); err != nil || a.Status != http.StatusServiceUnavailable {
		t.Errorf("health: %d %v", a.Status, err)
	}
	if a, err := m.try(t, "failed"); err != nil || a.Status != http.StatusInternalServerError {
		t.Errorf("failed submit: %d %v", a.Status, err)
	}
	m.set(t, fault.Faults{})
	if a, err := m.Health(t.Context()); err != nil || a.Status != http.StatusOK {
		t.Errorf("health: %d %v", a.Status, err)
	}
	m.token = "not-a-token"
	if a, err := m.try(t, "nobody"); err != nil || a.Status != http.StatusUnauthorized {
		t.Errorf("a bad token: %d %v", a.Status, err)
	}
}

func TestIngestorsMisbehaveOnRequest(t *testing.T) {
	t.Parallel()
	m := newMisbehaving(t)
	for _, tc := range []struct {
		name      string
		fault     fault.Ingestor
		succeeded bool
		has, not  string
	}{
		{"skipping", fault.Ingestor{Skip: 3}, true, "Skipped Records:\x1b[0m        \x1b[93m3\x1b[0m", "completed successfully"},
		{"newer", fault.Ingestor{Newer: true}, true, "Correlation id: newer (ingestor_id: ", "Traceback"},
		{"crashing", fault.Ingestor{Crash: true}, false, "Traceback (most recent call last):", "SUMMARY"},
	} {
		m.set(t, fault.Faults{Ingestor: tc.fault})
		a, err := m.try(t, tc.name)
		if err != nil || a.Status != http.StatusCreated {
			t.Fatalf("%s: %d %s %v", tc.name, a.Status, a.Body, err)
		}
		out := finish(t, m.Release, a.JobName)
		if out.Succeeded != tc.succeeded || !strings.Contains(out.Log, tc.has) || strings.Contains(out.Log, tc.not) {
			t.Errorf("%s: %+v", tc.name, out)
		}
	}
	replayAfterRestart(t, m, "skipping")
}

// replayAfterRestart deletes the jobs-manager Pod: the new one knows the runs of the old one.
func replayAfterRestart(t *testing.T, m misbehaving, name string) {
	t.Helper()
	pod, err := m.ReadyPod(t.Context(), "manager")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Client.CoreV1().Pods(m.Options.Namespace).Delete(t.Context(), pod, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for {
		if next, err := m.ReadyPod(t.Context(), "manager"); err == nil && next != pod {
			break
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
	a, err := m.try(t, name)
	if err != nil || a.Status != http.StatusOK || !a.Replay {
		t.Errorf("replay after a restart: %d %s %v", a.Status, a.Body, err)
	}
}

func TestReleaseShapes(t *testing.T) {
	t.Parallel()
	none := int32(0)
	r := standins.Install(t, release.Options{Name: "two", Replicas: &none, NoDecoys: true})
	if pod, err := r.ReadyPod(t.Context(), "manager"); err == nil {
		t.Errorf("replicas 0 has the Pod %q", pod)
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := r.WriteUserKubeconfig(t.Context(), "editor", "edit", kubeconfig); err != nil {
		t.Fatal(err)
	}
	editorSees(t, r, kubeconfig)
	// The same options again change nothing; other ones change the release in place.
	before := generation(t, r)
	r = standins.Install(t, release.Options{Namespace: r.Options.Namespace, Name: "two", Replicas: &none, NoDecoys: true})
	if after := generation(t, r); after != before {
		t.Errorf("a second install changed the Deployment: generation %d, then %d", before, after)
	}
	r = standins.Install(t, release.Options{Namespace: r.Options.Namespace, Name: "two", HTTPDisabled: true, NoDecoys: true})
	if a, err := r.Health(t.Context()); err == nil {
		t.Errorf("with the HTTP server off: %d %s", a.Status, a.Body)
	}
}

func generation(t *testing.T, r *release.Release) int64 {
	t.Helper()
	d, err := r.Client.AppsV1().Deployments(r.Options.Namespace).Get(t.Context(), r.Options.DeploymentName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d.Generation
}

// editorSees checks that a user with the role edit reads Pods in the namespace and nowhere else.
func editorSees(t *testing.T, r *release.Release, kubeconfig string) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	user, err := release.Connect(config, r.Options)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := user.LeftPods(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("Pods that nobody owns: %q, %v", left, err)
	}
	user.Options.Namespace = metav1.NamespaceSystem
	if _, err := user.LeftPods(t.Context()); !apierrors.IsForbidden(err) {
		t.Errorf("in another namespace: %v", err)
	}
}
