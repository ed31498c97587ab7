package cmd

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
	"github.com/tracebloc/kubectl-tracebloc/pkg/stage"
)

// stagedVolume answers as the script in a stage Pod does: with these lines to a
// listing, and with what purge says to a removal, or that all went well.
type stagedVolume struct {
	lines []string
	purge map[string]string
	// then is called before each answer to a removal.
	then func()

	mu     sync.Mutex
	purged []string
}

func (v *stagedVolume) Exec(ctx context.Context, _ podio.Target, command []string, _ io.Reader, stdout, _ io.Writer) error {
	if len(command) < 10 || command[3] != "tracebloc-stage" {
		return fmt.Errorf("unexpected command %q", command)
	}
	nonce := command[9]
	say := func(text string) {
		verb, rest, _ := strings.Cut(text, " ")
		_, _ = fmt.Fprintln(stdout, strings.TrimSpace(verb+" "+nonce+" "+rest)) // a test's buffer
	}
	switch command[4] {
	case "inventory":
		for _, line := range v.lines {
			say(line)
		}
		say("LISTED")
	case "purge":
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.then != nil {
			v.then()
		}
		if answer := v.purge[command[10]]; answer != "" {
			say(answer)
			break
		}
		v.purged = append(v.purged, command[6]+"/"+command[10])
		say("PURGED removed")
	}
	return ctx.Err()
}

func inHex(text string) string { return hex.EncodeToString([]byte(text)) }

func recordOf(key string) string {
	return inHex(`{"key":"` + key + `","spec_sha256":"aa","table":"chest_old","created":"2026-03-04T05:06:07Z"}`)
}

// leftovers has one thing of each kind: what may go, and what may not.
func leftovers() []string {
	const clock, twoDays, anHour = 1_800_000_000, 1_800_000_000 - 48*3600, 1_800_000_000 - 3600
	owner := "11111111-aaaa-bbbb-cccc-000000000001"
	return []string{
		fmt.Sprintf("CLOCK %d", clock),
		"OTHER chest_old " + inHex("/data/shared/.tracebloc-staging/chest_old/im\x1b[31mages\x00"),
		fmt.Sprintf("ITEM chest_old 00000000000000aa d 65534 %d 3 3145728 - %s", twoDays, recordOf("run-1")),
		fmt.Sprintf("ITEM chest_old 00000000000000bb d 65534 %d 2 10 - %s", twoDays, recordOf("run-2")),
		fmt.Sprintf("ITEM chest_old 00000000000000cc d 65534 %d 2 10 - -", anHour),
		fmt.Sprintf("ITEM skin .00000000000000dd.push d 65534 %d 9 2147483648 %s, -", twoDays, owner),
		fmt.Sprintf("ITEM skin .trash-fedcba9876543210-1 d 0 %d 1 7 - -", twoDays),
	}
}

// cleanupCluster is that of info, with a stage Pod that has ended and a run that
// is at work. Its stage Pods are Ready at once.
func cleanupCluster(t *testing.T, denied ...string) *fake.Clientset {
	t.Helper()
	client := infoCluster(t, denied...)
	pod := stage.BuildPod(stage.PodOptions{Name: "tracebloc-stage-old", Namespace: "ml", Image: "x", PVC: "client-pvc", MountPath: "/data/shared", Table: "skin"})
	pod.UID, pod.CreationTimestamp = "22", metav1.NewTime(time.Now().Add(-48*time.Hour))
	pod.Status = corev1.PodStatus{Phase: corev1.PodSucceeded}
	labels := map[string]string{run.Label: "run-2"}
	for _, object := range []runtime.Object{
		pod,
		&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "ingest-job-2", Namespace: "ml", Labels: labels}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "ingest-config-2", Namespace: "ml", Labels: labels}, Data: map[string]string{
			"ingest.yaml": "kind: IngestConfig\ntable: chest_old\ncsv: /data/shared/.tracebloc-staging/chest_old/00000000000000bb/labels.csv\n",
		}},
	} {
		if err := client.Tracker().Add(object); err != nil {
			t.Fatal(err)
		}
	}
	started := 0
	client.PrependReactor("create", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		pod := a.(clienttesting.CreateAction).GetObject().(*corev1.Pod).DeepCopy()
		started++
		pod.UID = types.UID(fmt.Sprintf("3%d", started))
		pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
		return true, pod, client.Tracker().Create(a.GetResource(), pod, "ml")
	})
	return client
}

// stagePods are the names of those that are there.
func stagePods(t *testing.T, client *fake.Clientset) []string {
	t.Helper()
	list, err := client.CoreV1().Pods("ml").List(context.Background(), metav1.ListOptions{LabelSelector: stage.Selector})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pod := range list.Items {
		names = append(names, pod.Name)
	}
	return names
}

var podAge = regexp.MustCompile(`(ageSeconds"?: )1728\d\d`)

func TestCleanup(t *testing.T) {
	t.Parallel()
	refused := map[string]string{
		"00000000000000aa":       "SPARED write " + inHex("rm: can't remove 'x\x1b[31m': Permission denied"),
		".00000000000000dd.push": "SPARED held " + inHex("x"),
	}
	yes := func(context.Context, genericiooptions.IOStreams, string) (bool, error) { return true, nil }
	no := func(context.Context, genericiooptions.IOStreams, string) (bool, error) { return false, nil }
	for _, tt := range []struct {
		name   string // and the golden file
		change func(o *cleanupOptions)
		purge  map[string]string
		denied []string
		lines  []string
		code   int
		err    string
		stderr []string
		purged []string
		pods   []string // that stay
	}{
		{name: "list.txt", stderr: []string{"Nothing was removed; --yes removes 4 items, 2.00 GiB"}, pods: []string{"tracebloc-stage-old"}},
		{name: "list.json", change: func(o *cleanupOptions) { o.output = "json" }, pods: []string{"tracebloc-stage-old"}},
		{name: "list.yaml", change: func(o *cleanupOptions) { o.output, o.dryRun = "yaml", "client" }, pods: []string{"tracebloc-stage-old"}},
		{name: "list.name", change: func(o *cleanupOptions) { o.output = "name" }, pods: []string{"tracebloc-stage-old"}},
		{name: "yes.txt", change: func(o *cleanupOptions) { o.yes = true }, code: exitStage, err: "1 item could not be removed",
			stderr: []string{`warning: trash/skin/.trash-fedcba9876543210-1 could not be removed: "/data/shared/.tracebloc-staging/skin/.trash-fedcba9876543210-1": permission: "it belongs to root`,
				"Removed 3 of 4 items, 2.00 GiB"},
			purged: []string{"chest_old/00000000000000aa", "skin/.00000000000000dd.push"}},
		{name: "yes.json", change: func(o *cleanupOptions) { o.yes, o.output = true, "json" }, purge: refused, code: exitStage, err: "2 items could not be removed",
			stderr: []string{"work/skin/.00000000000000dd.push stays: a push is at work in it", `can't remove 'x\x1b[31m'`}},
		{name: "yes.name", change: func(o *cleanupOptions) { o.yes, o.output = true, "name" }, purge: refused, code: exitStage, err: "2 items could not be removed"},
		{name: "answer-yes.txt", change: func(o *cleanupOptions) { o.canAsk, o.ask = func(genericiooptions.IOStreams) bool { return true }, yes }, code: exitStage,
			err: "1 item could not be removed", purged: []string{"chest_old/00000000000000aa", "skin/.00000000000000dd.push"}},
		{name: "answer-no.txt", change: func(o *cleanupOptions) { o.canAsk, o.ask = func(genericiooptions.IOStreams) bool { return true }, no },
			stderr: []string{"Nothing was removed"}, pods: []string{"tracebloc-stage-old"}},
		{name: "table.txt", change: func(o *cleanupOptions) { o.table, o.yes = "chest_old", true }, purged: []string{"chest_old/00000000000000aa"}, pods: []string{"tracebloc-stage-old"}},
		{name: "young.txt", change: func(o *cleanupOptions) { o.olderThan, o.yes = 100*time.Hour, true }, stderr: []string{"Nothing is to be removed"}, pods: []string{"tracebloc-stage-old"}},
		{name: "truncated.json", lines: []string{"CLOCK 1800000000", "MORE skin_x"}, change: func(o *cleanupOptions) { o.output, o.table = "json", "skin_x" },
			pods: []string{"tracebloc-stage-old"}},
		{name: "no-release.json", change: func(o *cleanupOptions) { o.release, o.output = "nobody", "json" }, code: exitRelease,
			err: `no tracebloc client release "nobody" in namespace "ml"; the namespace has "acme" (pick one with --release)`, pods: []string{"tracebloc-stage-old"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := cleanupCluster(t, tt.denied...)
			streams, _, out, errOut := genericiooptions.NewTestIOStreams()
			volume := &stagedVolume{lines: leftovers(), purge: tt.purge}
			if tt.lines != nil {
				volume.lines = tt.lines
			}
			o := newCleanupOptions(streams)
			o.client, o.namespace, o.exec = client, "ml", volume
			if tt.change != nil {
				tt.change(o)
			}
			o.report = newCleanupReport(o)
			err := o.conclude(o.run(t.Context()))
			if ExitCode(err) != tt.code || errorText(err) != tt.err {
				t.Errorf("exit code %d, want %d; error\n got %s\nwant %s", ExitCode(err), tt.code, errorText(err), tt.err)
			}
			for _, text := range tt.stderr {
				if !strings.Contains(errOut.String(), text) {
					t.Errorf("stderr lacks %q:\n%s", text, errOut)
				}
			}
			if strings.Contains(errOut.String()+out.String(), "\x1b") {
				t.Errorf("unescaped: %q %q", out, errOut)
			}
			if !slices.Equal(volume.purged, tt.purged) && tt.purge == nil {
				t.Errorf("removed %q, want %q", volume.purged, tt.purged)
			}
			if got := stagePods(t, client); !slices.Equal(got, tt.pods) {
				t.Errorf("pods %q, want %q", got, tt.pods)
			}
			golden(t, "cleanup/"+tt.name, podAge.ReplaceAllString(out.String(), "${1}172800"))
		})
	}
}

// TestCleanupDenied: what is not allowed is said before a Pod is started.
func TestCleanupDenied(t *testing.T) {
	t.Parallel()
	client := cleanupCluster(t, "create pods/exec", "list jobs")
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	o := newCleanupOptions(streams)
	o.client, o.namespace, o.exec, o.yes = client, "ml", &stagedVolume{}, true
	o.report = newCleanupReport(o)
	err := o.run(t.Context())
	if ExitCode(err) != exitAuth || !strings.Contains(errorText(err), "pods/exec") || !strings.Contains(errorText(err), "jobs") {
		t.Errorf("exit code %d, %v", ExitCode(err), err)
	}
	for _, action := range client.Actions() {
		if action.GetVerb() == "create" && action.GetResource().Resource == "pods" {
			t.Error("a pod was started")
		}
	}
}

// TestCleanupInterrupted: at any moment, no stage Pod is left, and the message
// says how far it came.
func TestCleanupInterrupted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(o *cleanupOptions, v *stagedVolume, cancel context.CancelFunc)
		text   string
		pods   []string
	}{
		"at once": {func(_ *cleanupOptions, _ *stagedVolume, cancel context.CancelFunc) { cancel() }, "interrupted while asking the cluster", []string{"tracebloc-stage-old"}},
		"asking": {func(o *cleanupOptions, _ *stagedVolume, cancel context.CancelFunc) {
			o.yes = false
			o.canAsk = func(genericiooptions.IOStreams) bool { return true }
			o.ask = func(ctx context.Context, _ genericiooptions.IOStreams, _ string) (bool, error) {
				cancel()
				return false, context.Cause(ctx)
			}
		}, "interrupted while asking; nothing was removed", []string{"tracebloc-stage-old"}},
		"removing": {func(_ *cleanupOptions, v *stagedVolume, cancel context.CancelFunc) {
			v.then = cancel
			v.purge = map[string]string{"00000000000000aa": "BUSY"}
		}, "interrupted while removing; 1 of 4 items, 0 B so far", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			client := cleanupCluster(t)
			streams, _, _, _ := genericiooptions.NewTestIOStreams()
			volume := &stagedVolume{lines: leftovers()}
			o := newCleanupOptions(streams)
			o.client, o.namespace, o.exec, o.yes = client, "ml", volume, true
			tt.change(o, volume, cancel)
			o.report = newCleanupReport(o)
			err := o.conclude(o.run(ctx))
			if ExitCode(err) != exitInterrupted || !strings.Contains(errorText(err), tt.text) {
				t.Errorf("exit code %d, %v", ExitCode(err), err)
			}
			if got := stagePods(t, client); !slices.Equal(got, tt.pods) {
				t.Errorf("pods %q, want %q", got, tt.pods)
			}
		})
	}
}

// TestCleanupRuns: who counts as a reader of staged files.
func TestCleanupRuns(t *testing.T) {
	t.Parallel()
	client := infoCluster(t)
	add := func(object runtime.Object) {
		if err := client.Tracker().Add(object); err != nil {
			t.Fatal(err)
		}
	}
	meta := func(name, key string, age time.Duration) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: "ml", Labels: map[string]string{run.Label: key}, CreationTimestamp: metav1.NewTime(time.Now().Add(-age))}
	}
	done := batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue}}}
	spec := map[string]string{"ingest.yaml": "kind: IngestConfig\ntable: t\ncsv: /data/shared/.tracebloc-staging/t/00000000000000aa/labels.csv\n"}
	add(&batchv1.Job{ObjectMeta: meta("job-active", "active", time.Hour)})
	add(&corev1.ConfigMap{ObjectMeta: meta("config-active", "active", time.Hour), Data: spec})
	add(&batchv1.Job{ObjectMeta: meta("job-blind", "blind", time.Hour)})
	add(&batchv1.Job{ObjectMeta: meta("job-failed", "failed", time.Hour), Status: done})
	add(&batchv1.Job{ObjectMeta: meta("job-lingers", "lingers", time.Hour), Status: done})
	add(&corev1.Pod{ObjectMeta: meta("pod-lingers", "lingers", time.Hour), Status: corev1.PodStatus{Phase: corev1.PodRunning}})
	add(&corev1.Pod{ObjectMeta: meta("pod-failed", "failed", time.Hour), Status: corev1.PodStatus{Phase: corev1.PodFailed}})
	add(&corev1.Pod{ObjectMeta: meta("pod-alone", "alone", time.Hour), Status: corev1.PodStatus{Phase: corev1.PodPending}})
	add(&corev1.ConfigMap{ObjectMeta: meta("config-fresh", "fresh", time.Minute), Data: spec})
	add(&corev1.ConfigMap{ObjectMeta: meta("config-old", "old", time.Hour), Data: spec})

	runs, err := (&cleanupOptions{client: client, namespace: "ml"}).runs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range runs {
		text := "over"
		if r.Active {
			text = "active"
		}
		if r.Blind {
			text += " blind"
		}
		if r.Reads != nil && r.Reads("/data/shared/.tracebloc-staging/t/00000000000000aa") {
			text += " reads"
		}
		got[r.Key] = text
	}
	want := map[string]string{
		"active": "active reads", "blind": "active blind reads", "failed": "over blind reads", "lingers": "active blind reads", "alone": "active blind",
		"fresh": "active reads", "old": "over reads", "run-1": "over",
	}
	for key, text := range want {
		if got[key] != text {
			t.Errorf("%s: %q, want %q", key, got[key], text)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %q", got)
	}
}

func TestAskYes(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]bool{"y\n": true, "YES\r\n": true, " yes \n": true, "n\n": false, "\n": false, "": false, "y": true, "yesterday\n": false} {
		streams, in, _, errOut := genericiooptions.NewTestIOStreams()
		in.WriteString(input)
		got, err := askYes(t.Context(), streams, "Remove \x1b[31mall?")
		if got != want || err != nil || errOut.String() != `Remove \x1b[31mall? [y/N]: ` {
			t.Errorf("%q: %v, %v, asked %q", input, got, err, errOut)
		}
		if canAsk(streams) {
			t.Error("a buffer is no terminal")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	if yes, err := askYes(ctx, genericiooptions.IOStreams{In: r, ErrOut: io.Discard}, "?"); yes || err == nil {
		t.Errorf("canceled: %v, %v", yes, err)
	}
}

func TestCleanupFlags(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"format":     {args: []string{"-o", "wide"}, code: exitSpec, want: `output format "wide" is not known (use -o json, -o yaml or -o name)`},
		"table":      {args: []string{"--table", "1cat"}, code: exitSpec, want: "1cat"},
		"no table":   {args: []string{"--table", ""}, code: exitSpec, want: "--table"},
		"older than": {args: []string{"--older-than", "-1h"}, code: exitSpec, want: "--older-than=-1h0m0s: must not be negative"},
		"duration":   {args: []string{"--older-than", "1 day"}, code: exitSpec, want: "1 day"},
		"dry run":    {args: []string{"--dry-run", "server"}, code: exitSpec, want: `--dry-run="server": must be none or client`},
		"both":       {args: []string{"--dry-run", "client", "--yes"}, code: exitSpec, want: "--yes"},
		"argument":   {args: []string{"acme"}, code: exitSpec, want: `"acme"`},
		"context":    {args: []string{"--context", "nowhere"}, code: exitRelease, want: "nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, _, err := runRootCommand(t, append([]string{"cleanup", "--kubeconfig", "testdata/info/kubeconfig"}, tt.args...)...)
			if ExitCode(err) != tt.code || !strings.Contains(errorText(err), tt.want) || stdout != "" {
				t.Errorf("exit code %d, want %d; error %v; stdout %q", ExitCode(err), tt.code, err, stdout)
			}
		})
	}
}
