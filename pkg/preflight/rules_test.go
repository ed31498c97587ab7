package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// ruleCase is the smallest dataset that breaks a rule, and the smallest that just passes it.
type ruleCase struct {
	rule        string
	name        string // when a rule has several cases
	breaks      tree
	passes      tree
	params      func(*Params)
	fixed       func(*Params) // the parameters of the passing dataset, where they are what is wrong
	tabular     bool
	also        []string // rules that break with it, notes aside
	passesStill []string // rules that the passing dataset breaks all the same, notes aside
	breakIt     func(t *testing.T, dir string)
}

func TestRules(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(layoutCases(), csvCases(), filenameCases(), imageCases(), contentCases(), labelCases(), keypointCases(), idCases(), timeCases(), sequenceCases(), schemaCases(), valueCases()) {
		t.Run(c.rule+" "+c.name, func(t *testing.T) {
			t.Parallel()
			base := imageParams(t)
			if c.tabular {
				base = tabularParams(t)
			}
			p := base
			if c.params != nil {
				c.params(&p)
			}
			dir := c.breaks.Write(t)
			if c.breakIt != nil {
				c.breakIt(t, dir)
			}
			bad := checkPath(t, dir, p)
			if bad.Totals[c.rule] == 0 {
				t.Errorf("rule not broken by the breaking dataset; findings %v", bad.Findings)
			}
			want := append(slices.Clone(c.also), c.rule)
			want = slices.DeleteFunc(want, func(id string) bool { return ruleByID(id).Severity == SeverityNote })
			slices.Sort(want)
			if diff := cmp.Diff(want, rulesOf(bad), emptyIsNil); diff != "" {
				t.Errorf("rules of the breaking dataset (-want +got):\n%s%v", diff, bad.Findings)
			}
			if c.fixed != nil {
				p = base
				c.fixed(&p)
			}
			good := checkPath(t, c.passes.Write(t), p)
			if good.Totals[c.rule] != 0 {
				t.Errorf("rule broken by the passing dataset: %v", good.Findings)
			}
			if diff := cmp.Diff(c.passesStill, rulesOf(good), emptyIsNil); diff != "" {
				t.Errorf("rules of the passing dataset (-want +got):\n%s%v", diff, good.Findings)
			}
		})
	}
}

var emptyIsNil = cmp.Transformer("emptyIsNil", func(s []string) []string {
	if len(s) == 0 {
		return []string{}
	}
	return s
})

// TestEveryRuleHasACase keeps the register and the cases together.
func TestEveryRuleHasACase(t *testing.T) {
	t.Parallel()
	have := map[string]bool{"file-unreadable": true} // see TestUnreadableFile
	for _, c := range slices.Concat(layoutCases(), csvCases(), filenameCases(), imageCases(), contentCases(), labelCases(), keypointCases(), idCases(), timeCases(), sequenceCases(), schemaCases(), valueCases()) {
		have[c.rule] = true
	}
	seen := map[string]bool{}
	for _, r := range Rules {
		if !have[r.ID] {
			t.Errorf("rule %q has no case", r.ID)
		}
		if seen[r.ID] {
			t.Errorf("rule %q is registered twice", r.ID)
		}
		seen[r.ID] = true
		if r.Summary == "" || r.Section == "" || strings.HasSuffix(r.Summary, ".") || (r.Remedy == "" && r.Severity != SeverityNote) {
			t.Errorf("rule %q is not fully described: %+v", r.ID, r)
		}
	}
}

// TestUnreadableFile does not take a file's permissions away, because root reads it all the same.
func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	c := &checker{report: newReport()}
	denied := &fs.PathError{Op: "openat", Path: "images/a.png", Err: syscall.EACCES}
	if err := c.openError("images/a.png", fmt.Errorf("open: %w", denied)); err != nil {
		t.Errorf("openError(%v) = %v, want a finding", denied, err)
	}
	broken := &fs.PathError{Op: "openat", Path: "images/b.png", Err: syscall.EIO}
	if err := c.openError("images/b.png", broken); !errors.Is(err, syscall.EIO) {
		t.Errorf("openError(%v) = %v, want the error itself", broken, err)
	}
	got := c.report.findings()
	if len(got) != 1 || got[0].Rule != "file-unreadable" || got[0].File != "images/a.png" {
		t.Errorf("findings %v, want file-unreadable of images/a.png", got)
	}
}

const features = "age,label\n1,a\n2,b\n"

func layoutCases() []ruleCase {
	mlm := func(p *Params) { p.Task = mustTask("masked_language_modeling") }
	texts := tree{"labels.csv": "filename\na.txt\n", "sequences/a.txt": "x", "tokenizer.json": good("masked_language_modeling")["tokenizer.json"]}
	replace := func(path string, make func(full string) error) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			full := filepath.Join(dir, path)
			must(t, os.RemoveAll(full))
			must(t, make(full))
		}
	}
	return []ruleCase{
		{rule: "table-name", name: "underscore", breaks: images(), passes: images(), params: func(p *Params) { p.Table = "_t" }, fixed: func(p *Params) { p.Table = "t_1" }},
		{rule: "table-name", name: "length", breaks: images(), passes: images(),
			params: func(p *Params) { p.Table = strings.Repeat("t", 64) }, fixed: func(p *Params) { p.Table = strings.Repeat("t", 63) }},
		{rule: "csv-missing", breaks: images().Without("labels.csv"), passes: images()},
		{rule: "csv-missing", name: "several", tabular: true, breaks: tree{"a.csv": features, "b.csv": features}, passes: tree{"labels.csv": features, "b.csv": features}},
		{rule: "label-one-value", params: ofTask("object_detection"), breaks: good("object_detection").With("labels.csv", "filename,label\na,x\nb,x\n"), passes: good("object_detection")},
		{rule: "csv-name", tabular: true, breaks: tree{"data.CSV": features}, passes: tree{"data.csv": features}},
		{rule: "dir-missing", breaks: tree{"labels.csv": images()["labels.csv"], "Images/a.png": pngOf(32, 32)}, passes: images()},
		{rule: "dir-empty", breaks: tree{"labels.csv": images()["labels.csv"], "images/": ""}, passes: images()},
		{rule: "sidecar-missing", breaks: texts.Without("tokenizer.json"), passes: texts, params: mlm},
		{rule: "file-symlink", breaks: images(), passes: images(), also: []string{"file-missing"},
			breakIt: replace("images/a.png", func(full string) error { return os.Symlink("b.png", full) })},
		{rule: "file-symlink", name: "directory", breaks: images(), passes: images(),
			breakIt: replace("images", func(full string) error { return os.Symlink("/", full) })},
		{rule: "file-special", breaks: images(), passes: images(), also: []string{"file-missing"},
			breakIt: replace("images/a.png", makeSpecial)},
		{rule: "file-name", breaks: images().With("images/a\nb.png", pngOf(32, 32)), passes: images()},
		{rule: "file-hidden", breaks: images().With("images/._a.png", "x").With(".git/config", "x").With("images/Thumbs.db", "x"), passes: images()},
		{rule: "file-not-staged", breaks: images().With("README.md", "x"), passes: images().With(dataset.SpecFile, "x")},
		{rule: "file-case-variants", breaks: images().With("images/A.png", pngOf(32, 32)).With("labels.csv", "filename,label\na.png,cat\nb.png,dog\nA.png,dog\n"), passes: images()},
	}
}

func csvCases() []ruleCase {
	bad := func(rule, content string, also ...string) ruleCase {
		return ruleCase{rule: rule, tabular: true, breaks: csvOf(content), passes: csvOf(features), also: also}
	}
	good := func(c ruleCase, content string, still ...string) ruleCase {
		c.passes, c.passesStill = csvOf(content), still
		return c
	}
	named := func(c ruleCase, name string) ruleCase {
		c.name = name
		return c
	}
	return []ruleCase{
		good(bad("csv-not-utf8", "age,label\n1,caf\xe9\n2,b\n"), "\xef\xbb\xbfage,label\n1,café\n2,b\n"),
		bad("csv-nul", "age,label\n1,a\x00b\n2,b\n"),
		good(bad("csv-unclosed-quote", "age,label\n1,a\n2,b\n3,\"b\n"), "age,label\n1,a\n2,b\n3,\"b\n\"\n", "label-padded"),
		bad("csv-empty", "age,label\n\n"),
		named(bad("csv-empty", ""), "no header"),
		good(bad("csv-index-shift", "age,label\n1,a,\n2,b,\n"), "age,label\n\n \n1,a\n\t\n2,b\n"),
		good(bad("csv-ragged-row", "age,label\n1,a\n2,b,c\n"), "age,label\n1,a\n2,\"b,c\"\n"),
		good(bad("csv-record-too-long", "age,text,label\n1,"+strings.Repeat("x", dataset.MaxRecord)+",a\n2,y,b\n3,y,c\n", "label-null", "value-too-long"), "age,text,label\n1,"+strings.Repeat("x", 1<<20)+",a\n2,y,b\n", "value-too-long"),
		good(bad("csv-duplicate-header", "age, age,label\n1,2,a\n2,3,b\n", "csv-padded-header"), "age,age2,label\n1,2,a\n2,3,b\n"),
		bad("csv-blank-header", ",age,label\n0,1,a\n1,2,b\n"),
		named(bad("csv-blank-header", "age,label,\n1,a,\n2,b,\n"), "trailing delimiter"),
		{rule: "csv-unnamed-column", breaks: images().With("labels.csv", ",filename,label\n0,a.png,cat\n1,b.png,dog\n"), passes: images()},
		bad("csv-padded-header", "age, label\n1,a\n2,b\n"),
		good(bad("csv-short-row", "age,label,more\n1,a,x\n2,b\n"), "age,label,more\n1,a,x\n2,b,\n"),
		good(bad("csv-backslash", "path,label\nC:\\a,a\nb,b\n"), "path,label\nC:\\\\a,a\nb,b\n"),
		named(bad("csv-backslash", "path,label\nC:\\a\\,a\nb,b\n", "csv-short-row", "label-null", "label-single-class"), "delimiter"),
		good(bad("csv-backslash-header", "a\\b,label\n1,a\n2,b\n"), "a/b,label\n1,a\n2,b\n"),
		good(bad("csv-cr-only", "age,label\r1,a\r2,b\r"), "age,label\r\n1,a\r\n2,b\r\n"),
		{rule: "csv-repaired", tabular: true, params: func(p *Params) { p.Fix = true }, breaks: csvOf("age,label\n1,a,\n2,b,\n"), passes: csvOf(features)},
		good(bad("csv-mixed-line-ends", "age,label\r\n1,a\n2,b\n"), "age,label\n1,a\n2,b"),
	}
}

func filenameCases() []ruleCase {
	with := func(csv string) tree { return images().With("labels.csv", csv) }
	numbered := tree{"images/001.png": pngOf(32, 32), "images/002.png": pngOf(32, 32)}
	return []ruleCase{
		{rule: "filename-column", breaks: with("Filename,label\na.png,cat\nb.png,dog\n"), passes: with("filename ,label\na.png,cat\nb.png,dog\n"), passesStill: []string{"csv-padded-header"}},
		{rule: "filename-blank", breaks: with("filename,label\na.png,cat\nb.png,dog\n,dog\n"), passes: images()},
		{rule: "filename-numeric", breaks: numbered.With("labels.csv", "filename,label\n001,a\n002,b\n"), passes: numbered.With("labels.csv", "filename,label\n001.png,a\n002.png,b\n")},
		{rule: "filename-numeric", name: "one text among them", breaks: numbered.With("labels.csv", "filename,label\n001,a\n002,b\n"),
			passes: numbered.With("images/x.png", pngOf(32, 32)).With("labels.csv", "filename,label\n001,a\nx,b\n002,b\n")},
		{rule: "filename-subpath", breaks: images().With("images/sub/c.png", pngOf(32, 32)).With("labels.csv", "filename,label\na.png,cat\nb.png,dog\nsub/c.png,dog\n"), passes: images()},
		{rule: "file-missing", breaks: with("filename,label\na.png,cat\nb.png,dog\nc.png,dog\n"), passes: with("filename,label\na,cat\nb,dog\n")},
		{rule: "file-missing", name: "case", breaks: with("filename,label\nA.png,cat\nb.png,dog\n"), passes: images(), also: []string{"file-unreferenced"}},
		{rule: "file-missing", name: "padded", breaks: with("filename,label\n a.png,cat\nb.png,dog\n"),
			passes: images().Without("images/a.png").With("images/ a.png", pngOf(32, 32)).With("labels.csv", "filename,label\n a.png,cat\nb.png,dog\n"), also: []string{"file-unreferenced"}},
		{rule: "filename-duplicate", breaks: with("filename,label\na.png,cat\nb.png,dog\na,dog\n"), passes: images()},
		{rule: "file-unreferenced", breaks: images().With("images/c.png", pngOf(32, 32)), passes: images()},
		{rule: "file-mixed-extensions", breaks: tree{"labels.csv": "filename,label\na.jpg,a\nb.jpeg,b\n", "images/a.jpg": jpegOf(32, 32), "images/b.jpeg": jpegOf(32, 32)},
			passes: tree{"labels.csv": "filename,label\na.jpg,a\nb.JPG,b\n", "images/a.jpg": jpegOf(32, 32), "images/b.JPG": pngOf(32, 32)}, passesStill: []string{"file-extension-case"}},
		{rule: "file-extension", breaks: images().With("images/c.webp", "x"), passes: images(), also: []string{"file-unreferenced"}},
	}
}

func imageCases() []ruleCase {
	a := func(content string) tree { return images().With("images/a.png", content) }
	target := func(w, h int) func(*Params) { return func(p *Params) { p.TargetSize = [2]int{w, h} } }
	wide := images().With("images/a.png", pngOf(64, 32)).With("images/b.png", pngOf(64, 32))
	return []ruleCase{
		{rule: "image-empty", breaks: a(""), passes: images()},
		{rule: "image-unreadable", breaks: a("no image at all, but text"), passes: a(jpegOf(32, 32))},
		{rule: "image-unreadable", name: "cut", breaks: a(pngOf(32, 32)[:40]), passes: a(pngOf(32, 32)[:60]), passesStill: []string{"image-truncated"}},
		{rule: "image-truncated", breaks: a(pngOf(32, 32)[:60]), passes: a(pngOf(32, 32) + "more")},
		{rule: "image-unknown-format", breaks: a("P6 32 32 255 xxxx"), passes: images()},
		{rule: "image-too-many-pixels",
			breaks: tree{"labels.csv": images()["labels.csv"], "images/a.png": pngHeaderOf(20000, 8948), "images/b.png": pngHeaderOf(20000, 8948)},
			passes: tree{"labels.csv": images()["labels.csv"], "images/a.png": pngHeaderOf(20000, 8947), "images/b.png": pngHeaderOf(20000, 8947)},
			also:   []string{"image-truncated"}, passesStill: []string{"image-truncated"}},
		{rule: "image-too-small", breaks: a(pngOf(32, 31)).With("images/b.png", pngOf(32, 31)), passes: images()},
		{rule: "image-too-small", name: "min_size", params: func(p *Params) { p.MinSize = [2]int{40, 32} }, breaks: images(), passes: wide},
		{rule: "image-mixed-resolution", breaks: a(pngOf(64, 32)), passes: wide},
		{rule: "image-target-size", params: target(64, 32), breaks: images(), passes: wide},
		{rule: "image-target-size", name: "one of two", params: target(64, 32), breaks: a(pngOf(64, 32)), passes: wide},
	}
}

func labelCases() []ruleCase {
	column := func(name string) func(*Params) { return func(p *Params) { p.LabelColumn = name } }
	with := func(csv string) tree { return images().With("labels.csv", csv) }
	long := strings.Repeat("é", 255)
	bucketed := func(p *Params) { p.LabelPolicy = dataset.PolicyBucket }
	collision := good("semantic_segmentation").With("images/a_mask.png", pngOf(32, 32)).With("masks/a_mask_mask.png", pngOf(32, 32)).
		With("labels.csv", "filename,mask_id,label\na.png,a_mask,x\nb.png,b_mask,y\na_mask.png,a_mask_mask,x\n")
	task := func(name string) func(*Params) { return func(p *Params) { p.Task = mustTask(name) } }
	keypoints := func(header string, labels ...string) tree {
		const row = `,"{""k"": [1, 2], ""l"": [3, 4]}","{""k"": 1, ""l"": 0}"`
		return with(header + "a.png" + row + labels[0] + "\nb.png" + row + labels[1] + "\n")
	}
	return []ruleCase{
		{rule: "label-case", params: column("label"), breaks: with("filename,Label\na.png,cat\nb.png,dog\n"), passes: images()},
		{rule: "label-column", name: "two cases", params: column("label"), breaks: with("filename,Label,LABEL\na.png,cat,x\nb.png,dog,y\n"), passes: with("filename,Label,label\na.png,cat,x\nb.png,dog,y\n")},
		{rule: "label-absent", params: task("keypoint_detection"), breaks: keypoints("filename,Annotation,Visibility\n", "", ""), passes: keypoints("filename,Annotation,Visibility,label\n", ",cat", ",dog")},
		{rule: "label-not-numeric", tabular: true, params: task("tabular_regression"), breaks: csvOf("a,label\n1,1.5\n2,high\n"), passes: csvOf("a,label\n1,1.5\n2,2\n")},
		{rule: "label-column", name: "several", tabular: true, breaks: csvOf("class,Target,x\n1,2,3\n2,3,4\n"), passes: csvOf("kind,Target,x\n1,2,3\n2,3,4\n")},
		{rule: "label-column", name: "none", tabular: true, breaks: csvOf("a,b\n1,2\n"), passes: csvOf("a,label\n1,2\n2,3\n")},
		{rule: "label-reserved", tabular: true, params: column("status"), breaks: csvOf("a,status\n1,x\n2,y\n"), passes: csvOf("a,state,status\n1,x,x\n2,y,x\n"), fixed: column("state")},
		{rule: "label-blank", breaks: with("filename,label\na.png,cat\nb.png,\nb.png,dog\n"), passes: with("filename,label\na.png,NA\nb.png,null\n"), also: []string{"filename-duplicate"}},
		{rule: "label-blank", name: "tabular numbers", tabular: true, breaks: csvOf("a,label\n1,1\n2,2\n3,\n"), passes: csvOf("a,label\n1,1\n2,2\n")},
		{rule: "label-null", tabular: true, breaks: csvOf("a,label\n1,x\n2,y\n3,NA\n"), passes: csvOf("a,label\n1,x\n2,y\n3,none\n"), passesStill: []string{"value-missing-skew"}},
		{rule: "label-null", name: "bucket", params: func(p *Params) { p.LabelPolicy = dataset.PolicyBucket },
			breaks: with("filename,label\na.png,cat\nb.png,\nb.png,dog\n"), passes: images(), also: []string{"filename-duplicate"}},
		{rule: "label-too-long", breaks: with("filename,label\na.png,cat\nb.png," + long + "x\n"), passes: with("filename,label\na.png,cat\nb.png," + long + "\n")},
		{rule: "label-single-class", breaks: with("filename,label\na.png,cat\nb.png,cat\n"), passes: images()},
		{rule: "label-padded", breaks: with("filename,label\na.png,cat\nb.png,dog \n"), passes: images()},
		{rule: "label-single-class", name: "blanks apart", breaks: with("filename,label\na.png,cat\nb.png,cat \n"), passes: images(), also: []string{"label-padded"}},
		{rule: "label-single-class", name: "true in two ways", breaks: with("filename,label\na.png,True\nb.png,TRUE\n"), passes: with("filename,label\na.png,True\nb.png,False\n"),
			also: []string{"label-rewritten"}, passesStill: []string{"label-rewritten"}},
		{rule: "label-single-class", name: "boolean type", tabular: true, params: schemaOf("a:INT", "label:BOOLEAN"), breaks: csvOf("a,label\n1,yes\n2,true\n"), passes: csvOf("a,label\n1,yes\n2,no\n"),
			also: []string{"label-rewritten"}, passesStill: []string{"label-rewritten"}},
		{rule: "label-single-class", name: "none", tabular: true, breaks: csvOf("a,label\n1,none\n2,x\n"), passes: csvOf("a,label\n1,no\n2,x\n"), also: []string{"value-missing-skew"}},
		{rule: "label-bucket-shared", tabular: true, params: bucketed, breaks: csvOf("a,label\n1,yes\n2,no\n3,dog\n"), passes: csvOf("a,label\n1,cat\n2,dog\n")},
		{rule: "file-extension-case", breaks: tree{"labels.csv": "filename,label\na.JPG,a\nb.jpg,b\n", "images/a.JPG": jpegOf(32, 32), "images/b.jpg": jpegOf(32, 32)},
			passes: tree{"labels.csv": "filename,label\na.jpg,a\nb.jpg,b\n", "images/a.jpg": jpegOf(32, 32), "images/b.jpg": jpegOf(32, 32)}},
		{rule: "filename-missing-text", params: ofTask("sentence_pair_classification"), breaks: good("sentence_pair_classification").With("labels.csv", "filename,label\nNA,x\nb.txt,y\na.txt,x\n").With("texts/NA.txt", "a\tb"),
			passes: good("sentence_pair_classification").With("labels.csv", "filename,label\nNA.txt,x\nb.txt,y\na.txt,x\n").With("texts/NA.txt", "a\tb")},
		{rule: "file-collision", params: ofTask("semantic_segmentation"), breaks: collision, passes: good("semantic_segmentation"), also: []string{"mask-stored-null"}, passesStill: []string{"mask-stored-null"}},
		{rule: "label-rewritten", breaks: with("filename,label\na.png,01\nb.png,02\n"), passes: with("filename,label\na.png,1\nb.png,2\n")},
		{rule: "label-blank", name: "not in the schema", tabular: true, params: schemaOf("a:INT"), breaks: csvOf("a,label\n1,x\n2,y\n3,\n"), passes: csvOf("a,label\n1,x\n2,y\n")},
		{rule: "label-null", name: "text type beside files", params: schemaOf("label:VARCHAR(9)"),
			breaks: with("filename,label\na.png,01\nb.png,\nb.png,02\n"), passes: with("filename,label\na.png,01\nb.png,02\n"), also: []string{"filename-duplicate"}},
		{rule: "label-single-class", name: "one number in two spellings", breaks: with("filename,label\na.png,1\nb.png,01\n"),
			passes: with("filename,label\na.png,1\nb.png,02\n"), also: []string{"label-rewritten"}, passesStill: []string{"label-rewritten"}},
		{rule: "label-single-class", name: "one number of a numeric type", tabular: true, breaks: csvOf("a,label\n1,1\n2,1.0\n3, 1\n"), passes: csvOf("a,label\n1,1\n2,1.5\n3, 1\n")},
		{rule: "label-single-class", name: "numbers of a text type", tabular: true, params: schemaOf("a:INT", "label:TEXT"), breaks: csvOf("a,label\n1,1\n2,1\n"), passes: csvOf("a,label\n1,1\n2,1.0\n")},
		{rule: "label-rewritten", name: "not in the schema", tabular: true, params: schemaOf("a:INT"), breaks: csvOf("a,label\n1,01\n2,02\n"), passes: csvOf("a,label\n1,c1\n2,c2\n")},
		{rule: "label-rewritten", name: "words", breaks: with("filename,label\na.png,yes\nb.png,no\n"), passes: with("filename,label\na.png,yes\nb.png,maybe\n")},
		{rule: "label-rewritten", name: "floats", breaks: with("filename,label\na.png,1\nb.png,1.5\n"), passes: with("filename,label\na.png,1.0\nb.png,1.5\n")},
		{rule: "label-rewritten", name: "boolean type", tabular: true, params: schemaOf("a:INT", "label:BOOLEAN"), breaks: csvOf("a,label\n1,yes\n2,no\n"), passes: csvOf("a,label\n1,1\n2,0\n")},
	}
}

// mustTask is for tables, which have no testing.T.
func mustTask(name string) dataset.Task {
	t, ok := dataset.TaskByName(name)
	if !ok {
		panic(fmt.Sprintf("no task %q", name))
	}
	return t
}

// schemaOf declares columns as name:TYPE.
func schemaOf(columns ...string) func(*Params) {
	return func(p *Params) {
		for _, c := range columns {
			name, typ, _ := strings.Cut(c, ":")
			p.Schema = append(p.Schema, dataset.Column{Name: name, Type: typ})
		}
	}
}
