// Package push tests the built plugin, called through the real kubectl, against a release in a real cluster.
package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// stageSelector finds the stage Pods, whatever became of the push that made them.
const stageSelector = "app.kubernetes.io/managed-by=kubectl-tracebloc,app.kubernetes.io/component=stage"

// result is how one command line ended.
type result struct {
	code           int
	stdout, stderr string
}

// ingestionRun is the part of -o json that the tests read, by the names that docs/output.md promises.
type ingestionRun struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Table        string `json:"table"`
		Task         string `json:"task"`
		IngestConfig string `json:"ingestConfig"`
	} `json:"spec"`
	Status struct {
		Phase    string `json:"phase"`
		ExitCode int    `json:"exitCode"`
		Step     string `json:"step"`
		Message  string `json:"message"`
		Job      string `json:"job"`
		Staging  struct {
			Path      string `json:"path"`
			SentBytes int64  `json:"sentBytes"`
			Reused    bool   `json:"reused"`
			Removed   bool   `json:"removed"`
		} `json:"staging"`
		Records map[string]int64 `json:"records"`
	} `json:"status"`
}

// plugin prepares "kubectl tracebloc ARGS"; kubectl finds the built plugin on the PATH, as it does for users.
func plugin(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "kubectl", append([]string{"tracebloc"}, args...)...)
}

func finish(t *testing.T, c *exec.Cmd) result {
	t.Helper()
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	r := result{stdout: out.String(), stderr: errOut.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
	case err != nil:
		t.Fatalf("%v: %v", c.Args, err)
	}
	return r
}

func run(t *testing.T, args ...string) result {
	t.Helper()
	return finish(t, plugin(t.Context(), args...))
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

// object reads the IngestionRun from stdout; there must be nothing else on it.
func (r result) object(t *testing.T) ingestionRun {
	t.Helper()
	var o ingestionRun
	if err := json.Unmarshal([]byte(r.stdout), &o); err != nil {
		t.Fatalf("stdout is no IngestionRun: %v\n%s", err, r.stdout)
	}
	if o.APIVersion != "tracebloc.io/v1alpha1" || o.Kind != "IngestionRun" {
		t.Errorf("got %s %s", o.APIVersion, o.Kind)
	}
	if o.Status.ExitCode != r.code {
		t.Errorf("status.exitCode is %d, the process ended with %d", o.Status.ExitCode, r.code)
	}
	return o
}

// noStagePods fails the test when a stage Pod is left in the namespace. Deleting is not instant: the Pod may still be
// terminating when the command has ended.
func noStagePods(t *testing.T, client kubernetes.Interface, namespace string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: stageSelector})
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, pod := range pods.Items {
			if pod.DeletionTimestamp == nil {
				left = append(left, pod.Name)
			}
		}
		if len(pods.Items) == 0 {
			return
		}
		if len(left) > 0 {
			t.Fatalf("stage pods are left behind: %v", left)
		}
		select {
		case <-ctx.Done():
			t.Fatal("a deleted stage pod does not go away")
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// imageSet writes an image_classification dataset: names[i] with a picture of its own, labeled cat and dog in turn.
func imageSet(t *testing.T, dir string, width, height int, names ...string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "images"), 0o755); err != nil {
		t.Fatal(err)
	}
	var labels strings.Builder
	labels.WriteString("filename,label\n")
	for i, name := range names {
		picture := image.NewNRGBA(image.Rect(0, 0, width, height))
		for j := range picture.Pix {
			picture.Pix[j] = byte(j*(i+7) + i)
		}
		picture.Set(0, 0, color.White)
		file, err := os.Create(filepath.Join(dir, "images", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(file, picture); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&labels, "\"%s\",%s\n", name, []string{"cat", "dog"}[i%2])
	}
	write(t, filepath.Join(dir, "labels.csv"), labels.String())
	return dir
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%04d_picture.png", i)
	}
	return names
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
