package preflight

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset/datasettest"
)

// verdictCase is one dataset on which clients and the ingestor were found to disagree (contract/ingestor.md 5), and the
// verdict that is right: refused, passed, or passed with a warning.
type verdictCase struct {
	section string
	name    string
	task    string
	data    tree
	params  func(*Params)
	want    Severity // error: refused; warning: passed with one; note: passed without either
	rule    string   // the rule that says so; "" for a dataset that passes
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range append(fileVerdicts(), tableVerdicts()...) {
		t.Run(c.section+" "+c.name, func(t *testing.T) {
			t.Parallel()
			p := Params{Task: task(t, c.task)}
			if c.params != nil {
				c.params(&p)
			}
			r := checkPath(t, c.data.Write(t), p)
			if got := verdict(r); got != c.want {
				t.Errorf("verdict %s, want %s: %v", got, c.want, r.Findings)
			}
			if c.rule != "" && r.Totals[c.rule] == 0 {
				t.Errorf("rule %s is not among the findings: %v", c.rule, r.Findings)
			}
		})
	}
}

// TestGoodDatasets: a good dataset of each task passes without a warning.
func TestGoodDatasets(t *testing.T) {
	t.Parallel()
	for _, task := range dataset.Tasks {
		t.Run(task.Name, func(t *testing.T) {
			t.Parallel()
			r := checkPath(t, good(task.Name).Write(t), Params{Task: task})
			// No dataset of semantic_segmentation is without this one.
			if r.Errors()+r.Warnings()-r.Totals["mask-stored-null"] > 0 {
				t.Errorf("findings: %v", r.Findings)
			}
		})
	}
}

func verdict(r *Result) Severity {
	switch {
	case r.Errors() > 0:
		return SeverityError
	case r.Warnings() > 0:
		return SeverityWarning
	}
	return SeverityNote
}

// good is a small good dataset of a task.
func good(task string) tree { return datasettest.Good(task) }

func vocOf(image string) string { return datasettest.VOC(image) }

func fileVerdicts() []verdictCase {
	img := pngOf(32, 32)
	voc := func(name, from, to, rule string) verdictCase {
		return verdictCase{"5.1 (12)", name, "object_detection", good("object_detection").With("annotations/a.xml", strings.Replace(vocOf("a.png"), from, to, 1)), nil, SeverityError, rule}
	}
	keypoints := func(name, header, annotation, visibility string, want Severity) verdictCase {
		quoted := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
		row := "," + quoted(annotation) + "," + quoted(visibility)
		return verdictCase{"5.1 (13)", name, "keypoint_detection", good("keypoint_detection").With("labels.csv", header+"\na.png"+row+",x\nb.png"+row+",y\n"), nil, want, ""}
	}
	pixels := func(name, format string) verdictCase {
		return verdictCase{"5.2", name, "image_classification", tree{"labels.csv": "filename,label\na.jpg,x\nb.jpg,y\n", "images/a.jpg": format, "images/b.jpg": format}, nil, SeverityNote, ""}
	}
	with := func(section, name, task, path, content string, want Severity, rule string) verdictCase {
		return verdictCase{section, name, task, good(task).With(path, content), nil, want, rule}
	}
	const head = "filename,Annotation,Visibility,label"
	points, visible := `{"k": [1, 2], "l": [3, 4]}`, `{"k": 1, "l": 0}`
	long := strings.Repeat("B-PER ", 60)
	cases := []verdictCase{
		with("5.1 (1)", "object_detection names with extension", "object_detection", "labels.csv", "filename,label\na.png,x\nb.png,y\n", SeverityError, ""),
		{"5.1 (2)", "numeric names", "image_classification", tree{"labels.csv": "filename,label\n001,x\n002,y\n", "images/001.png": img, "images/002.png": img}, nil, SeverityError, "filename-numeric"},
		{"5.1 (2)", "numeric texts", "masked_language_modeling", tree{"labels.csv": "filename\n1\n2\n", "sequences/1.txt": "a", "sequences/2.txt": "b", "tokenizer.json": good("masked_language_modeling")["tokenizer.json"]}, nil, SeverityError, "filename-numeric"},
		with("5.1 (3)", "blank name", "image_classification", "labels.csv", "filename,label\na.png,x\nb.png,y\n,x\n", SeverityError, "filename-blank"),
		with("5.1 (3)", "padded name", "image_classification", "labels.csv", "filename,label\na.png,x\n b.png,y\n", SeverityError, "file-missing"),
		with("5.1 (5)", "ragged", "image_classification", "labels.csv", "filename,label\na.png,x\nb.png,y,z\n", SeverityError, "csv-ragged-row"),
		with("5.1 (7)", "no filename", "masked_language_modeling", "labels.csv", "file\na.txt\nb.txt\n", SeverityError, "filename-column"),
		with("5.1 (10)", "bomb", "image_classification", "images/a.png", pngHeaderOf(13378, 13378), SeverityError, "image-too-many-pixels"),
		voc("LabelImg", "<annotation>a</annotation>", "", ""),
		voc("Roboflow", "<folder>images</folder>", "<folder></folder>", ""),
		voc("float", "<xmin>1</xmin>", "<xmin>1.5</xmin>", ""),
		voc("inverted", "<xmin>1</xmin>", "<xmin>30</xmin>", ""),
		voc("broken", "</annotation></source>", "</source>", ""),
		voc("segmented", "<segmented>0</segmented>", "<segmented> 0 </segmented>", ""),
		keypoints("good", head, points, visible, SeverityNote),
		keypoints("no Annotation", "filename,annotations,Visibility,label", points, visible, SeverityError),
		keypoints("no Visibility", "filename,Annotation,visible,label", points, visible, SeverityError),
		keypoints("lower case", "filename,annotation,visibility,label", points, visible, SeverityError),
		keypoints("not JSON", head, "{k: 1}", visible, SeverityError),
		keypoints("negative", head, `{"k": [-1, 2], "l": [3, 4]}`, visible, SeverityError),
		keypoints("one line", head, `{"k": [1, 2], "l": [1, 4]}`, visible, SeverityError),
		keypoints("COCO visibility", head, points, `{"k": 2, "l": 0}`, SeverityError),
		keypoints("names differ", head, points, `{"k": 1, "m": 0}`, SeverityError),
		with("5.1 (14)", "dotted mask", "semantic_segmentation", "labels.csv", "filename,mask_id,label\na.png,a.v1_mask,x\nb.png,b_mask,y\n", SeverityError, ""),
		with("5.1 (14)", "absent mask", "semantic_segmentation", "labels.csv", "filename,mask_id,label\na.png,c_mask,x\nb.png,b_mask,y\n", SeverityError, ""),
		with("5.1 (15)", "tag count", "token_classification", "labels.csv", "filename,label\na.txt,O\nb.txt,O\n", SeverityError, ""),
		with("5.1 (15)", "tag form", "token_classification", "labels.csv", "filename,label\na.txt,O PER\nb.txt,O\n", SeverityError, ""),
		with("5.1 (15)", "not UTF-8", "token_classification", "texts/b.txt", "\xff", SeverityError, ""),
		with("5.1 (15)", "padded header", "token_classification", "labels.csv", "filename, label\na.txt,O B-PER\nb.txt,O\n", SeverityError, ""),
		{"5.1 (15)", "long label", "token_classification", good("token_classification").With("texts/b.txt", strings.Repeat("w ", 60)).
			With("labels.csv", "filename,label\na.txt,O B-PER\nb.txt,"+strings.TrimSpace(long)+"\n"), nil, SeverityError, "label-too-long"},
		{"5.1 (16)", "no tokenizer", "masked_language_modeling", good("masked_language_modeling").Without("tokenizer.json"), nil, SeverityError, "sidecar-missing"},
		with("5.1 (16)", "tokenizer without MASK", "masked_language_modeling", "tokenizer.json", `{"model": {"vocab": {"[PAD]": 0}}}`, SeverityError, ""),
		with("5.1 (17)", "blank label", "text_classification", "labels.csv", "filename,label\na.txt,x\nb.txt,y\na.txt,\n", SeverityError, "label-blank"),
		with("5.1 (18)", "long label", "image_classification", "labels.csv", "filename,label\na.png,x\nb.png,"+strings.Repeat("y", 256)+"\n", SeverityError, "label-too-long"),
		with("5.2", "hidden junk", "image_classification", "images/._a.png", "junk", SeverityNote, ""),
		with("5.2", "BOM", "image_classification", "labels.csv", "\ufefffilename,label\na.png,x\nb.png,y\n", SeverityNote, ""),
		with("5.2", "one class", "text_classification", "labels.csv", "filename,label\na.txt,x\nb.txt,x\n", SeverityError, "label-single-class"),
		with("5.2", "no rows", "seq2seq", "labels.csv", "filename\n", SeverityError, "csv-empty"),
		with("5.3", "label case", "text_classification", "labels.csv", "filename,Label\na.txt,x\nb.txt,y\n", SeverityNote, ""),
		with("5.3", "label column missing", "object_detection", "labels.csv", "filename\na\nb\n", SeverityWarning, "label-absent"),
		with("5.3", "codes for labels", "image_classification", "labels.csv", "filename,label\na.png,01\nb.png,02\n", SeverityWarning, "label-rewritten"),
		with("5.3", "truncated image", "image_classification", "images/a.png", img[:len(img)-20], SeverityWarning, "image-truncated"),
		{"5.3", "truncated JPEG", "image_classification", tree{"labels.csv": "filename,label\na.jpg,x\nb.jpg,y\n", "images/a.jpg": jpegOf(32, 32), "images/b.jpg": jpegOf(32, 32)[:len(jpegOf(32, 32))-9]}, nil, SeverityWarning, "image-truncated"},
		with("5.3", "box outside the image", "object_detection", "annotations/a.xml", strings.Replace(vocOf("a.png"), "<xmax>9</xmax>", "<xmax>99</xmax>", 1), SeverityWarning, ""),
		with("6", "empty text", "text_classification", "texts/a.txt", "", SeverityWarning, ""),
		with("6", "text with NUL", "text_classification", "texts/a.txt", "a\x00b", SeverityError, ""),
		with("6", "one field", "sentence_pair_classification", "texts/a.txt", "no tab", SeverityError, ""),
		with("6", "four fields", "embeddings", "texts/a.txt", "a\tb\tc\td", SeverityError, ""),
		with("6", "free text", "causal_language_modeling", "texts/a.txt", "a\tb\tc\td\n\ne", SeverityNote, ""),
		with("6", "small mask", "semantic_segmentation", "masks/a_mask.png", pngOf(16, 16), SeverityError, ""),
		with("6", "broken mask", "semantic_segmentation", "masks/a_mask.png", "no image", SeverityError, ""),
		with("6", "sub-path", "image_classification", "labels.csv", "filename,label\na.png,x\n../b.png,y\n", SeverityError, "filename-subpath"),
		pixels("webp in .jpg", webpOf(32, 32)),
		pixels("bmp in .jpg", bmpOf(32, 32)),
	}
	for _, name := range []string{"object_detection", "keypoint_detection", "semantic_segmentation", "text_classification", "token_classification", "seq2seq", "embeddings"} {
		good := good(name)
		lines := strings.SplitAfter(good["labels.csv"], "\n")
		fields := strings.Count(lines[0], ",")
		row := "gone.txt" + strings.Repeat(",", fields) + "\n"
		cases = append(cases, verdictCase{"5.1 (6)", "missing file of " + name, name, good.With("labels.csv", good["labels.csv"]+row), nil, SeverityError, "file-missing"})
	}
	for dir, name := range map[string]string{"annotations/c.xml": "object_detection", "masks/c_mask.png": "semantic_segmentation"} {
		content := vocOf("c.png")
		if name == "semantic_segmentation" {
			content = img
		}
		cases = append(cases, verdictCase{"2.0", "unpaired " + dir, name, good(name).With(dir, content), nil, SeverityError, ""})
	}
	return cases
}

func tableVerdicts() []verdictCase {
	one := func(section, name, task, csv string, want Severity, rule string) verdictCase {
		return verdictCase{section, name, task, csvOf(csv), nil, want, rule}
	}
	typed := func(section, name, typ, cell string, want Severity, rule string) verdictCase {
		return verdictCase{section, fmt.Sprintf("%s %s", name, typ), "tabular_classification", csvOf("a,label\n" + cell + ",x\n" + cell + ",y\n"), schemaOf("a:"+typ, "label:VARCHAR(9)"), want, rule}
	}
	series := func(section, name, csv string, want Severity) verdictCase {
		return verdictCase{section, name, "time_series_forecasting", csvOf(csv), nil, want, ""}
	}
	const tab = "tabular_classification"
	cases := []verdictCase{
		one("5.1 (4)", "extra comma", tab, "a,label\n1,x,\n2,y,\n", SeverityError, "csv-index-shift"),
		one("5.1 (5)", "ragged", tab, "a,label\n1,x\n2,y,z\n", SeverityError, "csv-ragged-row"),
		one("5.1 (20)", "index column", tab, ",a,label\n0,1,x\n1,2,y\n", SeverityError, "csv-blank-header"),
		one("5.1 (21)", "case variant", tab, "ID,a,label\n1,1,x\n2,2,y\n", SeverityNote, ""),
		one("5.1 (21)", "two cases", tab, "Age,age,label\n1,1,x\n2,2,y\n", SeverityError, "schema-case-duplicate"),
		one("5.1 (23)", "zip codes with a blank", tab, "zip,label\n01234,x\n,y\n", SeverityNote, ""),
		one("5.1 (24)", "padded strings", tab, "s,label\nabc   ,x\n de,y\n", SeverityNote, ""),
		one("5.1 (25)", "none", tab, "a,label\n1,x\nnone,y\n", SeverityWarning, "value-missing-skew"),
		one("5.1 (26)", "mixed dates", tab, "d,label\n2024-01-01,x\n2024/01/02,y\n", SeverityNote, ""),
		one("5.1 (26)", "date and time", tab, "d,label\n2024-01-01,x\n2024-01-02 10:00:00,y\n", SeverityNote, ""),
		typed("5.1 (26)", "RFC3339", "DATETIME", "2024-01-01T00:00:00Z", SeverityError, "value-time-zone"),
		typed("5.1 (27)", "no date", "DATE", "soon", SeverityError, "value-not-date"),
		typed("5.1 (27)", "maybe", "BOOLEAN", "maybe", SeverityError, "value-not-boolean"),
		typed("5.1 (27)", "inf", "FLOAT", "inf", SeverityError, "value-not-finite"),
		typed("5.1 (27)", "beyond 32 bits", "INT", "3000000000", SeverityError, "value-range"),
		typed("5.1 (27)", "beyond 64 bits", "BIGINT", "99999999999999999999", SeverityError, "value-range"),
		one("5.1 (28)", "extension", tab, "extension,a,label\nelevenchars,1,x\nb,2,y\n", SeverityError, "value-extension"),
		series("5.1 (29)", "inferred", "timestamp,v,label\n2024-01-01,1,1.5\n2024-01-02,2,2.5\n", SeverityNote),
		series("5.1 (30)", "unordered", "timestamp,v,label\n2024-01-02,1,1.5\n2024-01-01,2,2.5\n", SeverityError),
		series("5.1 (30)", "future", "timestamp,v,label\n2024-01-01,1,1.5\n2199-01-01,2,2.5\n", SeverityError),
		series("5.1 (30)", "blank", "timestamp,v,label\n2024-01-01,1,1.5\n,2,2.5\n", SeverityError),
		series("5.1 (30)", "unparseable", "timestamp,v,label\n2024-01-01,1,1.5\nsoon,2,2.5\n", SeverityError),
		series("5.1 (30)", "ambiguous", "timestamp,v,label\n01.02.2024,1,1.5\n02.02.2024,2,2.5\n", SeverityError),
		series("5.1 (30)", "no timestamp", "ts,v,label\n2024-01-01,1,1.5\n2024-01-02,2,2.5\n", SeverityError),
		series("5.1 (30)", "Timestamp", "Timestamp,v,label\n2024-01-01,1,1.5\n2024-01-02,2,2.5\n", SeverityError),
		series("5.1 (30)", "padded", "v, timestamp,label\n1,2024-01-01,1.5\n2,2024-01-02,2.5\n", SeverityError),
		series("5.1 (31)", "text feature", "timestamp,v,label\n2024-01-01,a,1.5\n2024-01-02,b,2.5\n", SeverityError),
		series("5.1 (31)", "yes and no", "timestamp,v,label\n2024-01-01,yes,1.5\n2024-01-02,no,2.5\n", SeverityError),
		series("2.2", "blank feature", "timestamp,v,label\n2024-01-01,1,1.5\n2024-01-02,,2.5\n", SeverityNote),
		one("5.1 (32)", "negative time", "time_to_event_prediction", "time,label\n-1,0\n2,1\n", SeverityError, ""),
		one("5.1 (32)", "text time", "time_to_event_prediction", "time,label\nsoon,0\n2,1\n", SeverityError, ""),
		one("5.1 (32)", "no time", "time_to_event_prediction", "days,label\n1,0\n2,1\n", SeverityError, ""),
		{"5.1 (32)", "time column not in the CSV", "time_to_event_prediction", csvOf("time,label\n1,0\n2,1\n"), func(p *Params) { p.TimeColumn = "days" }, SeverityError, ""},
		one("6", "two labels in a sequence", "time_series_classification", "sequence_id,timestamp,label\ns,2024-01-01,u\ns,2024-01-02,d\nt,2024-01-01,u\n", SeverityError, ""),
		one("6", "unordered sequence", "time_series_classification", "sequence_id,timestamp,label\ns,2024-01-02,u\ns,2024-01-01,u\nt,2024-01-01,d\n", SeverityError, ""),
		one("6", "sequences side by side", "time_series_classification", "sequence_id,timestamp,label\ns,2024-01-02,u\nt,2024-01-01,d\ns,2024-01-03,u\nt,2024-01-02,d\n", SeverityNote, ""),
		one("5.2", "BOM", tab, "\ufeffa,label\n1,x\n2,y\n", SeverityNote, ""),
		one("5.2", "NUL", tab, "a,label\nab\x00c,x\nd,y\n", SeverityError, "csv-nul"),
		one("5.2", "#NA", tab, "a,label\n1,x\n#NA,y\n", SeverityError, "value-missing-version"),
		one("5.2", "CR-only", tab, "a,label\r1,x\r2,y\r", SeverityWarning, "csv-cr-only"),
		{"5.2", "semicolon", tab, csvOf("a;label\n1;x\n2;y\n"), func(p *Params) { p.Delimiter = ";" }, SeverityNote, ""},
		one("5.2", "one class", tab, "a,label\n1,x\n2,x\n", SeverityError, "label-single-class"),
		one("5.2", "all labels NULL", tab, "a,label\n1,\n2,\n", SeverityError, "label-single-class"),
		one("5.3", "backslash before the delimiter", tab, "s,label\nC:\\dir\\,u\nD,v\nE,u\n", SeverityWarning, "csv-backslash"),
		typed("5.3", "single precision", "FLOAT", "1.6680773978214032", SeverityWarning, "value-single-precision"),
		typed("5.3", "single precision", "DOUBLE", "1.6680773978214032", SeverityNote, ""),
		one("5.3", "big integers with a blank", tab, "a,label\n9007199254740993,x\n,y\n", SeverityWarning, "value-big-integer"),
		{"data_id", "blank id", tab, csvOf("id,a,label\nr1,1,x\n,2,y\n"), func(p *Params) { p.IDColumn = "id" }, SeverityError, ""},
		{"data_id", "id", tab, csvOf("id,a,label\nr1,1,x\nr2,2,y\n"), func(p *Params) { p.IDColumn = "id" }, SeverityNote, ""},
	}
	for _, typ := range []string{"CHAR(3)", "TINYINT", "SMALLINT", "MEDIUMINT", "BLOB", "LONGBLOB", "INT(11)", "BIGINT(20)", "VARCHAR"} {
		cases = append(cases, typed("5.1 (19)", "type", typ, "1", SeverityError, "schema-type"))
	}
	return cases
}

// webpOf is the beginning of a lossless WebP of the size.
func webpOf(w, h uint32) string {
	body := append([]byte("WEBPVP8L"), 10, 0, 0, 0, 0x2f)
	body = binary.LittleEndian.AppendUint32(body, (w-1)|(h-1)<<14)
	body = append(body, 0, 0, 0, 0, 0)
	return "RIFF" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + string(body)
}

func bmpOf(w, h int) string {
	var b bytes.Buffer
	if err := bmp.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		panic(err)
	}
	return b.String()
}

// TestEscapedReading: a backslash anywhere in the CSV parts the readings; the checks of every task go on in the validators'.
func TestEscapedReading(t *testing.T) {
	t.Parallel()
	broken := map[string]string{
		"keypoint_detection":         `a.png,"{""k"": 1}","{""k"": 1}",x`,
		"semantic_segmentation":      "a.png,gone,x",
		"token_classification":       "a.txt,O PER",
		"time_series_forecasting":    "2023-01-01 00:00:00,1,1.5",
		"time_series_classification": "s1,2023-01-01 00:00:00,1,d",
		"time_to_event_prediction":   "-1,1,1",
	}
	for name, row := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, p := good(name), Params{Task: task(t, name)}
			csv := "labels.csv"
			if !p.Task.HasFiles() {
				csv = "data.csv"
			}
			lines := strings.SplitAfter(data[csv]+row+"\n", "\n")
			plain := rulesOf(checkPath(t, data.With(csv, strings.Join(lines, "")).Write(t), p))
			for i := range lines[:len(lines)-1] {
				note := ",note\n"
				if i > 0 {
					note = `,c:\\d` + "\n"
				}
				lines[i] = strings.TrimSuffix(lines[i], "\n") + note
			}
			p.Schema = noteless(data[csv], p.Task)
			escaped := rulesOf(checkPath(t, data.With(csv, strings.Join(lines, "")).Write(t), p))
			for _, rule := range plain {
				if !slices.Contains(escaped, rule) {
					t.Errorf("rules %q without a backslash, %q with one", plain, escaped)
				}
			}
			if len(plain) == 0 {
				t.Error("the row breaks nothing")
			}
		})
	}
}

// noteless is a schema of text and numbers for the columns of a table, so that a further one stays out.
func noteless(csv string, task dataset.Task) []dataset.Column {
	if task.HasFiles() {
		return nil
	}
	header, _, _ := strings.Cut(csv, "\n")
	var schema []dataset.Column
	for _, name := range strings.Split(header, ",") {
		typ := map[string]string{"timestamp": "TIMESTAMP", "sequence_id": "VARCHAR(9)", "label": "VARCHAR(9)"}[name]
		if typ == "" {
			typ = "DOUBLE"
		}
		schema = append(schema, dataset.Column{Name: name, Type: typ})
	}
	return schema
}
