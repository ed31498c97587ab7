//go:build unix

package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A program that gets credentials is not let near the terminal, and not waited for.
func TestCompletionCredentials(t *testing.T) {
	dir := t.TempDir()
	program, began := filepath.Join(dir, "credentials"), filepath.Join(dir, "began")
	// It ends with the directory that it is in, which is gone after the test.
	writeText(t, program, fmt.Sprintf("#!/bin/sh\n: > '%s'\nwhile [ -e '%s' ]; do sleep 0.1; done\n", began, program))
	if err := os.Chmod(program, 0o700); err != nil {
		t.Fatal(err)
	}
	for mode, starts := range map[string]bool{"Always": false, "Never": true} {
		kubeconfig := filepath.Join(dir, mode)
		writeText(t, kubeconfig, fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "lab",
			"clusters": [{"name": "lab", "cluster": {"server": "https://127.0.0.1:1"}}],
			"contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "dana"}}],
			"users": [{"name": "dana", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": %q, "interactiveMode": %q}}}]}`, program, mode))
		candidates, directive := completed(t, "runs", "--kubeconfig", kubeconfig, "-n", "")
		if _, err := os.Stat(began); len(candidates) != 0 || directive != noFile || (err == nil) != starts {
			t.Errorf("%s: candidates %q, directive %q, the program was started: %v", mode, candidates, directive, err == nil)
		}
		_ = os.Remove(began)
	}
}
