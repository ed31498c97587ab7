package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/e2e/gen"
)

// cell sets a value of the manifest. It and the functions below are ways to break a good dataset.
func cell(row int, column, value string) func(*gen.Dataset) {
	return func(d *gen.Dataset) { d.Rows[row][slices.Index(d.Header, column)] = value }
}

func renamed(from, to string) func(*gen.Dataset) {
	return func(d *gen.Dataset) { d.Header[slices.Index(d.Header, from)] = to }
}

// swapped exchanges two rows.
func swapped(i, j int) func(*gen.Dataset) {
	return func(d *gen.Dataset) { d.Rows[i], d.Rows[j] = d.Rows[j], d.Rows[i] }
}

func content(name, data string) func(*gen.Dataset) {
	return func(d *gen.Dataset) { d.Files[fileAt(d, name)].Data = []byte(data) }
}

// edited replaces a text in a file.
func edited(name, old, replacement string) func(*gen.Dataset) {
	return func(d *gen.Dataset) {
		at := fileAt(d, name)
		if !bytes.Contains(d.Files[at].Data, []byte(old)) {
			panic("the file " + name + " lacks " + old)
		}
		d.Files[at].Data = bytes.ReplaceAll(d.Files[at].Data, []byte(old), []byte(replacement))
	}
}

func removed(name string) func(*gen.Dataset) {
	return func(d *gen.Dataset) { at := fileAt(d, name); d.Files = slices.Delete(d.Files, at, at+1) }
}

func added(name, data string) func(*gen.Dataset) {
	return func(d *gen.Dataset) { d.Files = append(d.Files, gen.File{Path: name, Data: []byte(data)}) }
}

func declared(column, sqlType string) func(*gen.Dataset) {
	return func(d *gen.Dataset) {
		for i, c := range d.Schema {
			if c[0] == column {
				d.Schema[i][1] = sqlType
			}
		}
	}
}

func fileAt(d *gen.Dataset, name string) int {
	at := slices.IndexFunc(d.Files, func(f gen.File) bool { return f.Path == name })
	if at < 0 {
		panic("no file " + name)
	}
	return at
}

type brokenDataset struct {
	task   string
	breaks func(*gen.Dataset)
	want   string
}

func TestBrokenDatasetsAreRefused(t *testing.T) {
	for _, tc := range slices.Concat(brokenImages(), brokenKeypoints(), brokenTexts(), brokenSeries()) {
		t.Run(tc.task+"/"+tc.want, func(t *testing.T) {
			t.Parallel()
			d := generated(t, tc.task)
			tc.breaks(&d)
			f := ingestion(t, d, "")
			code, stdout, stderr := f.end(t)
			if code != exitFailed || !strings.Contains(stderr, "Ingestion failed:") || !strings.Contains(stderr, tc.want) || len(f.store.rows) > 0 {
				t.Errorf("exit %d, %d rows\n%s%s\nwant %q", code, len(f.store.rows), stdout, stderr, tc.want)
			}
		})
	}
}

func brokenImages() []brokenDataset {
	const note = "annotations/street_0000.xml"
	return []brokenDataset{
		{"object_detection", removed(note), "File Pairing Validator Validator failed:  \n \n1 image(s) have no matching annotation: ['street_0000']"},
		{"object_detection", added("annotations/more.xml", ""), "1 annotation(s) have no matching image: ['more']"},
		{"object_detection", added("annotations/street_0000.txt", ""), "Multiple file extensions found: ['.txt', '.xml']."},
		{"object_detection", content(note, "<annotation>"), "Pascal VOC XML Validator Validator failed:  \n \nstreet_0000.xml: XML parsing error: "},
		{"object_detection", content(note, ""), "street_0000.xml: XML parsing error: no element found"},
		{"object_detection", content(note, "<a/>"), "street_0000.xml: Root element must be 'annotation', found 'a'"},
		{"object_detection", content(note, "<annotation/>"), "street_0000.xml: Missing required root elements: ['filename', 'folder', 'segmented', 'size', 'source']\nstreet_0000.xml: Missing required 'folder' element"},
		{"object_detection", edited(note, ">images<", "> <"), "street_0000.xml: Folder element must have non-empty text content"},
		{"object_detection", edited(note, "street_0000.jpg", ""), "street_0000.xml: Filename element must have non-empty text content"},
		{"object_detection", edited(note, "<segmented>0<", "<segmented> 0 <"), "street_0000.xml: Segmented element must be '0' or '1'"},
		{"object_detection", edited(note, "<annotation>PASCAL VOC</annotation>", ""), "street_0000.xml: Missing required source elements: ['annotation']"},
		{"object_detection", edited(note, "Generated streets", ""), "street_0000.xml: Database element must have non-empty text content"},
		{"object_detection", edited(note, "<depth>3</depth>", ""), "street_0000.xml: Missing required size elements: ['depth']"},
		{"object_detection", edited(note, "<width>64<", "<width>0<"), "street_0000.xml: width must be a positive integer, found: 0"},
		{"object_detection", edited(note, "<height>48<", "<height>x<"), "street_0000.xml: height must be a valid integer, found: x"},
		{"object_detection", edited(note, "<pose>Unspecified</pose>", ""), "street_0000.xml: Object 0: Missing required elements: ['pose']"},
		{"object_detection", edited(note, ">car<", "><"), "street_0000.xml: Object 0: Name element must have non-empty text content"},
		{"object_detection", edited(note, "<truncated>0<", "<truncated>2<"), "Object 0: Truncated element must be '0' or '1', found: 2"},
		{"object_detection", edited(note, "<difficult>0<", "<difficult>-1<"), "Object 0: Difficult element must be a non-negative integer, found: -1"},
		{"object_detection", edited(note, "<xmin>", "<xmin>-"), "Object 0: xmin must be non-negative, found: -"},
		{"object_detection", edited(note, "</ymax>", ".5</ymax>"), "Object 0: ymax must be a valid integer, found: "},
		{"object_detection", edited(note, "<xmax>", "<xmax>0</xmax><xmax>"), "must be less than xmax (0)"},
		{"object_detection", edited(note, "xmin>", "left>"), "Object 0: Missing required bndbox elements: ['xmin']"},
		{"semantic_segmentation", removed("masks/field_0003_mask.png"), "1 image(s) have no matching mask: ['field_0003']"},
		{"semantic_segmentation", added("masks/other_mask.png", ""), "1 mask(s) have no matching image: ['other']"},
		{"semantic_segmentation", added("masks/field_0000_mask.jpg", ""), "Multiple file extensions found: ['.jpg', '.png']."},
		{"image_classification", content("images/img_00001.png", "no image"), "img_00001.png: not a valid image (corrupt or unsupported format)']"},
	}
}

func brokenKeypoints() []brokenDataset {
	const five = `"head":[9,9],"left_foot":[1,1],"left_hand":[2,2],"right_foot":[3,3]`
	row := func(column, value string) func(*gen.Dataset) { return cell(2, column, value) }
	return []brokenDataset{
		{"keypoint_detection", renamed("Annotation", "annotation"), "Keypoint Annotation Validator failed:  \n \nMissing required column: Annotation"},
		{"keypoint_detection", row("Annotation", "[1,2]"), "Row 3: Annotation must be a JSON object, got list"},
		{"keypoint_detection", row("Annotation", "{"), "Row 3: Invalid JSON in Annotation"},
		{"keypoint_detection", row("Annotation", ""), "Row 3: Invalid JSON in Annotation"},
		{"keypoint_detection", row("Annotation", "{"+five+"}"), "Row 3: annotation has 4 keypoint(s) but the dataset declared num_keypoints=5."},
		{"keypoint_detection", row("Annotation", "{"+five+`,"right_hand":[1,2,3]}`), "Row 3: Keypoint 'right_hand' must have exactly 2 coordinates [x, y], got 3"},
		{"keypoint_detection", row("Annotation", "{"+five+`,"right_hand":7}`), "Row 3: Keypoint 'right_hand' must be [x, y] list or {\"x\": x, \"y\": y} dict"},
		{"keypoint_detection", row("Annotation", "{"+five+`,"right_hand":["1",2]}`), "Row 3: Keypoint 'right_hand' coordinates must be numeric"},
		{"keypoint_detection", row("Annotation", "{"+five+`,"right_hand":{"x":-1,"y":2}}`), "Row 3: Keypoint 'right_hand' has negative coordinates (-1, 2)"},
		{"keypoint_detection", row("Annotation", "{"+five+`,"tail":[1,2]}`), "Row 3: Keypoint names differ from first record. Missing: ['right_hand'], Extra: ['tail']"},
		{"keypoint_detection", row("Annotation", `{"head":[5,1],"left_foot":[5,2],"left_hand":[5,3],"right_foot":[5,4],"right_hand":[5,5]}`), "Row 3: Keypoints produce a degenerate bounding box (width=0.0000, height=4.0000)."},
		{"keypoint_detection", renamed("Visibility", "visibility"), "Keypoint Visibility Validator failed:  \n \nMissing required column: Visibility"},
		{"keypoint_detection", row("Visibility", "x"), "Row 3: Invalid JSON in Visibility"},
		{"keypoint_detection", row("Visibility", "[]"), "Row 3: Visibility must be a JSON object"},
		{"keypoint_detection", row("Visibility", `{"head":2,"left_foot":1,"left_hand":1,"right_foot":1,"right_hand":0}`), "Row 3: Visibility['head'] must be 0 or 1, got 2"},
		{"keypoint_detection", row("Visibility", `{"head":1,"left_foot":1,"left_hand":1,"right_foot":1}`), "Row 3: Visibility missing keys: ['right_hand']"},
		{"keypoint_detection", row("Visibility", `{"head":1,"left_foot":1,"left_hand":1,"right_foot":1,"right_hand":1,"tail":0}`), "Row 3: Visibility has extra keys not in Annotation: ['tail']"},
	}
}

func brokenTexts() []brokenDataset {
	return []brokenDataset{
		{"text_classification", added("texts/more.text", "x"), "Multiple file extensions found: ['.text', '.txt']."},
		{"text_classification", added("tokenizer.json", "{}"), "Could not extract vocabulary from tokenizer.json. Expected a 'model.vocab' mapping or an 'added_tokens' list."},
		{"token_classification", cell(1, "label", "B-PER PER O B-LOC I-LOC"), "BIO Label Validator failed:  \n \nRow 1 ('sentence_0001'): invalid BIO tag(s) ['PER']; each tag must be 'O' or 'B-<TYPE>' / 'I-<TYPE>'."},
		{"token_classification", cell(0, "label", "O O O"), "Row 0 ('sentence_0000'): token/label count mismatch — 5 word(s) in the .txt but 3 BIO tag(s) in the label column."},
		{"token_classification", removed("texts/sentence_0002.txt"), "Row 2: text file not found at 'texts/sentence_0002.txt'."},
		{"token_classification", content("texts/sentence_0002.txt", "ab\xff"), "BIO label validation error: 'utf-8' codec can't decode byte 0xff in position 2"},
		{"token_classification", renamed("label", "tags"), "Missing required column(s): label"},
		{"token_classification", content("tokenizer.json", "{"), "tokenizer.json is not valid JSON: "},
		{"masked_language_modeling", removed("tokenizer.json"), "/tokenizer.json. MLM training requires a tokenizer.json file alongside the sequence data."},
		{"masked_language_modeling", edited("tokenizer.json", "[MASK]", "<mask>"), "Tokenizer is missing required special tokens: [MASK]. Without these tokens, training will fail"},
		{"sentence_pair_classification", edited("texts/pair_0001.txt", "\t", " "), "Row 1 ('pair_0001.txt'): expected exactly 2 (text_a<TAB>text_b) tab-separated fields, found 1."},
		{"sentence_pair_classification", content("texts/pair_0001.txt", "a\tb\nc\td\n"), "Row 1 ('pair_0001.txt'): expected a single tab-separated record but the file spans multiple lines."},
		{"sentence_pair_classification", content("texts/pair_0001.txt", "a\t \n"), "Row 1 ('pair_0001.txt'): field(s) [2] are empty"},
		{"sentence_pair_classification", renamed("label", "class"), "Configured label column 'label' not found in CSV header (columns: filename, class)."},
		{"sentence_pair_classification", oneClass, "Classification category requires at least 2 distinct label values in column 'label'; this dataset has 1 distinct value(s): ['same']."},
		{"embeddings", content("texts/triplet_0000.txt", "a\tb\tc\td"), "Row 0 ('triplet_0000'): expected 2 (anchor<TAB>positive) or 3 (anchor<TAB>positive<TAB>negative) tab-separated fields, found 4."},
		{"causal_language_modeling", content("texts/prompt_0000.txt", "a\x00b"), "'texts/prompt_0000.txt' contains a NUL byte (0x00)"},
		{"seq2seq", content("texts/line_0000.txt", "\xc3("), "'texts/line_0000.txt' is not valid UTF-8 text"},
		{"seq2seq", renamed("filename", "Filename"), "No 'filename' column found in CSV 'labels.csv' (columns: ['Filename'])."},
		{"seq2seq", func(d *gen.Dataset) { d.Rows = nil }, "No data rows found in CSV 'labels.csv'"},
		{"seq2seq", func(d *gen.Dataset) { d.Rows = [][]string{{"x"}, {"y"}} }, "No referenced data files could be found under 'texts/'; nothing to ingest"},
	}
}

func oneClass(d *gen.Dataset) {
	for _, row := range d.Rows {
		row[slices.Index(d.Header, d.Label)] = "same"
	}
}

func brokenSeries() []brokenDataset {
	const forecast, sequences, survival = "time_series_forecasting", "time_series_classification", "time_to_event_prediction"
	return []brokenDataset{
		{"tabular_regression", cell(1, "rooms", "many"), "Column 'rooms' contains 1 non-numeric value(s). Sample invalid values: ['many']"},
		{"tabular_regression", cell(1, "price", "much"), "Data type validation failed for column price: Unable to parse string \"much\""},
		{forecast, declared("timestamp", "DATETIME"), "Timestamp column in schema must be of type 'TIMESTAMP', but found 'DATETIME'."},
		{forecast, func(d *gen.Dataset) { d.Schema = d.Schema[1:] }, "Schema must contain a 'timestamp' column."},
		{forecast, renamed("timestamp", " timestamp"), "Required column 'timestamp' not found. Available: [' timestamp', 'temperature', 'visitors', 'target']"},
		{forecast, cell(3, "timestamp", "never"), "Found 1 invalid timestamp(s) at rows: [4]"},
		{forecast, cell(3, "timestamp", ""), "Found 1 invalid timestamp(s) at rows: [4]"},
		{forecast, cell(3, "timestamp", "01.02.2024"), "Found 1 ambiguous date(s) in 'timestamp' that parse differently day-first vs month-first (e.g. ['01.02.2024'])."},
		{forecast, swapped(2, 5), "Found 2 out-of-order timestamp pair(s)"},
		{forecast, cell(7, "timestamp", "2026-11-23 00:00:00"), "Found 1 timestamp(s) that are not before today"},
		{forecast, cell(0, "visitors", "few"), "Numeric Columns Validator Validator failed:  \n \nColumn 'visitors' contains 1 non-numeric value(s). Sample invalid values: ['few']"},
		{survival, renamed("time", "Time"), "Required time column 'time' not found in dataset. Available columns: ['age', 'stage', 'Time', 'event']. The dataset must contain a column named 'time'."},
		{survival, cell(2, "time", "-1.5"), "Time column 'time' contains 1 negative value(s). Time values must be non-negative. Sample negative values: [-1.5]"},
		{survival, cell(2, "time", "soon"), "Time column 'time' contains 1 non-numeric value(s). Time values must be numeric (int or float). Sample invalid values: ['soon']"},
		{sequences, cell(2, "sequence_id", ""), "Sequence column 'sequence_id' contains 1 null/empty value(s) at rows [2]."},
		{sequences, cell(2, "label", "run"), "Found 1 sequence(s) whose 'label' value changes mid-sequence (first offending sequences start at rows [0])."},
		{sequences, swapped(1, 2), "Found 1 sequence(s) with out-of-order 'timestamp' values (first offending rows [2])."},
		{sequences, cell(3, "timestamp", "x"), "Column 'timestamp' contains 1 missing/invalid value(s) at rows [3]. Every timestep row needs a valid timestamp value"},
		{sequences, cell(3, "x", "far"), "Column 'x' contains 1 non-numeric value(s). Sample invalid values: ['far']"},
		{sequences, oneClass, "this dataset has 1 distinct value(s): ['same']."},
	}
}

// What the validators do not see is lost record by record, and the log says why.
func TestRecordsThatAreLost(t *testing.T) {
	for _, tc := range []struct {
		name, task string
		breaks     func(*gen.Dataset)
		log        string
		rows       int
		silent     int // records that only the banner counts
	}{
		{"annotation by a name with extension", "object_detection", cell(0, "filename", "street_0000.jpg"), "Source annotation not found: SRC/annotations/street_0000.jpg — skipping record", 7, 0},
		{"image that is not there", "object_detection", cell(0, "filename", "other"), "Source image not found: SRC/images/other.jpg — skipping record", 7, 0},
		{"mask that is not there", "semantic_segmentation", cell(0, "mask_id", "other"), "Source mask not found: other in SRC/masks/ — skipping record", 7, 0},
		{"mask cut at a dot", "semantic_segmentation", cell(0, "mask_id", "field_0000.v1_mask"), "Source mask not found: field_0000 in SRC/masks/ — skipping record", 7, 0},
		{"mask with its extension", "semantic_segmentation", cell(0, "mask_id", "field_0000_mask.png"), "", 8, 0},
		{"no mask", "semantic_segmentation", cell(0, "mask_id", ""), "No mask_id found in record", 7, 0},
		{"masks that are numbers", "semantic_segmentation", func(d *gen.Dataset) {
			for i := range d.Rows {
				d.Rows[i][1] = "00" + string(rune('1'+i))
			}
		}, "", 0, 8},
		{"text that is not there", "text_classification", cell(0, "filename", "other"), "Source text file not found: SRC/texts/other.txt", 7, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := generated(t, tc.task)
			tc.breaks(&d)
			f := ingestion(t, d, "")
			_, stdout, stderr := f.end(t)
			if want := strings.ReplaceAll(tc.log, "SRC", f.config.source); !strings.Contains(stdout, want) || len(f.store.rows) != tc.rows || f.counts.failed != tc.silent {
				t.Errorf("%d rows, %d failed\n%s%s\nwant %d and %q", len(f.store.rows), f.counts.failed, stdout, stderr, tc.rows, want)
			}
		})
	}
}

func TestColumnsOfTheSpecThatAreNotStored(t *testing.T) {
	masks := ingestion(t, generated(t, "semantic_segmentation"), "schema: {mask_id: VARCHAR(255)}\n")
	if code, _, stderr := masks.end(t); code != exitOK {
		t.Fatal(stderr)
	}
	if diff := cmp.Diff(make([]any, 8), masks.columnsOf()["mask_id"]); diff != "" {
		t.Errorf("mask_id:\n%s", diff)
	}
	d := generated(t, "keypoint_detection")
	points := ingestion(t, d, "schema: {Annotation: TEXT, Visibility: TEXT}\n")
	if code, _, stderr := points.end(t); code != exitOK {
		t.Fatal(stderr)
	}
	if diff := cmp.Diff([]column{{"Visibility", "TEXT"}}, points.store.created, cmp.AllowUnexported(column{})); diff != "" {
		t.Errorf("columns:\n%s", diff)
	}
	if got := points.store.rows[3]; got.features[0] != d.Column("Visibility")[3] || got.annotation != d.Column("Annotation")[3] {
		t.Errorf("got %v", got)
	}
}

func TestTimeColumnOfTheSpec(t *testing.T) {
	d := generated(t, "time_to_event_prediction")
	renamed("time", "days")(&d)
	d.Schema[2][0] = "days"
	if code, _, stderr := ingestion(t, d, "time_column: days\n").end(t); code != exitOK {
		t.Error(stderr)
	}
	if code, _, stderr := ingestion(t, d, "").end(t); code != exitFailed || !strings.Contains(stderr, "Required time column 'time' not found") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
