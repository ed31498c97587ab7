package preflight

import (
	"slices"
	"strings"
)

// contentCases are the cases of the rules that read the content of files, or hold the names of files against each other.
func contentCases() []ruleCase {
	return slices.Concat(pairingCases(), vocCases(), vocBoxCases(), maskCases(), textCases(), bioCases(), tokenizerCases())
}

// ofTask sets the task of a case.
func ofTask(name string) func(*Params) { return func(p *Params) { p.Task = mustTask(name) } }

// changed is a case on the good dataset of a task, with one file changed, or taken away when the content is "-".
func changed(rule, name, task, path, content string, also ...string) ruleCase {
	breaks := good(task).With(path, content)
	if content == "-" {
		breaks = breaks.Without(path)
	}
	c := ruleCase{rule: rule, name: name, params: ofTask(task), breaks: breaks, passes: good(task), also: also, passesStill: goodStill(task)}
	if rule != "mask-column" {
		c.also = append(c.also, goodStill(task)...)
	}
	return c
}

// goodStill are the rules that even a good dataset of a task breaks.
func goodStill(task string) []string {
	if task == "semantic_segmentation" {
		return []string{"mask-stored-null"}
	}
	return nil
}

// passing replaces the passing dataset by the good one with one file changed.
func (c ruleCase) passing(task, path, content string, still ...string) ruleCase {
	c.passes, c.passesStill = good(task).With(path, content), append(still, goodStill(task)...)
	return c
}

func pairingCases() []ruleCase {
	const od, seg = "object_detection", "semantic_segmentation"
	img := pngOf(32, 32)
	return []ruleCase{
		changed("file-unpaired", "annotation", od, "annotations/b.xml", "-"),
		changed("file-unpaired", "mask", seg, "masks/b_mask.png", "-", "mask-missing"),
		changed("file-unpaired", "letter case", od, "images/A.png", img, "file-unreferenced"),
		changed("sidecar-unpaired", "annotation", od, "annotations/c.xml", vocOf("c.png")),
		changed("sidecar-unpaired", "mask without suffix", seg, "masks/c.png", img),
		changed("sidecar-unpaired", "below the directory", od, "images/sub/c.png", img, "file-unreferenced").
			withBreaking("annotations/c.xml", vocOf("c.png")).passing(od, "annotations/sub/c.xml", vocOf("c.png")),
	}
}

// withBreaking adds a file to the breaking dataset.
func (c ruleCase) withBreaking(path, content string) ruleCase {
	c.breaks = c.breaks.With(path, content)
	return c
}

// vocCase changes the annotation of one image, in the breaking dataset and in the passing one.
func vocCase(rule, name, from, breaking, passing string, also ...string) ruleCase {
	if !strings.Contains(vocOf("a.png"), from) {
		panic("no " + from + " in the annotation")
	}
	change := func(to string) string { return strings.Replace(vocOf("a.png"), from, to, 1) }
	return changed(rule, name, "object_detection", "annotations/a.xml", change(breaking), also...).
		passing("object_detection", "annotations/a.xml", change(passing))
}

func vocCases() []ruleCase {
	const od, source = "object_detection", "<source><database>d</database><annotation>a</annotation></source>"
	object := vocOf("a.png")[strings.Index(vocOf("a.png"), "<object>"):]
	object = strings.TrimSuffix(object, "</annotation>")
	return []ruleCase{
		vocCase("voc-xml", "not closed", "</annotation></source>", "</source>", "</annotation ></source>"),
		changed("voc-xml", "empty", od, "annotations/a.xml", ""),
		changed("voc-xml", "encoding", od, "annotations/a.xml", `<?xml version="1.0" encoding="shift_jis"?>`+vocOf("a.png")).
			passing(od, "annotations/a.xml", `<?xml version="1.0" encoding="iso-8859-1"?>`+strings.Replace(vocOf("a.png"), "cat", "caf\xe9", 1)),
		changed("voc-xml", "in another directory", od, "images/x.xml", "x", "file-extension", "file-unpaired", "file-unreferenced"),
		changed("voc-root", "other", od, "annotations/a.xml", "<annotations/>").
			passing(od, "annotations/a.xml", "\ufeff<?xml version='1.0'?><!-- c -->\n"+vocOf("a.png")),
		vocCase("voc-root", "namespace", "<annotation>", `<annotation xmlns="urn:voc">`, `<annotation xmlns:v="urn:voc" verified="yes">`),
		vocCase("voc-missing-element", "of the root", "<folder>images</folder>", "<Folder>images</Folder>", "<x><folder/></x><folder>images</folder>"),
		vocCase("voc-missing-element", "LabelImg", "<annotation>a</annotation>", "", "<annotation>a</annotation><annotation/>"),
		vocCase("voc-missing-element", "source", source, "", source+"<source/>"),
		vocCase("voc-missing-element", "depth", "<depth>3</depth>", "", "<depth>1</depth>"),
		vocCase("voc-missing-element", "of an object", "<pose>Unspecified</pose>", "", "<pose>0</pose>"),
		vocCase("voc-missing-element", "of a box", "<ymax>9</ymax>", "", "<ymax>10</ymax>"),
		vocCase("voc-empty-element", "Roboflow", "<folder>images</folder>", "<folder></folder>", "<folder>&#46;</folder>"),
		vocCase("voc-empty-element", "blank", "<name>cat</name>", "<name> \n&#160;</name>", "<name><![CDATA[ cat ]]></name>"),
		vocCase("voc-empty-element", "text behind a child", "<pose>Unspecified</pose>", "<pose><x/>left</pose>", "<pose>left<x/></pose>"),
		vocCase("voc-empty-element", "comment", "<database>d</database>", "<database><!-- d --></database>", "<database><!-- c -->d</database>"),
		vocCase("voc-flag", "blanks", "<segmented>0</segmented>", "<segmented> 0 </segmented>", "<segmented>1</segmented>"),
		vocCase("voc-flag", "truncated", "<truncated>0</truncated>", "<truncated>2</truncated>", "<truncated>1</truncated>"),
		vocCase("voc-flag", "empty", "<truncated>0</truncated>", "<truncated/>", "<truncated>&#48;</truncated>"),
		vocCase("voc-size", "zero", "<depth>3</depth>", "<depth>0</depth>", "<depth>+1</depth>"),
		vocCase("voc-size", "empty", "<width>32</width>", "<width/>", "<width> 3_2\n</width>"),
		vocCase("voc-size", "float", "<height>32</height>", "<height>32.0</height>", "<height>३२</height>"),
		vocCase("voc-difficult", "negative", "<difficult>0</difficult>", "<difficult>-1</difficult>", "<difficult> 1 </difficult>"),
		vocCase("voc-difficult", "empty", "<difficult>0</difficult>", "<difficult/>", "<difficult>-0</difficult>"),
		vocCase("voc-difficult-level", "", "<difficult>0</difficult>", "<difficult>2</difficult>", "<difficult>1</difficult>"),
		vocCase("voc-no-object", "", object, "", object+object),
		changed("voc-extension", "", od, "annotations/a.XML", vocOf("a.png")).withoutBreaking("annotations/a.xml"),
		changed("voc-filename", "png", od, "labels.csv", "filename,label\na.png,x\nb,y\n").passing(od, "labels.csv", "filename,label\na,x\nb,y\n"),
		changed("voc-filename", "numbers", od, "labels.csv", "filename,label\na,x\nb,y\n007.png,z\n").
			withBreaking("images/007.png", pngOf(32, 32)).withBreaking("annotations/007.xml", vocOf("007.png")),
	}
}

// withoutBreaking takes a file away from the breaking dataset.
func (c ruleCase) withoutBreaking(path string) ruleCase {
	c.breaks = c.breaks.Without(path)
	return c
}

func vocBoxCases() []ruleCase {
	return []ruleCase{
		vocCase("voc-bndbox", "float", "<xmin>1</xmin>", "<xmin>1.5</xmin>", "<xmin> 1 </xmin>"),
		vocCase("voc-bndbox", "negative", "<ymin>1</ymin>", "<ymin>-1</ymin>", "<ymin>0</ymin>"),
		vocCase("voc-bndbox", "not in order", "<xmin>1</xmin>", "<xmin>30</xmin>", "<xmin/>"),
		vocCase("voc-bndbox", "no area", "<ymin>1</ymin>", "<ymin>9</ymin>", "<ymin>8</ymin>"),
		vocCase("voc-bndbox", "second box", "</bndbox>", "</bndbox></object><object><name>c</name><pose>p</pose><truncated>0</truncated><difficult>0</difficult>"+
			"<bndbox><xmin>x</xmin><ymin>0</ymin><xmax>1</xmax><ymax>1</ymax></bndbox>", "</bndbox><bndbox/>"),
		vocCase("voc-box-outside", "wide", "<xmax>9</xmax>", "<xmax>33</xmax>", "<xmax>32</xmax>"),
		vocCase("voc-box-outside", "far beyond", "<ymax>9</ymax>", "<ymax>1"+strings.Repeat("0", 100)+"</ymax>", "<ymax>32</ymax>"),
		vocCase("voc-image-size", "", "<height>32</height>", "<height>64</height>", "<height>0032</height>"),
	}
}

func maskCases() []ruleCase {
	const seg = "semantic_segmentation"
	rows := func(header, a, b string) string {
		return header + "\na.png," + a + ",x\nb.png," + b + ",y\n"
	}
	const head = "filename,mask_id,label"
	small := good(seg).With("masks/a_mask.png", pngOf(16, 16)).With("masks/b_mask.png", pngOf(16, 16))
	dotted := tree{"labels.csv": "filename,mask_id,label\na.v1,a.v1_mask,x\nb.v1,b.v1_mask,y\n"}
	for _, name := range []string{"a", "b"} {
		dotted["images/"+name+".v1.png"], dotted["masks/"+name+".v1_mask.png"] = pngOf(32, 32), pngOf(32, 32)
	}
	return []ruleCase{
		changed("mask-column", "absent", seg, "labels.csv", "filename,label\na.png,x\nb.png,y\n"),
		changed("mask-column", "letter case", seg, "labels.csv", rows("filename,Mask_ID,label", "a_mask", "b_mask")).
			passing(seg, "labels.csv", rows("filename, mask_id ,label", "a_mask", "b_mask"), "csv-padded-header"),
		changed("mask-blank", "empty", seg, "labels.csv", rows(head, "a_mask", "")),
		changed("mask-blank", "blanks", seg, "labels.csv", rows(head, "a_mask", "  ")).passing(seg, "labels.csv", rows(head, " a_mask", "b_mask ")),
		changed("mask-missing", "absent", seg, "labels.csv", rows(head, "a_mask", "c_mask")).passing(seg, "labels.csv", rows(head, "a_mask.png", "b_mask.jpg")),
		changed("mask-missing", "name of the image", seg, "labels.csv", rows(head, "a.png", "b_mask")),
		changed("mask-missing", "path", seg, "labels.csv", rows(head, "masks/a_mask.png", "b_mask")),
		{rule: "mask-missing", name: "dotted", params: ofTask(seg), breaks: dotted, passes: good(seg), also: goodStill(seg), passesStill: goodStill(seg)},
		changed("mask-unreadable", "text", seg, "masks/a_mask.png", "no image"),
		changed("mask-unreadable", "empty", seg, "masks/a_mask.png", "").passing(seg, "masks/a_mask.png", bmpOf(32, 32)),
		changed("mask-unknown-format", "", seg, "masks/a_mask.png", "P6 32 32 255 xxxx"),
		changed("mask-size", "one", seg, "masks/a_mask.png", pngOf(32, 33)),
		{rule: "mask-size", name: "all", params: ofTask(seg), breaks: small, passes: good(seg), also: goodStill(seg), passesStill: goodStill(seg)},
		{rule: "mask-stored-null", params: ofTask(seg), breaks: good(seg), passes: good("object_detection"), fixed: ofTask("object_detection")},
	}
}

func textCases() []ruleCase {
	const text, pair, embed = "text_classification", "sentence_pair_classification", "embeddings"
	late := strings.Repeat("x", textInspected)
	return []ruleCase{
		changed("text-not-utf8", "", text, "texts/a.txt", "caf\xe9").passing(text, "texts/a.txt", "café"),
		changed("text-not-utf8", "cut at the end", text, "texts/a.txt", "caf\xc3"),
		changed("text-not-utf8", "late in a pair", pair, "texts/a.txt", "a\t"+late+"\xff").passing(pair, "texts/a.txt", "a\t"+late),
		changed("text-nul", "", text, "texts/a.txt", "a\x00b").passing(text, "texts/c.txt", "a\x00b", "file-unreferenced"),
		changed("text-damaged", "not UTF-8", text, "texts/a.txt", late+"\xff"),
		changed("text-damaged", "NUL", pair, "texts/a.txt", "a\t"+late+"\x00"),
		changed("text-empty", "empty", text, "texts/a.txt", ""),
		changed("text-empty", "blank", pair, "texts/a.txt", " \t\r\n\u3000").passing(pair, "texts/a.txt", "\n\na\tb\r\n\r\n"),
		changed("text-bom", "", "seq2seq", "texts/a.txt", "\ufeffsource\ttarget").passing("seq2seq", "texts/a.txt", "a\ufeff"),
		changed("pair-lines", "two records", pair, "texts/a.txt", "a\tb\nc\td").passing(pair, "texts/a.txt", "a\tb\u2028c\n"),
		changed("pair-lines", "blank line behind", pair, "texts/a.txt", "a\tb\n \n"),
		changed("pair-lines", "CR", embed, "texts/a.txt", "a\tb\rc\td").passing(embed, "texts/a.txt", "\r\na\tb\r"),
		changed("pair-fields", "one", pair, "texts/a.txt", "no tab"),
		changed("pair-fields", "three", pair, "texts/a.txt", "a\tb\tc").passing(pair, "texts/a.txt", "a\tb"),
		changed("pair-fields", "four", embed, "texts/a.txt", "a\tb\tc\td").passing(embed, "texts/a.txt", "a\tb\tc"),
		changed("pair-empty-field", "last", pair, "texts/a.txt", "a\t").passing(pair, "texts/a.txt", " a\tb "),
		changed("pair-empty-field", "blank", embed, "texts/a.txt", "a\t \u00a0\tc"),
	}
}

func bioCases() []ruleCase {
	const bio = "token_classification"
	rows := func(header, a, b string) string { return header + "\na.txt," + a + "\nb.txt," + b + "\n" }
	const head = "filename,label"
	return []ruleCase{
		changed("bio-header", "label", bio, "labels.csv", rows("filename, label", "O B-PER", "O"), "csv-padded-header"),
		changed("bio-header", "filename", bio, "labels.csv", rows("filename ,label", "O B-PER", "O"), "csv-padded-header"),
		changed("bio-tag", "no prefix", bio, "labels.csv", rows(head, "O PER", "O")),
		changed("bio-tag", "no type", bio, "labels.csv", rows(head, "O B-", "O")).passing(bio, "labels.csv", rows(head, "O I--", "O")),
		changed("bio-tag", "lower case", bio, "labels.csv", rows(head, "o b-PER", "O")),
		changed("bio-count", "too few", bio, "labels.csv", rows(head, "O", "O")).passing(bio, "labels.csv", rows(head, " O\u3000B-PER ", "O"), "label-padded"),
		changed("bio-count", "blank label", bio, "labels.csv", rows(head, "O B-PER", " "), "label-padded"),
		changed("bio-count", "too many", bio, "texts/b.txt", "").withAlso("text-empty").passing(bio, "texts/a.txt", "\n by\t\u00a0Ada\r\n"),
		changed("bio-count", "second row of a text", bio, "labels.csv", rows(head, "O B-PER", "O")+"a.txt,O\n", "filename-duplicate").
			passing(bio, "labels.csv", rows(head, "O B-PER", "O")+"a,B-X I-X\n", "filename-duplicate"),
	}
}

// withAlso adds rules that the breaking dataset breaks too.
func (c ruleCase) withAlso(rules ...string) ruleCase {
	c.also = append(c.also, rules...)
	return c
}

func tokenizerCases() []ruleCase {
	const mlm, text, file = "masked_language_modeling", "text_classification", "tokenizer.json"
	return []ruleCase{
		changed("tokenizer-json", "cut", mlm, file, `{"model": {"vocab": {"[PAD]": 0, "[MASK]": 1}}`),
		changed("tokenizer-json", "BOM", mlm, file, "\ufeff"+good(mlm)[file]),
		changed("tokenizer-json", "not UTF-8", text, file, `{"added_tokens": ["[PAD]", "`+"\xff"+`"]}`).passing(text, file, `{"added_tokens": ["[PAD]", "\ud800"], "n": [NaN, -Infinity, 1e999]}`),
		changed("tokenizer-vocab", "none", mlm, file, `{}`).passing(mlm, file, `{"added_tokens": [{"id": 0, "content": "[PAD]"}, {"id": 1, "content": "\u005bMASK]"}]}`),
		changed("tokenizer-vocab", "empty", text, file, `{"model": {"vocab": {}}, "added_tokens": []}`),
		changed("tokenizer-vocab", "no object", text, file, `["[PAD]"]`),
		changed("tokenizer-vocab", "model is no object", text, file, `{"model": null, "added_tokens": ["[PAD]"]}`),
		changed("tokenizer-token", "mask", mlm, file, `{"model": {"vocab": {"[PAD]": 0}}}`).passing(mlm, file, `{"model": {"vocab": [["[PAD]", 0], ["[MASK]", -1.5], []]}}`),
		changed("tokenizer-token", "pad", text, file, `{"model": {"vocab": {"<pad>": 0}}}`).passing(text, file, `{"model": {"vocab": {"[PAD]": 0}}}`),
		changed("tokenizer-token", "last key counts", text, file, `{"model": {"vocab": {"[PAD]": 0}, "vocab": {"a": 0}}}`).
			passing(text, file, `{"model": {"vocab": {"a": 0}}, "model": {"vocab": {"[PAD]": 0}}}`),
	}
}
