package cmd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// completed is what __complete answers: the candidates, and the directive at the end.
func completed(t *testing.T, args ...string) (candidates []string, directive string) {
	t.Helper()
	stdout, stderr, err := runRootCommand(t, append([]string{"__complete"}, args...)...)
	if err != nil || strings.Contains(stderr, "rror") {
		t.Fatalf("%q: %v, stderr %q", args, err, stderr)
	}
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	return lines[:len(lines)-1], lines[len(lines)-1]
}

// names are candidates without their descriptions.
func names(candidates []string) []string {
	bare := []string{}
	for _, c := range candidates {
		name, _, _ := strings.Cut(c, "\t")
		bare = append(bare, name)
	}
	return bare
}

const (
	anyFile   = ":0"
	noFile    = ":4"
	noSpace   = ":6"
	byExt     = ":8"
	onlyDirs  = ":16"
	keepOrder = ":36"
)

func TestCompletions(t *testing.T) {
	specs := []string{"yaml", "yml", "json"}
	formats := []string{"json", "yaml", "name", "jsonpath="}
	for _, tt := range []struct {
		args      []string
		want      []string
		directive string
	}{
		{[]string{"va"}, []string{"validate"}, noFile},
		{[]string{"nope"}, nil, noFile},
		{[]string{"push", ""}, []string{"csv"}, byExt},
		{[]string{"push", "./data", ""}, nil, noFile},
		{[]string{"push", "--filename", ""}, specs, byExt},
		{[]string{"push", "-f", "x"}, specs, byExt},
		{[]string{"push", "--intent", ""}, []string{"train", "test"}, noFile},
		{[]string{"push", "--label-policy", ""}, []string{"passthrough", "bucket"}, noFile},
		{[]string{"push", "--compress", ""}, []string{"auto", "never", "always"}, noFile},
		{[]string{"push", "--dry-run", ""}, []string{"none", "client", "server"}, noFile},
		{[]string{"push", "--dry-run=s"}, []string{"none", "client", "server"}, noFile},
		{[]string{"push", "--task", ""}, taskNames(), noFile},
		{[]string{"push", "--category", ""}, nil, noFile},
		{[]string{"push", "--label-column", ""}, nil, noFile},
		{[]string{"push", "--stage-timeout", ""}, nil, noFile},
		{[]string{"push", "-o", ""}, formats, noFile},
		{[]string{"push", "-o", "jsonp"}, []string{"jsonpath="}, noSpace},
		{[]string{"push", "--template", ""}, nil, anyFile},
		{[]string{"init", ""}, []string{"csv"}, byExt},
		{[]string{"init", "-o", ""}, []string{"yaml", "yml"}, byExt},
		{[]string{"init", "--task", ""}, taskNames(), noFile},
		{[]string{"validate", ""}, specs, byExt},
		{[]string{"validate", "a.yaml", ""}, specs, byExt},
		{[]string{"validate", "a.yaml", "--data", ""}, []string{"csv"}, byExt},
		{[]string{"validate", "-o", ""}, []string{"json", "yaml", "sarif", "github"}, noFile},
		{[]string{"runs", "-o", ""}, append(slices.Clone(formats), "wide"), noFile},
		{[]string{"runs", "-l", ""}, nil, noFile},
		{[]string{"runs", ""}, nil, noFile},
		{[]string{"status", "-o", "js"}, []string{"json", "jsonpath="}, noFile},
		{[]string{"logs", "--filename", ""}, []string{"log", "txt"}, byExt},
		{[]string{"wait", "--for", ""}, []string{"complete"}, noFile},
		{[]string{"cleanup", "--dry-run", ""}, []string{"none", "client"}, noFile},
		{[]string{"cleanup", "-o", ""}, []string{"json", "yaml", "name"}, noFile},
		{[]string{"info", "-o", ""}, []string{"json", "yaml"}, noFile},
		{[]string{"version", ""}, nil, noFile},
		{[]string{"options", ""}, nil, noFile},
		{[]string{"completion", ""}, completionShells(), noFile},
		{[]string{"completion", "bash", ""}, nil, noFile},
		{[]string{"runs", "--cache-dir", ""}, nil, onlyDirs},
		{[]string{"runs", "--kubeconfig", ""}, nil, anyFile},
		{[]string{"runs", "--request-timeout", ""}, nil, noFile},
		{[]string{"runs", "-v", ""}, nil, noFile},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			candidates, directive := completed(t, tt.args...)
			if diff := cmp.Diff(append([]string{}, tt.want...), names(candidates)); diff != "" || directive != tt.directive {
				t.Errorf("directive %q, want %q; candidates (-want +got):\n%s", directive, tt.directive, diff)
			}
		})
	}
	candidates, _ := completed(t, "push", "--task", "")
	if want := dataset.Tasks[0].Name + "\t" + dataset.Tasks[0].Summary; candidates[0] != want {
		t.Errorf("got %q, want %q", candidates[0], want)
	}
}

// Every flag that takes a value has a completion; a shell that is told nothing
// offers the files of the directory.
func TestEveryFlagIsCompleted(t *testing.T) {
	root := NewRootCommand("v1.2.3", genericiooptions.IOStreams{In: strings.NewReader("")})
	flags := 0
	for _, c := range append(root.Commands(), root) {
		c.Flags().AddFlagSet(c.PersistentFlags())
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if _, found := c.GetFlagCompletionFunc(f.Name); found || f.Value.Type() == "bool" || slices.Contains(anyFileFlags(), f.Name) {
				flags++
				return
			}
			t.Errorf("%s --%s has no completion", c.CommandPath(), f.Name)
		})
		if c != root && c.Name() != "help" && c.ValidArgsFunction == nil {
			t.Errorf("the arguments of %s have no completion", c.CommandPath())
		}
	}
	for key := range flagCompletions(nil) {
		name, flag, _ := strings.Cut(key, "--")
		c, _, err := root.Find(strings.Fields(name))
		if name == "" {
			c = root
		}
		shared := flag == "release" || flag == "table"
		if err != nil || c.Flags().Lookup(flag) == nil && c.PersistentFlags().Lookup(flag) == nil && !shared {
			t.Errorf("there is no flag %q", key)
		}
	}
	if flags < 50 {
		t.Errorf("only %d flags were looked at", flags)
	}
}

// completionServer answers every list with the objects that it has, and tells of hostile ones too.
func completionServer(t *testing.T, answers map[string]string) (kubeconfig string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, found := answers[r.URL.Path]
		if !found {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Warning", `299 - "a warning of the server"`)
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	writeText(t, kubeconfig, strings.ReplaceAll(readTestFile(t, "testdata/info/kubeconfig"), "http://127.0.0.1:1", server.URL))
	return kubeconfig
}

func writeText(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// listOf is a list of objects with these names, in JSON.
func listOf(kind, version string, names ...string) string {
	var items []string
	for _, name := range names {
		item, err := json.Marshal(metav1.ObjectMeta{Name: name, Labels: map[string]string{"app.kubernetes.io/instance": strings.TrimSuffix(name, "-jobs-manager")}})
		if err != nil {
			panic(err) // strings have a JSON form
		}
		items = append(items, fmt.Sprintf(`{"metadata": %s}`, item))
	}
	return fmt.Sprintf(`{"kind": %q, "apiVersion": %q, "metadata": {}, "items": [%s]}`, kind, version, strings.Join(items, ","))
}

func TestClusterCompletions(t *testing.T) {
	kubeconfig := completionServer(t, map[string]string{
		"/api/v1/namespaces": listOf("NamespaceList", "v1", "ml", "ml-dev", "prod", "x`id`", "$(id)", "a\x1b[2Jb", "_activeHelp_ x"),
		"/apis/apps/v1/namespaces/ml/deployments": listOf("DeploymentList", "apps/v1",
			"tracebloc-jobs-manager", "tracebloc-mysql", "second-jobs-manager", "$(id)-jobs-manager"),
	})
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"runs", "-n", ""}, []string{"ml", "ml-dev", "prod"}},
		{[]string{"runs", "--namespace=ml-"}, []string{"ml-dev"}},
		{[]string{"info", "-n", "ml", "--release", ""}, []string{"second", "tracebloc"}},
		{[]string{"push", "-n", "ml", "--release", "t"}, []string{"tracebloc"}},
		{[]string{"version", "-n", "ml", "--release", ""}, []string{"second", "tracebloc"}},
		{[]string{"cleanup", "-n", "other", "--release", ""}, []string{}},
	} {
		args := slices.Insert(slices.Clone(tt.args), 1, "--kubeconfig", kubeconfig)
		candidates, directive := completed(t, args...)
		if diff := cmp.Diff(tt.want, candidates); diff != "" || directive != noFile {
			t.Errorf("%q: directive %q, candidates (-want +got):\n%s", tt.args, directive, diff)
		}
	}
}

func TestTableCompletion(t *testing.T) {
	s := newRunsServer(t)
	s.add(
		aRun{key: "77aa", table: "scans", task: "object_detection", age: 3 * time.Hour, end: batchv1.JobFailed},
		aRun{key: "77ab", table: "pets", task: "image_classification", age: 2 * time.Hour},
		aRun{key: "77ac", table: "scans", task: "object_detection", age: time.Hour, end: batchv1.JobComplete},
		aRun{key: "77ad", table: "$(id)", task: "object_detection", age: time.Hour},
		aRun{key: "77ae", table: "\"a\\nb\"", task: "object_detection", age: time.Hour},
	)
	want := []string{"scans\trun 77ac, Complete, 60m old", "pets\trun 77ab, Running, 120m old"}
	for _, command := range []string{"push", "info", "cleanup"} {
		candidates, directive := completed(t, command, "--kubeconfig", s.kubeconfig, "--table", "")
		if diff := cmp.Diff(want, candidates); diff != "" || directive != keepOrder {
			t.Errorf("%s: directive %q, candidates (-want +got):\n%s", command, directive, diff)
		}
	}
	if candidates, _ := completed(t, "info", "--kubeconfig", s.kubeconfig, "--table", "p"); !slices.Equal(names(candidates), []string{"pets"}) {
		t.Errorf("got %q", candidates)
	}
}

// Whatever a cluster calls a table, a candidate is one line with one tab.
func TestHostileDescriptions(t *testing.T) {
	s := newRunsServer(t)
	for i, table := range []string{"a\nb", "a\tb", "\x1b[2J", "\u202ex", "$(touch /tmp/x)", "`id`", strings.Repeat("long ", 100), ":4"} {
		s.add(aRun{key: fmt.Sprintf("key%d", i), table: fmt.Sprintf("%q", table), task: "object_detection", age: time.Hour})
	}
	candidates, _ := completed(t, "status", "--kubeconfig", s.kubeconfig, "")
	if len(candidates) != 8 {
		t.Fatalf("%d candidates: %q", len(candidates), candidates)
	}
	for _, c := range candidates {
		name, description, _ := strings.Cut(c, "\t")
		if !strings.HasPrefix(name, "key") || len(name) != 4 || strings.ContainsAny(description, "\t\x1b\u202e") || len([]rune(description)) > maxDescription {
			t.Errorf("got %q", c)
		}
	}
}

func TestKubeconfigCompletions(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	writeText(t, kubeconfig, `{"apiVersion": "v1", "kind": "Config", "current-context": "",
		"contexts": [{"name": "prod", "context": {}}, {"name": "arn:aws:eks:eu-west-1:1:cluster/x", "context": {}}, {"name": "my own", "context": {}},
			{"name": "$(touch /tmp/x)", "context": {}}, {"name": "a\nb", "context": {}}, {"name": "_activeHelp_ hello", "context": {}}, {"name": "\u001b[2J", "context": {}}],
		"clusters": [{"name": "east", "cluster": {"server": "https://127.0.0.1:1"}}], "users": [{"name": "dana@east", "user": {}}]}`)
	for flag, want := range map[string][]string{
		"--context": {"arn:aws:eks:eu-west-1:1:cluster/x", "my own", "prod"}, "--cluster": {"east"}, "--user": {"dana@east"},
	} {
		candidates, directive := completed(t, "runs", "--kubeconfig", kubeconfig, flag, "")
		if diff := cmp.Diff(want, candidates); diff != "" || directive != noFile {
			t.Errorf("%s: directive %q, candidates (-want +got):\n%s", flag, directive, diff)
		}
	}
}

// A cluster that does not answer costs the timeout, and is not spoken of.
func TestCompletionOfSilence(t *testing.T) {
	asked := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	defer server.CloseClientConnections()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	writeText(t, kubeconfig, strings.ReplaceAll(readTestFile(t, "testdata/info/kubeconfig"), "http://127.0.0.1:1", server.URL))
	candidates, directive := completed(t, "runs", "--kubeconfig", kubeconfig, "-n", "")
	if len(candidates) != 0 || directive != noFile || len(asked) == 0 {
		t.Errorf("candidates %q, directive %q, asked %d times", candidates, directive, len(asked))
	}
}

// FuzzSafeWord: nothing that bash would expand, or a terminal obey, is offered.
func FuzzSafeWord(f *testing.F) {
	for _, word := range append(attacks(), "ml", "my own", "arn:aws:eks:1:cluster/x", "$(id)", "`id`") {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if isSafeWord(word) && (strings.ContainsAny(word, "\n\r\t\x00\x1b$`\\\"'<>(){}") || strings.HasPrefix(word, "_activeHelp_") || strings.HasPrefix(word, "-")) {
			t.Errorf("%q is offered", word)
		}
	})
}

func TestCompletionScripts(t *testing.T) {
	for shell, want := range map[string][]string{
		"bash":       {"__start_kubectl-tracebloc()", "complete -o default -F __start_kubectl-tracebloc kubectl-tracebloc", " __complete "},
		"zsh":        {"#compdef kubectl-tracebloc\n", "_kubectl-tracebloc()", " __complete "},
		"fish":       {"complete -c kubectl-tracebloc", "__kubectl_tracebloc_perform_completion", " __complete "},
		"powershell": {"Register-ArgumentCompleter -CommandName 'kubectl-tracebloc'", "__complete"},
	} {
		stdout, stderr, err := runRootCommand(t, "completion", shell)
		if err != nil || stderr != "" {
			t.Errorf("%s: %v, stderr %q", shell, err, stderr)
		}
		for _, text := range want {
			if strings.Count(stdout, text) == 0 {
				t.Errorf("%s: no %q in the script", shell, text)
			}
		}
		if n := strings.Count(stdout, "#compdef"); shell == "zsh" && n != 1 {
			t.Errorf("%d #compdef lines", n)
		}
	}
}

// The programs that kubectl asks do nothing but ask the plugin, and the help
// shows the same one.
func TestCompletionShims(t *testing.T) {
	shim := readTestFile(t, "../../plugins/kubectl_complete-tracebloc")
	if want := "#!/bin/sh\nexec kubectl-tracebloc " + cobra.ShellCompRequestCmd + " \"$@\"\n"; shim != want {
		t.Errorf("got %q, want %q", shim, want)
	}
	if inHelp := strings.ReplaceAll(shim, "\n", `\n`); !strings.Contains(completionExample, "printf '"+inHelp+"'") {
		t.Errorf("the help has another program than %q:\n%s", inHelp, completionExample)
	}
	windows := readTestFile(t, "../../plugins/kubectl_complete-tracebloc.cmd")
	if want := "@kubectl-tracebloc.exe " + cobra.ShellCompRequestCmd + " %*\r\n"; windows != want {
		t.Errorf("got %q, want %q", windows, want)
	}
}
