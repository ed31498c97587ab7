package push

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/e2e/link"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// Parts of the cluster itself end. Everybody on the cluster feels that, so `make outage` runs this test alone.
func TestOutage(t *testing.T) {
	l := openLab(t, "outage", release.Options{})
	t.Run("container runtime", func(t *testing.T) { testRuntimeRestarted(t, l) })
	t.Run("API server, staging", func(t *testing.T) { testServerRestarted(t, l) })
	t.Run("API server, following", func(t *testing.T) { testServerAway(t, l) })
}

// The container runtime ends in mid-transfer and is started again, as when it is upgraded: all sessions break, and the Pods live on.
func testRuntimeRestarted(t *testing.T, l *lab) {
	dir := photos(t, filepath.Join(t.TempDir(), "runtime"), 90, 40, 1<<20)
	c, _ := l.halfway(t, dir, link.Shape{Rate: 12 << 20}, 50)
	// The session of this very command ends with the runtime.
	out, err := l.node.Run(t.Context(), nil, "sh", "-c", `for d in /proc/[0-9]*; do [ "$(cat "$d/comm")" != containerd ] || kill -9 "${d#/proc/}"; done`)
	t.Log("containerd was killed:", out, err)
	s := l.succeeded(t, dir, c.wait())
	if s.Retries == 0 {
		t.Error("nothing broke")
	}
	eventually(t, "the runtime is back", func() bool {
		_, err := l.node.Run(t.Context(), nil, "true")
		return err == nil
	})
	l.nothingLeft(t, "runtime")
	l.onlyTrees(t, "runtime", s.Path)
	t.Logf("%+v", s)
}

// The API server is gone for 20 seconds in mid-transfer. Once it is back it refuses everybody for a moment, for it has not read who may
// do what.
func testServerRestarted(t *testing.T, l *lab) {
	dir := photos(t, filepath.Join(t.TempDir(), "server_restarted"), 91, 40, 1<<20)
	c, _ := l.halfway(t, dir, link.Shape{Rate: 12 << 20}, 50)
	back := l.stopServer(t)
	time.Sleep(20 * time.Second)
	back()
	s := l.succeeded(t, dir, c.wait())
	if s.Retries == 0 {
		t.Error("nothing broke")
	}
	l.nothingLeft(t, "server_restarted")
	l.onlyTrees(t, "server_restarted", s.Path)
	t.Logf("%+v", s)
}

// The API server is not there for 20 seconds while a run is followed: what happened meanwhile is caught up with.
func testServerAway(t *testing.T, l *lab) {
	if err := l.SetFaults(t.Context(), fault.Faults{Ingestor: fault.Ingestor{Sleep: fault.Duration(10 * time.Second)}}); err != nil {
		t.Fatal(err)
	}
	dir := imageSet(t, filepath.Join(t.TempDir(), "server_away"), 32, 32, numbered(20)...)
	var errOut transcript
	c := plugin(t.Context(), "push", dir, "-n", l.Options.Namespace, "--no-progress", "-o", "json")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	eventually(t, "the ingestor runs", func() bool { return strings.Contains(errOut.String(), "is running") })
	back := l.stopServer(t)
	time.Sleep(20 * time.Second)
	back()
	err := <-ended
	r := result{code: c.ProcessState.ExitCode(), stdout: out.String(), stderr: errOut.String()}
	o := r.expect(t, 0, "connection to the API server lost", "connected to the API server again").object(t)
	if err != nil || o.Status.Phase != "Succeeded" || o.Status.Records["inserted"] != 20 {
		t.Errorf("%v, %+v", err, o.Status)
	}
	if got := rows(t, l.Release, "server_away", "filename"); len(got) != 20 {
		t.Errorf("%d rows", len(got))
	}
	l.nothingLeft(t, "server_away")
}

// stopServer ends the API server; back starts it again. Where it is a Pod of the node, as with kind, the kubelet does so.
func (l *lab) stopServer(t *testing.T) (back func()) {
	t.Helper()
	record := filepath.Join(filepath.Dir(os.Getenv("KUBECONFIG")), "pids", "apiserver")
	text, err := os.ReadFile(record)
	if err != nil {
		_, err = l.node.Run(t.Context(), nil, "sh", "-c", `kill -9 "$(pidof kube-apiserver)"`)
		t.Log("the API server was killed on its node:", err)
		return func() {}
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	started := false
	back = func() {
		if started {
			return
		}
		started = true
		if err := startServer(strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00"), record); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(back) // the cluster is of use to others, whatever becomes of the test
	return back
}

// startServer starts the API server as hack/cluster does.
func startServer(command []string, record string) error {
	log, err := os.OpenFile(filepath.Join(filepath.Dir(record), "..", "..", "cluster-logs", "apiserver.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()                 // the server has its own
	server := exec.Command(command[0], command[1:]...) // the command line of the process that was killed
	server.Env = []string{"HOME=" + os.Getenv("HOME"), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	server.Stdout, server.Stderr = log, log
	server.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := server.Start(); err != nil {
		return err
	}
	return os.WriteFile(record, []byte(strconv.Itoa(server.Process.Pid)+"\n"), 0o600)
}
