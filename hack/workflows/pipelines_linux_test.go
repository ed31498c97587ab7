//go:build linux

package workflows

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shells are those that the images of pipelines have as sh.
func shells(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{"sh": {"sh"}}
	for name, argv := range map[string][]string{"dash": {"dash"}, "bash": {"bash", "--posix"}, "busybox": {"busybox", "sh"}} {
		if path, err := exec.LookPath(argv[0]); err == nil {
			all[name] = append([]string{path}, argv[1:]...)
		}
	}
	return all
}

// Attempts are repeated only where a repetition can help, always with the same key, and the exit code is that of the last word.
func TestPushScript(t *testing.T) {
	const (
		push = "kubectl tracebloc push my data --table=t --namespace=ml --idempotency-key=key-1 --no-progress -o json"
		wait = "kubectl tracebloc wait key-1 --namespace=ml -o json"
	)
	for _, tc := range []struct {
		name   string
		codes  string // of the calls, one after another
		called []string
		code   int
	}{
		{"done", "0", []string{push}, 0},
		{"wrong spec", "2", []string{push}, 2},
		{"wrong dataset", "3", []string{push}, 3},
		{"no permission", "5", []string{push}, 5},
		{"table exists", "6", []string{push}, 6},
		{"interrupted", "130", []string{push}, 130},
		{"transfer broke off once", "7 0", []string{push, push}, 0},
		{"submit failed, then transfer", "8 7 0", []string{push, push, push}, 0},
		{"never", "7 7 7 0", []string{push, push, push}, 7},
		{"dataset changed between", "7 3", []string{push, push}, 3},
		{"lost sight of, ended well", "9 0", []string{push, wait}, 0},
		{"failed", "9 9", []string{push, wait}, 9},
		{"nobody answers any more", "7 9 4", []string{push, push, wait}, 4},
	} {
		for shell, argv := range shells(t) {
			t.Run(shell+"/"+tc.name, func(t *testing.T) {
				kubectl := notes + "set -- " + tc.codes + "\nn=$(grep -c . \"$NOTES\")\nshift $((n - 1))\necho '{}'\nexit \"$1\"\n"
				args := append(argv[1:len(argv):len(argv)], absolute(t, "docs/examples/ci/push.sh"), "key-1", "ml", "my data", "--table=t")
				called, output, code := script(t, map[string]string{"kubectl": kubectl}, argv[0], args...)
				if diff := cmp.Diff(tc.called, called); diff != "" || code != tc.code {
					t.Errorf("exit code %d, want %d\n%s\n%s", code, tc.code, diff, output)
				}
			})
		}
	}
}

// archive is a release's, with a plugin that says what it is.
func archive(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	out := tar.NewWriter(z)
	for name, text := range map[string]string{"LICENSE": "Apache", "kubectl-tracebloc": "#!/bin/sh\necho \"it is $0 $*\"\n"} {
		if err := out.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// What has another sum than the pipeline's is neither unpacked nor run.
func TestInstallScript(t *testing.T) {
	for _, tool := range []string{"curl", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("this test needs what a pipeline's image has: %v", err)
		}
	}
	data := archive(t)
	const path = "/download/v1.2.3/kubectl-tracebloc_v1.2.3_linux_amd64.tar.gz"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	defer server.Close()
	sum := sha256.Sum256(data)
	good := hex.EncodeToString(sum[:])
	for _, tc := range []struct {
		name, version, sum string
		good               bool
	}{
		{"good", "v1.2.3", good, true},
		{"another sum", "v1.2.3", strings.Repeat("0", 64), false},
		{"no sum", "v1.2.3", "", false},
		{"no such version", "v1.2.4", good, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			c := exec.Command("sh", absolute(t, "docs/examples/ci/install.sh"), tc.version, tc.sum, filepath.Join(dir, "bin"))
			c.Env = append(os.Environ(), "TRACEBLOC_BASE_URL="+server.URL, "TMPDIR="+dir)
			out, err := c.CombinedOutput()
			installed := filepath.Join(dir, "bin", "kubectl-tracebloc")
			if (err == nil) != tc.good || tc.good != strings.Contains(string(out), "it is "+installed+" version --client") {
				t.Errorf("%v\n%s", err, out)
			}
			if left, err := filepath.Glob(filepath.Join(dir, "tmp*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			if _, err := os.Stat(installed); (err == nil) != tc.good {
				t.Errorf("installed: %v", err)
			}
		})
	}
}
