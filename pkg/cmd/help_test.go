package cmd

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd/util/sanity"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name, or rewrites it under -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); run the test with -update if this is meant:\n%s", file, diff)
	}
}

// runRootCommand must not run twice at once: kubectl keeps what its completion asks in a variable of the package.
func runRootCommand(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	root := NewRootCommand("v1.2.3", genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return out.String(), errOut.String(), err
}

func commandPaths(c *cobra.Command, path []string) [][]string {
	paths := [][]string{path}
	for _, sub := range c.Commands() {
		paths = append(paths, commandPaths(sub, append(append([]string(nil), path...), sub.Name()))...)
	}
	return paths
}

func TestHelp(t *testing.T) {
	t.Setenv("HOME", "/home/user")
	t.Setenv("KUBECACHEDIR", "")
	root := NewRootCommand("v1.2.3", genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard})
	for _, path := range commandPaths(root, nil) {
		t.Run(strings.Join(append([]string{"root"}, path...), "_"), func(t *testing.T) {
			args := append(append([]string(nil), path...), "--help")
			if len(path) == 1 && path[0] == "options" {
				args = path
			}
			stdout, stderr, err := runRootCommand(t, args...)
			if err != nil || stderr != "" {
				t.Fatalf("error %v, stderr %q", err, stderr)
			}
			golden(t, "help/"+strings.Join(append([]string{"root"}, path...), "_")+".txt", stdout)
		})
	}
}

func TestKubectlSanityChecks(t *testing.T) {
	root := NewRootCommand("v1.2.3", genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard})
	for _, err := range sanity.RunCmdChecks(root, sanity.AllCmdChecks, nil) {
		t.Error(err)
	}
	for _, err := range sanity.RunGlobalChecks(sanity.AllGlobalChecks) {
		t.Error(err)
	}
}

// Every command must say which exit codes it can return, with an example.
func TestHelpIsComplete(t *testing.T) {
	root := NewRootCommand("v1.2.3", genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard})
	for _, c := range root.Commands() {
		if c.Example == "" || c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: needs an example and a short description without a full stop", c.CommandPath())
		}
		if c.Name() != "options" && !strings.Contains(c.Long, "Exit codes:\n\n") {
			t.Errorf("%s: the help does not end with its exit codes", c.CommandPath())
		}
	}
}
