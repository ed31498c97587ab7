package push

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
)

// Both tasks go all the way to rows, over both transports, and every value is compared.
func TestPushImages(t *testing.T) {
	r := sharedRelease(t)
	for transport, value := range map[string]string{"websocket": "true", "spdy": "false"} {
		t.Run(transport, func(t *testing.T) {
			names := []string{"a.png", "with space.png", "grüße-日本.png"}
			table := "images_" + transport
			dir := imageSet(t, filepath.Join(t.TempDir(), table), 64, 48, names...)
			c := plugin(t.Context(), "push", dir, "-n", r.Options.Namespace, "-o", "json")
			c.Env = append(c.Environ(), "KUBECTL_REMOTE_COMMAND_WEBSOCKETS="+value, "KUBECTL_PORT_FORWARD_WEBSOCKETS="+value)
			pushed := finish(t, c).expect(t, 0).object(t)
			if pushed.Status.Phase != "Succeeded" || pushed.Status.Records["inserted"] != 3 || !pushed.Status.Staging.Removed {
				t.Errorf("got %+v", pushed.Status)
			}
			got := rows(t, r, table, "filename", "extension", "label", "data_intent")
			want := [][]string{{"a", ".png", "cat", "train"}, {"with space", ".png", "dog", "train"}, {"grüße-日本", ".png", "cat", "train"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			noStagePods(t, r.Client, r.Options.Namespace)
		})
	}
}

// Names that a shell would trip over arrive as they are.
func TestPushHostileNames(t *testing.T) {
	r := sharedRelease(t)
	names := []string{"$(touch pwned).png", "'single' `back`.png", "-leading.png", "glob[1]*?.png", "semi;colon&.png", strings.Repeat("long", 40) + ".png"}
	dir := imageSet(t, filepath.Join(t.TempDir(), "hostile_names"), 32, 32, names...)
	run(t, "push", dir, "-n", r.Options.Namespace).expect(t, 0)
	var got []string
	for _, row := range rows(t, r, "hostile_names", "filename") {
		got = append(got, row[0]+".png")
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

const churn = `age,income,city,member,since,label
31,1200.5,Köln,true,2021-01-31,stays
54,,"New York, NY",false,2019-12-01,leaves
,300,O'Hara,true,,stays
29,77777.25,"two
lines",false,2022-02-28,leaves
`

func TestPushTabular(t *testing.T) {
	r := sharedRelease(t)
	file := filepath.Join(t.TempDir(), "churn.csv")
	write(t, file, churn)
	got := run(t, "push", file, "--task=tabular_classification", "-n", r.Options.Namespace, "-o", "json").expect(t, 0).object(t)
	if got.Spec.Table != "churn" || got.Status.Records["sent"] != 4 {
		t.Errorf("got %+v", got)
	}
	stored := rows(t, r, "churn", "age", "income", "city", "since", "label")
	want := [][]string{
		{"31", "1200.5", "Köln", "2021-01-31", "stays"},
		{"54", "NULL", "New York, NY", "2019-12-01", "leaves"},
		{"NULL", "300", "O'Hara", "NULL", "stays"},
		{"29", "77777.25", "two\nlines", "2022-02-28", "leaves"},
	}
	if diff := cmp.Diff(want, stored); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	// The same data again would be appended: it is refused before anything is sent.
	again := run(t, "push", file, "--task=tabular_classification", "-n", r.Options.Namespace, "-o", "json").expect(t, 6, got.Metadata.Name).object(t)
	if again.Status.Phase != "Refused" || again.Status.Step != "destination" {
		t.Errorf("got %+v", again.Status)
	}
	noStagePods(t, r.Client, r.Options.Namespace)
}

// The same key never starts a second run: a script that repeats its command gets the first run's outcome.
func TestSameKeyAgain(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "same_key"), 32, 32, numbered(4)...)
	args := []string{"push", dir, "-n", r.Options.Namespace, "--idempotency-key=e2e-same-key", "-o", "json"}
	first := run(t, args...).expect(t, 0).object(t)
	second := run(t, args...).expect(t, 0).object(t)
	if first.Status.Job != second.Status.Job || second.Status.Records["inserted"] != 4 {
		t.Errorf("first %+v\nsecond %+v", first.Status, second.Status)
	}
	if n := len(rows(t, r, "same_key", "id")); n != 4 {
		t.Errorf("the table has %d rows, want 4", n)
	}
}

func TestDryRuns(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "dry"), 32, 32, numbered(4)...)
	c := plugin(t.Context(), "push", dir, "--dry-run=client", "-o", "json")
	c.Env = append(c.Environ(), "KUBECONFIG=/dev/null")
	client := finish(t, c).expect(t, 0).object(t)
	server := run(t, "push", dir, "--dry-run=server", "-n", r.Options.Namespace, "-o", "json").expect(t, 0).object(t)
	for _, o := range []ingestionRun{client, server} {
		if o.Status.Phase != "Planned" || o.Status.Job != "" {
			t.Errorf("got %+v", o.Status)
		}
	}
	if client.Spec.IngestConfig != server.Spec.IngestConfig {
		t.Errorf("the two dry runs differ:\n%s", cmp.Diff(client.Spec.IngestConfig, server.Spec.IngestConfig))
	}
	noStagePods(t, r.Client, r.Options.Namespace)
}

// The built-in edit role is enough, and view is told what it lacks before anything is sent.
func TestRoles(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "by_editor"), 32, 32, numbered(4)...)
	editor, viewer := userFile(t, r, "editor", "edit"), userFile(t, r, "viewer", "view")
	refused := run(t, "push", dir, "-n", r.Options.Namespace, "--kubeconfig", viewer, "-o", "json").
		expect(t, 5, "pods/exec", "serviceaccounts/token", "rolebinding").object(t)
	if refused.Status.Step != "access" || refused.Status.Staging.SentBytes != 0 {
		t.Errorf("got %+v", refused.Status)
	}
	run(t, "push", dir, "-n", r.Options.Namespace, "--kubeconfig", editor).expect(t, 0)
	run(t, "info", "-n", r.Options.Namespace, "--kubeconfig", editor).expect(t, 0)
	run(t, "info", "-n", r.Options.Namespace, "--kubeconfig", viewer).expect(t, 5)
	noStagePods(t, r.Client, r.Options.Namespace)
}

// rows reads columns of a table in the order of insertion; NULL comes back as "NULL".
func rows(t *testing.T, r *release.Release, table string, columns ...string) [][]string {
	t.Helper()
	content, err := r.Rows(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	var values [][]string
	for _, row := range content.Rows {
		var line []string
		for _, column := range columns {
			value, ok := row[column].(string)
			if !ok {
				value = "NULL"
			}
			line = append(line, value)
		}
		values = append(values, line)
	}
	return values
}

// A token never shows, however much is logged.
func TestTokensAreNeverLogged(t *testing.T) {
	r := sharedRelease(t)
	for transport, value := range map[string]string{"websocket": "true", "spdy": "false"} {
		t.Run(transport, func(t *testing.T) {
			table := "verbose_" + transport
			dir := imageSet(t, filepath.Join(t.TempDir(), table), 32, 32, numbered(4)...)
			c := plugin(t.Context(), "push", dir, "-n", r.Options.Namespace, "-v=10")
			c.Env = append(c.Environ(), "KUBECTL_REMOTE_COMMAND_WEBSOCKETS="+value, "KUBECTL_PORT_FORWARD_WEBSOCKETS="+value)
			got := finish(t, c).expect(t, 0, "selfsubjectaccessreviews")
			// Every JSON web token begins with an encoded {". A body may be dumped in hex, where only the name of its kind is whole.
			for line := range strings.Lines(got.stderr) {
				if strings.Contains(line, "eyJ") || strings.Contains(line, "TokenReque") {
					t.Errorf("a token is logged: %.120q...", line)
				}
			}
		})
	}
}
