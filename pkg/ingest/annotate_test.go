package ingest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

// local is BuildLocal and Annotate of a good dataset of the task.
func local(t *testing.T, task dataset.Task) (*Config, string) {
	t.Helper()
	config, err := BuildLocal(inputFor(task))
	if err != nil {
		t.Fatal(err)
	}
	text, err := config.Annotate("Two lines of\nhead.")
	if err != nil {
		t.Fatal(err)
	}
	return config, string(text)
}

// sameSpec compares two specs by what is sent; a label without a policy is one with passthrough.
func sameSpec(t *testing.T, want, got *Config) {
	t.Helper()
	for _, c := range []**Config{&want, &got} {
		explicit := **c
		if explicit.Label != nil && explicit.Label.Policy == "" {
			explicit.Label = &Label{Column: explicit.Label.Column, Policy: dataset.PolicyPassthrough}
		}
		*c = &explicit
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the annotated spec is another one (-want +got):\n%s", diff)
	}
}

func TestAnnotateEveryTask(t *testing.T) {
	t.Parallel()
	for _, task := range dataset.Tasks {
		t.Run(task.Name, func(t *testing.T) {
			t.Parallel()
			config, text := local(t, task)
			compareGolden(t, "annotate/"+task.Name+".yaml", []byte(text))
			loaded, problems := Load("ingest.yaml", []byte(text))
			if len(problems) > 0 {
				t.Fatalf("problems: %v\n%s", problems, text)
			}
			sameSpec(t, config, loaded)
			for _, path := range []string{loaded.CSV, loaded.Images, loaded.Annotations, loaded.Masks, loaded.Texts, loaded.Sequences} {
				if strings.HasPrefix(path, "/") {
					t.Errorf("the path %q is absolute", path)
				}
			}
		})
	}
}

// commentedField is a line that sets a field, or explains one inside of it, once its # is gone; text has one blank there.
var commentedField = regexp.MustCompile(`^( *)#((?:  |[a-z_]+:).*)$`)

// uncommented takes the # away from every field that is commented out.
func uncommented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if m := commentedField.FindStringSubmatch(line); m != nil {
			lines[i] = m[1] + m[2]
		}
	}
	return strings.Join(lines, "\n")
}

// TestAnnotateOffersFields sets every offered field: the spec stays valid, and each offer of the list is made by some task.
func TestAnnotateOffersFields(t *testing.T) {
	t.Parallel()
	missing := map[string]bool{"schema": true, "time_column": true, "data_id": true, "csv_options": true, "min_size": true}
	for _, task := range dataset.Tasks {
		in := inputFor(task)
		in.TimeColumn = ""
		config, err := BuildLocal(in)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := config.Annotate("")
		if err != nil {
			t.Fatal(err)
		}
		whole := uncommented(string(plain))
		loaded, problems := Load("ingest.yaml", []byte(whole))
		if problems.Errors() > 0 {
			t.Fatalf("%s: %v\n%s", task.Name, problems, whole)
		}
		for name, offered := range map[string]bool{
			"schema":      len(config.Schema) == 0 && len(loaded.Schema) > 0,
			"time_column": config.TimeColumn == "" && loaded.TimeColumn != "",
			"data_id":     loaded.DataID != nil && loaded.DataID.Column != "",
			"csv_options": loaded.Spec != nil && loaded.Spec.CSVOptions != nil && loaded.Spec.CSVOptions.EscapeChar == `\`,
			"min_size":    loaded.Spec.FileOptions != nil && loaded.Spec.FileOptions.MinSize != nil,
		} {
			if offered {
				delete(missing, name)
			}
			fits := map[string]bool{
				"schema": task.Takes("schema") && len(config.Schema) == 0, "time_column": task.Takes("time-column"), "data_id": true, "csv_options": true,
				"min_size": task.Family == dataset.FamilyImage,
			}[name]
			if offered != fits {
				t.Errorf("%s: %s is offered: %v, want %v", task.Name, name, offered, fits)
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("never offered: %v", missing)
	}
}

// TestAnnotateExplainsEveryField: above each field of the text, set or not, stands a comment.
func TestAnnotateExplainsEveryField(t *testing.T) {
	t.Parallel()
	field := regexp.MustCompile(`^ *([a-zA-Z_]+):`)
	for _, task := range dataset.Tasks {
		_, text := local(t, task)
		before, columns := "", false
		for line := range strings.SplitSeq(uncommented(text), "\n") {
			m := field.FindStringSubmatch(line)
			columns = columns && strings.HasPrefix(line, "  ")
			if m != nil && !columns && !strings.HasPrefix(strings.TrimLeft(before, " "), "# ") {
				t.Errorf("%s: %q has no comment; before it stands %q", task.Name, line, before)
			}
			columns = columns || m != nil && m[1] == "schema"
			before = line
		}
	}
}

// TestAnnotateKeepsWhatItDoesNotExplain: fields that the schema lets through without knowing them stay.
func TestAnnotateKeepsWhatItDoesNotExplain(t *testing.T) {
	t.Parallel()
	task, _ := dataset.TaskByName("image_classification")
	config, err := BuildLocal(inputFor(task))
	if err != nil {
		t.Fatal(err)
	}
	config.Spec.FileOptions.Extra = map[string]any{"a b": "yes"}
	config.Spec.Validators = []string{"x"}
	config.Spec.Sidecars = []Sidecar{{Column: "c", Source: "s"}}
	config.DataID = &DataID{Strategy: "uuid"}
	text, err := config.Annotate("")
	if err != nil {
		t.Fatal(err)
	}
	loaded, problems := Load("ingest.yaml", text)
	if problems.Errors() > 0 {
		t.Fatalf("%v\n%s", problems, text)
	}
	sameSpec(t, config, loaded)
}

func TestBuildLocalRefuses(t *testing.T) {
	t.Parallel()
	task, _ := dataset.TaskByName("keypoint_detection")
	in := inputFor(task)
	in.Keypoints = 0
	if _, err := BuildLocal(in); err == nil || !strings.Contains(err.Error(), "number_of_keypoints") {
		t.Errorf("without the number of keypoints: %v", err)
	}
}

func tabular(names ...string) *Config {
	c := &Config{
		APIVersion: APIVersion, Kind: Kind, Category: "tabular_classification", Table: "t", Intent: "train", CSV: "data.csv",
		Label: &Label{Column: names[0]},
	}
	for _, name := range names {
		c.Schema = append(c.Schema, dataset.Column{Name: name, Type: "VARCHAR(5)"})
	}
	return c
}

var hostileNames = []string{
	"yes", "n", "1", "1_000", "0x1f", "1e3", "12:30", "2024-01-01", "~", "null", ".inf", "a: b", "a:", "#x", "x #y", "- a", "? a", "*a", "&a", "!a", "%a",
	"@a", "`a", "|", ">", "{a}", "[a]", "a,b", "'a'", `"a"`, `a\b`, `\n`, "=", "<<", "größe", "名前", "a\u202eb", "a\u2028b", "x\u00a0y", "a\u00adb",
	"a\ufeffb", "😀", "---", "...", "a  b", strings.Repeat("é", 64),
}

func TestAnnotateHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range hostileNames {
		holdsName(t, name)
	}
	config := tabular(append([]string{"label"}, hostileNames...)...)
	text, err := config.Annotate("")
	if err != nil {
		t.Fatal(err)
	}
	loaded, problems := Load("ingest.yaml", text)
	if loaded == nil {
		t.Fatalf("all names in one spec: %v", problems)
	}
	sameSpec(t, config, loaded)
}

// holdsName writes a spec with one column of that name, and reads it: as written, with all that is commented out, and as
// a terminal gets it.
func holdsName(t *testing.T, name string) {
	t.Helper()
	config := tabular(name)
	if config.Validate().Errors() > 0 {
		return // no CSV column that can be ingested has this name
	}
	text, err := config.Annotate("")
	if err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	for what, form := range map[string]string{"plain": string(text), "uncommented": uncommented(string(text)), "escaped": progress.Escape(string(text))} {
		loaded, problems := Load("ingest.yaml", []byte(form))
		if loaded == nil {
			t.Fatalf("%q, %s: %v\n%s", name, what, problems, form)
		}
		if loaded.Label.Column != name || len(loaded.Schema) != 1 || loaded.Schema[0] != config.Schema[0] {
			t.Errorf("%q, %s: comes back as %q and %q", name, what, loaded.Label.Column, loaded.Schema)
		}
	}
}

func FuzzAnnotate(f *testing.F) {
	for _, name := range hostileNames {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) { holdsName(t, name) })
}
