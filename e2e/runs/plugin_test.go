// Package runs tests what the plugin says about runs, whatever becomes of them: the built plugin, called through the real kubectl,
// against releases in a real cluster.
package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// ingestionRun is the part of -o json that the tests read, by the names that docs/output.md promises.
type ingestionRun struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Table string `json:"table"`
	} `json:"spec"`
	Status struct {
		Phase    string   `json:"phase"`
		ExitCode *int     `json:"exitCode"`
		Step     string   `json:"step"`
		Message  string   `json:"message"`
		Job      string   `json:"job"`
		Replay   bool     `json:"replay"`
		Attempts int      `json:"attempts"`
		Warnings []string `json:"warnings"`
		Staging  struct {
			Path      string `json:"path"`
			SentBytes int64  `json:"sentBytes"`
			Removed   bool   `json:"removed"`
		} `json:"staging"`
		Records map[string]int64 `json:"records"`
	} `json:"status"`
}

// result is how one command line ended.
type result struct {
	code           int
	stdout, stderr string
}

// process is a command line that may still be running.
type process struct {
	cmd    *exec.Cmd
	out    bytes.Buffer
	errOut lockedBuffer
	ended  chan struct{} // closed when it has
}

// lockedBuffer is read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

// start begins "kubectl tracebloc ARGS"; kubectl finds the built plugin on the PATH, as it does for users. A test that ends early
// ends it as well.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), "kubectl", append([]string{"tracebloc"}, args...)...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.errOut
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = func() error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }
	p.cmd.WaitDelay = 5 * time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the exit code says it all
	}()
	return p
}

// kill ends it at once, and waits until it is gone. It must not have ended by itself.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill: %v\n%s", err, p.errOut.String())
	}
	<-p.ended
	if code := p.cmd.ProcessState.ExitCode(); code != -1 {
		t.Fatalf("it had ended with exit code %d before it was killed:\n%s", code, p.errOut.String())
	}
}

// interrupt is Ctrl-C on a terminal.
func (p *process) interrupt(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatalf("interrupt: %v\n%s", err, p.errOut.String())
	}
}

// wait waits for its end.
func (p *process) wait() result {
	<-p.ended
	return result{p.cmd.ProcessState.ExitCode(), p.out.String(), p.errOut.String()}
}

// says waits until stderr has the text.
func (p *process) says(t *testing.T, text string) {
	t.Helper()
	eventually(t, "stderr has "+text, func() bool {
		if strings.Contains(p.errOut.String(), text) {
			return true
		}
		select {
		case <-p.ended:
			t.Fatalf("it ended with exit code %d and never said %q:\n%s", p.cmd.ProcessState.ExitCode(), text, p.errOut.String())
		default:
		}
		return false
	})
}

// run runs a command line to its end.
func run(t *testing.T, args ...string) result {
	t.Helper()
	return start(t, args...).wait()
}

// kubectl runs the real one, which must succeed.
func kubectl(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	var errOut bytes.Buffer
	c := exec.CommandContext(ctx, "kubectl", args...)
	c.Stderr = &errOut
	out, err := c.Output()
	if err != nil {
		t.Fatalf("kubectl %v: %v\n%s", args, err, errOut.String())
	}
	return string(out)
}

// expect ends the test unless the exit code is want and stderr has all of the texts.
func (r result) expect(t *testing.T, want int, texts ...string) result {
	t.Helper()
	if r.code != want {
		t.Fatalf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", r.code, want, r.stdout, r.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(r.stderr, text) {
			t.Errorf("stderr lacks %q:\n%s", text, r.stderr)
		}
	}
	return r
}

// object reads the IngestionRun from stdout, on which there must be nothing else.
func (r result) object(t *testing.T) ingestionRun {
	t.Helper()
	var o ingestionRun
	if err := json.Unmarshal([]byte(r.stdout), &o); err != nil {
		t.Fatalf("stdout is no IngestionRun: %v\n%s\nstderr:\n%s", err, r.stdout, r.stderr)
	}
	if o.APIVersion != "tracebloc.io/v1alpha1" || o.Kind != "IngestionRun" {
		t.Errorf("got %s %s", o.APIVersion, o.Kind)
	}
	if o.Status.ExitCode == nil || *o.Status.ExitCode != r.code {
		t.Errorf("status.exitCode is not that of the process, %d:\n%s", r.code, r.stdout)
	}
	return o
}

var runLine = regexp.MustCompile(`(?m)^Run: +(\S+)$`)

// key is the run's key as the plan shows it, which a push that was killed has printed too.
func (r result) key(t *testing.T) string {
	t.Helper()
	m := runLine.FindStringSubmatch(r.stderr)
	if m == nil {
		t.Fatalf("stderr names no run:\n%s", r.stderr)
	}
	return m[1]
}

// eventually waits until what is said is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("not in four minutes: %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
