//go:build linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// buffer is written by the command while the test reads it.
type buffer struct {
	mu   sync.Mutex
	data bytes.Buffer
	grew chan struct{}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.grew <- struct{}{} }()
	return b.data.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	source, at := filepath.Join(dir, "source"), filepath.Join(dir, "at")
	for _, d := range []string{source, at} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	signals := make(chan os.Signal, 2)
	out, errOut := &buffer{grew: make(chan struct{}, 10)}, &buffer{grew: make(chan struct{}, 10)}
	ended := make(chan error, 1)
	go func() { ended <- run([]string{"-delay", "1us", source, at}, signals, out, errOut) }()
	select {
	case <-errOut.grew: // it is mounted
	case err := <-ended:
		t.Fatalf("it ended with %v", err)
	}
	if err := os.WriteFile(filepath.Join(at, "a"), []byte("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	signals <- syscall.SIGUSR1
	<-out.grew
	if got := out.String(); !strings.HasPrefix(got, "total=") || !strings.Contains(got, " create=1 ") {
		t.Errorf("the counts are %q", got)
	}
	signals <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(at, "a")); !os.IsNotExist(err) {
		t.Errorf("it is still mounted: %v", err)
	}
}

func TestWrongArguments(t *testing.T) {
	for _, args := range [][]string{{}, {"a"}, {"-delay", "soon", "a", "b"}, {filepath.Join(t.TempDir(), "missing"), t.TempDir()}} {
		if err := run(args, nil, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
