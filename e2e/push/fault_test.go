package push

import (
	"bufio"
	"context"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// faults switches faults on for one test.
func faults(t *testing.T, r *release.Release, f fault.Faults) {
	t.Helper()
	if err := r.SetFaults(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.SetFaults(context.Background(), fault.Faults{}); err != nil {
			t.Error(err)
		}
	})
}

// An answer that is lost after the Job exists is asked for again with the same key: one run, no row twice.
func TestLostAnswer(t *testing.T) {
	r := sharedRelease(t)
	file := filepath.Join(t.TempDir(), "lost_answer.csv")
	write(t, file, churn)
	faults(t, r, fault.Faults{DropAfter: 1})
	got := run(t, "push", file, "--task=tabular_classification", "-n", r.Options.Namespace, "-o", "json").expect(t, 0).object(t)
	if !strings.Contains(got.Status.Job, "ingest-job-") || got.Status.Records["inserted"] != 4 {
		t.Errorf("got %+v", got.Status)
	}
	if n := len(rows(t, r, "lost_answer", "id")); n != 4 {
		t.Errorf("the table has %d rows, want 4", n)
	}
	jobs, err := r.Client.BatchV1().Jobs(r.Options.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "tracebloc.io/ingestion-run=" + got.Metadata.Name})
	if err != nil || len(jobs.Items) != 1 {
		t.Errorf("%d jobs carry the key, want 1 (%v)", len(jobs.Items), err)
	}
}

func TestServerErrorsAreRetried(t *testing.T) {
	r := sharedRelease(t)
	file := filepath.Join(t.TempDir(), "flaky.csv")
	write(t, file, churn)
	faults(t, r, fault.Faults{FailStatus: 503, FailTimes: 2})
	run(t, "push", file, "--task=tabular_classification", "-n", r.Options.Namespace).expect(t, 0, "trying again with the same key")
	if n := len(rows(t, r, "flaky", "id")); n != 4 {
		t.Errorf("the table has %d rows, want 4", n)
	}
}

// A server that is not ready is found out before the upload.
func TestUnhealthyServer(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "unhealthy"), 32, 32, numbered(4)...)
	faults(t, r, fault.Faults{Unhealthy: true})
	got := run(t, "push", dir, "-n", r.Options.Namespace, "-o", "json").expect(t, 4, "not ready").object(t)
	if got.Status.Step != "connect" {
		t.Errorf("got %+v", got.Status)
	}
	noStagePods(t, r.Client, r.Options.Namespace)
}

// Skipped records are a loss, though this ingestor exits 0.
func TestSkippedRecords(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "skips"), 32, 32, numbered(5)...)
	faults(t, r, fault.Faults{Ingestor: fault.Ingestor{Skip: 2}})
	got := run(t, "push", dir, "-n", r.Options.Namespace, "-o", "json").expect(t, 9).object(t)
	if got.Status.Phase != "SucceededWithLosses" || got.Status.Records["skipped"] != 2 || got.Status.Staging.Removed {
		t.Errorf("got %+v", got.Status)
	}
}

// A crash leaves rows and no summary: that is a failure, and the traceback is shown.
func TestCrashedRun(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "crashes"), 32, 32, numbered(4)...)
	faults(t, r, fault.Faults{Ingestor: fault.Ingestor{Crash: true}})
	result := run(t, "push", dir, "-n", r.Options.Namespace, "-o", "json").expect(t, 9)
	if got := result.object(t); got.Status.Phase != "Failed" || got.Status.Message == "" {
		t.Errorf("got %+v", got.Status)
	}
	noStagePods(t, r.Client, r.Options.Namespace)
}

// What newer ingestors print and do is understood: two more lines, and the staged source is deleted by the ingestor.
func TestNewerIngestor(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "newer"), 32, 32, numbered(4)...)
	faults(t, r, fault.Faults{Ingestor: fault.Ingestor{Newer: true}})
	got := run(t, "push", dir, "-n", r.Options.Namespace, "-o", "json").expect(t, 0).object(t)
	if got.Status.Phase != "Succeeded" || !got.Status.Staging.Removed {
		t.Errorf("got %+v", got.Status)
	}
}

// Clients that are killed in mid-transfer leave what has arrived: the next push goes on from there, is ingested, and clears all of it away.
func TestKilledInTransfer(t *testing.T) {
	r := sharedRelease(t)
	volume, err := r.OpenVolume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = volume.Close(context.Background()) })
	staging := "/data/shared/.tracebloc-staging/killed"
	dir := imageSet(t, filepath.Join(t.TempDir(), "killed"), 512, 512, numbered(200)...)
	for range 3 {
		killInTransfer(t, volume, staging, "push", dir, "-n", r.Options.Namespace, "--no-progress")
		deleteStagePods(t, r)
	}
	pushed := run(t, "push", dir, "-n", r.Options.Namespace, "-o", "json").expect(t, 0)
	got := pushed.object(t)
	if got.Status.Staging.Reused || got.Status.Staging.SentBytes == 0 {
		t.Errorf("a tree of a killed push was used: %+v", got.Status.Staging)
	}
	if s := pushed.staged(t); s.TakenOverBytes == 0 {
		t.Errorf("nothing was taken over: %+v", s)
	}
	if n := len(rows(t, r, "killed", "id")); n != 200 {
		t.Errorf("the table has %d rows, want 200", n)
	}
	if left, err := volume.List(t.Context(), staging); err != nil || len(left) > 0 {
		t.Errorf("%d files are left in %s (%v)", len(left), staging, err)
	}
}

// minArrived is how many more files than before make it sure that a transfer is under way.
const minArrived = 5

// killInTransfer starts a push and kills it, with kubectl, as soon as some but not all of its files have arrived.
func killInTransfer(t *testing.T, volume *release.Volume, staging string, args ...string) {
	t.Helper()
	before, err := volume.List(t.Context(), staging)
	if err != nil {
		t.Fatal(err)
	}
	c := plugin(t.Context(), args...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for {
		now, err := volume.List(t.Context(), staging)
		if err != nil {
			t.Fatal(err)
		}
		if len(now) > len(before)+minArrived {
			_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
			if err := <-ended; err == nil {
				t.Fatal("the push succeeded before it was killed: the dataset is too small for this machine")
			}
			return
		}
		select {
		case err := <-ended:
			t.Fatalf("the push ended before it could be killed (%v): the dataset is too small for this machine", err)
		default:
		}
	}
}

// Ctrl-C before the submit: nothing is left behind, and the exit code says so.
func TestInterruptedBeforeSubmit(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "interrupted"), 512, 512, numbered(150)...)
	for _, text := range []string{"Run:", "Release:", "Waiting for the stage pod"} {
		t.Run(text, func(t *testing.T) {
			interrupted := interruptAt(t, text, "push", dir, "-n", r.Options.Namespace)
			interrupted.expect(t, 130, "interrupted")
			noStagePods(t, r.Client, r.Options.Namespace)
		})
	}
	t.Run("in the transfer", func(t *testing.T) {
		faultless := plugin(t.Context(), "push", dir, "-n", r.Options.Namespace, "--no-progress")
		done := make(chan result, 1)
		faultless.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		go func() { done <- finish(t, faultless) }()
		waitForStagePod(t, r)
		time.Sleep(time.Second)
		_ = syscall.Kill(-faultless.Process.Pid, syscall.SIGINT)
		if got := <-done; got.code != 130 && got.code != 0 {
			t.Errorf("exit code %d\n%s", got.code, got.stderr)
		}
		noStagePods(t, r.Client, r.Options.Namespace)
	})
}

// Ctrl-C while a run is followed detaches: the run goes on, and the same push joins it again.
func TestDetachAndJoin(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "detached"), 32, 32, numbered(6)...)
	faults(t, r, fault.Faults{Ingestor: fault.Ingestor{Sleep: fault.Duration(15 * time.Second)}})
	interruptAt(t, "Submitted:", "push", dir, "-n", r.Options.Namespace).expect(t, 0, "Detached", "kubectl tracebloc logs")
	joined := run(t, "push", dir, "-n", r.Options.Namespace, "-o", "json").expect(t, 0, "following it").object(t)
	if joined.Status.Records["inserted"] != 6 || !joined.Status.Staging.Reused || !joined.Status.Staging.Removed {
		t.Errorf("got %+v", joined.Status)
	}
	noStagePods(t, r.Client, r.Options.Namespace)
}

// A run that outlives --timeout has an unknown outcome, which is not success.
func TestTimeoutAndDetach(t *testing.T) {
	r := sharedRelease(t)
	faults(t, r, fault.Faults{Ingestor: fault.Ingestor{Sleep: fault.Duration(10 * time.Second)}})
	dir := imageSet(t, filepath.Join(t.TempDir(), "too_slow"), 32, 32, numbered(4)...)
	slow := run(t, "push", dir, "-n", r.Options.Namespace, "--timeout=2s", "-o", "json").expect(t, 9, "--timeout=2s").object(t)
	if slow.Status.Phase != "Unknown" {
		t.Errorf("got %+v", slow.Status)
	}
	other := imageSet(t, filepath.Join(t.TempDir(), "left_alone"), 32, 32, numbered(4)...)
	detached := run(t, "push", other, "-n", r.Options.Namespace, "--detach", "-o", "json").expect(t, 0).object(t)
	if detached.Status.Phase != "Detached" || detached.Status.Job == "" || detached.Status.Staging.Removed {
		t.Errorf("got %+v", detached.Status)
	}
}

// A reader that goes away (| head) does not end the push before it has cleaned up.
func TestReaderGoesAway(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "piped"), 32, 32, numbered(4)...)
	c := plugin(t.Context(), "push", dir, "-n", r.Options.Namespace)
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stderr).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	_ = stderr.Close()
	if err := c.Wait(); err != nil {
		t.Errorf("the push did not go on: %v", err)
	}
	if n := len(rows(t, r, "piped", "id")); n != 4 {
		t.Errorf("the table has %d rows, want 4", n)
	}
	noStagePods(t, r.Client, r.Options.Namespace)
}

// interruptAt sends SIGINT when stderr has shown text.
func interruptAt(t *testing.T, text string, args ...string) result {
	t.Helper()
	c := plugin(t.Context(), args...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c.Stdout = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var errOut strings.Builder
	lines := bufio.NewReader(io.TeeReader(stderr, &errOut))
	sent := false
	for {
		line, err := lines.ReadString('\n')
		if strings.Contains(line, text) && !sent {
			sent = true
			_ = syscall.Kill(-c.Process.Pid, syscall.SIGINT)
		}
		if err != nil {
			break
		}
	}
	_ = c.Wait()
	if !sent {
		t.Fatalf("stderr never showed %q:\n%s", text, errOut.String())
	}
	return result{code: c.ProcessState.ExitCode(), stdout: out.String(), stderr: errOut.String()}
}

func waitForStagePod(t *testing.T, r *release.Release) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		pods, err := r.Client.CoreV1().Pods(r.Options.Namespace).List(ctx, metav1.ListOptions{LabelSelector: stageSelector})
		if err != nil {
			t.Fatal(err)
		}
		for _, pod := range pods.Items {
			for _, c := range pod.Status.ContainerStatuses {
				if c.Ready {
					return
				}
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("no stage pod became ready")
}

func deleteStagePods(t *testing.T, r *release.Release) {
	t.Helper()
	now := int64(0)
	err := r.Client.CoreV1().Pods(r.Options.Namespace).DeleteCollection(context.Background(),
		metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{LabelSelector: stageSelector})
	if err != nil {
		t.Error(err)
	}
}
