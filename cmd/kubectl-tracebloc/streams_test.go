//go:build unix

package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// spec writes a spec with nothing wrong in it.
func spec(t *testing.T) string {
	return writeFile(t, "ingest.yaml", "apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: text_classification\ntable: notes\nintent: train\n"+
		"csv: /data/notes/labels.csv\ntexts: /data/notes/texts\nlabel: label\n")
}

// A reader that has seen enough is no error, and nothing is said about it.
func TestReaderGone(t *testing.T) {
	server := startAPI(t, func(a *api) { a.jobs = 5000 })
	kubeconfig := server.kubeconfig(t, nil)
	for name, args := range map[string][]string{
		"table":      {"runs", "--kubeconfig", kubeconfig},
		"json":       {"runs", "-o", "json", "--kubeconfig", kubeconfig},
		"names":      {"runs", "-o", "name", "--kubeconfig", kubeconfig},
		"help":       {"push", "--help"},
		"options":    {"options"},
		"completion": {"completion", "bash"},
		"explain":    {"explain"},
		"version":    {"version", "--client"},
	} {
		t.Run(name, func(t *testing.T) {
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			c := plugin(t, nil, args...)
			c.Stdout = write
			_ = read.Close()
			r := finish(t, c)
			_ = write.Close()
			if r.code != 0 || r.stderr != "" {
				t.Errorf("exit code %d, stderr %q", r.code, r.stderr)
			}
		})
	}
}

// What cannot be written is an error, whoever writes it.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if os.IsNotExist(err) {
		return // only Linux and NetBSD have one
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	kubeconfig := startAPI(t, nil).kubeconfig(t, nil)
	for name, args := range map[string][]string{
		"table":      {"runs", "--kubeconfig", kubeconfig},
		"json":       {"runs", "-o", "json", "--kubeconfig", kubeconfig},
		"help":       {"push", "--help"},
		"bare":       {},
		"options":    {"options"},
		"completion": {"completion", "zsh"},
		"explain":    {"explain"},
		"version":    {"version", "--client"},
		"version -o": {"version", "--client", "-o", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			c := plugin(t, nil, args...)
			c.Stdout = full
			r := finish(t, c)
			if want := "error: write the result: write /dev/stdout: no space left on device\n"; r.code != 1 || r.stderr != want {
				t.Errorf("exit code %d, stderr %q", r.code, r.stderr)
			}
		})
	}
}

// A shell starts the plugin without the descriptors, as it would kubectl.
func TestClosedDescriptors(t *testing.T) {
	file := spec(t)
	for redirection, want := range map[string]result{
		"<&-":          {code: 0},
		">&-":          {code: 0},
		"2>&-":         {code: 0},
		"<&- >&- 2>&-": {code: 0},
	} {
		inner := plugin(t, nil, "validate", file)
		c := plugin(t, nil)
		c.Path, c.Args = "/bin/sh", []string{"sh", "-c", `exec "$@" ` + redirection, "sh", inner.Path, "validate", file}
		if got := finish(t, c); got.code != want.code {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", redirection, got.code, got.stdout, got.stderr)
		}
	}
}

// Nothing depends on the locale.
func TestLocale(t *testing.T) {
	var first result
	for i, locale := range []string{"C", "C.UTF-8", "de_DE.UTF-8", "no-such-locale"} {
		got := finish(t, plugin(t, []string{"LANG=" + locale, "LC_ALL=" + locale}, "push", "--help"))
		if i == 0 {
			first = got
		}
		if got != first || got.code != 0 || strings.ContainsFunc(got.stdout, func(r rune) bool { return r > 0x7f }) {
			t.Errorf("%s: exit code %d, stdout %q", locale, got.code, got.stdout)
		}
	}
}

// The first Ctrl-C lets the command end; a second one does not wait for that.
// A credential plugin that hangs is what it would wait for.
func TestSecondInterrupt(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "started")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	helper := writeFile(t, "credentials", "#!/bin/sh\ntrap '' INT\necho here > '"+fifo+"'\nwhile :; do sleep 1 <&- >&- 2>&-; [ -d '"+dir+"' ] || exit; done\n")
	kubeconfig := startAPI(t, nil).kubeconfig(t, func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) { user.Exec = execPlugin(helper) })
	c := plugin(t, nil, "runs", "--kubeconfig", kubeconfig)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }()
	started, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = started.Close() }()
	if _, err := bufio.NewReader(started).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	// The first signal is taken when its handler has gone; until then more of them are first ones.
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // its state is looked at
	}()
	for sent := 0; ; sent++ {
		select {
		case <-ended:
			status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
			if !ok || !status.Signaled() || status.Signal() != syscall.SIGINT || sent < 2 {
				t.Errorf("after %d signals: %v", sent, c.ProcessState)
			}
			return
		case <-tick():
			_ = c.Process.Signal(syscall.SIGINT)
		}
	}
}
