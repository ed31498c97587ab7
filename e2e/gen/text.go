package gen

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// texts is a dataset with one .txt file for each record, in dir. The manifest names the files as they are, or by their stems.
func texts(dir, stem string, withExtension bool, contents, labels []string) Dataset {
	d := Dataset{CSV: "labels.csv", Header: []string{"filename"}}
	if labels != nil {
		d.Header, d.Label = append(d.Header, "label"), "label"
	}
	for i, content := range contents {
		name := fmt.Sprintf("%s_%04d", stem, i)
		d.Files = append(d.Files, File{dir + "/" + name + ".txt", []byte(content)})
		if withExtension {
			name += ".txt"
		}
		row := []string{name}
		if labels != nil {
			row = append(row, labels[i])
		}
		d.Rows = append(d.Rows, row)
	}
	return d
}

func classifiedTexts(count int) (Dataset, error) {
	things := []string{"The espresso machine", "This café", "Our hotel room", "The train to Zürich"}
	good, bad := []string{"was a pleasure", "worked from the first day", "is worth every cent"}, []string{"broke after a week", "smelled odd", "never arrived"}
	var contents, labels []string
	for i := range count {
		random := sequence(4000 + i)
		label, ends := "positive", good
		if i%2 == 1 {
			label, ends = "negative", bad
		}
		contents = append(contents, fmt.Sprintf("%s %s.\nVisit number %d.\n", things[random.next(len(things))], ends[random.next(len(ends))], i+1))
		labels = append(labels, label)
	}
	return texts("texts", "review", true, contents, labels), nil
}

// taggedWords has one BIO tag for each word; the tags of a text are its label.
func taggedWords(count int) (Dataset, error) {
	type token struct{ word, tag string }
	people := [][]token{{{"Ada", "B-PER"}, {"Lovelace", "I-PER"}}, {{"Erdős", "B-PER"}}, {{"Grace", "B-PER"}, {"Hopper", "I-PER"}}}
	places := [][]token{{{"Genève", "B-LOC"}}, {{"New", "B-LOC"}, {"York", "I-LOC"}}, {{"東京", "B-LOC"}}}
	verbs := []string{"visited", "left", "wrote from"}
	var contents, labels []string
	for i := range count {
		random := sequence(5000 + i)
		sentence := slices.Clone(people[random.next(len(people))])
		for _, word := range strings.Fields(verbs[i%len(verbs)]) {
			sentence = append(sentence, token{word, "O"})
		}
		sentence = append(sentence, places[random.next(len(places))]...)
		if i%2 == 0 {
			sentence = append(sentence, token{"yesterday", "O"})
		}
		var words, tags []string
		for _, t := range sentence {
			words, tags = append(words, t.word), append(tags, t.tag)
		}
		contents = append(contents, strings.Join(words, " ")+"\n")
		labels = append(labels, strings.Join(tags, " "))
	}
	d := texts("texts", "sentence", false, contents, labels)
	vocabulary, err := tokenizer(contents)
	d.Files = append(d.Files, vocabulary)
	return d, err
}

// maskedSequences comes with a tokenizer.json, which ingestor 0.3.9 demands.
func maskedSequences(count int) (Dataset, error) {
	subjects, objects := []string{"the river", "a quiet town", "every engine"}, []string{"needs rain", "sleeps in winter", "turns slowly", "has a name"}
	var contents []string
	for i := range count {
		random := sequence(6000 + i)
		contents = append(contents, fmt.Sprintf("%s %s and %s %s\n", subjects[i%len(subjects)], objects[random.next(len(objects))],
			subjects[random.next(len(subjects))], objects[random.next(len(objects))]))
	}
	d := texts("sequences", "chapter", false, contents, nil)
	vocabulary, err := tokenizer(contents)
	d.Files = append(d.Files, vocabulary)
	return d, err
}

// tokenizer is a word-level tokenizer.json for the words of the contents, with the special tokens that training needs.
func tokenizer(contents []string) (File, error) {
	type added struct {
		ID      int    `json:"id"`
		Content string `json:"content"`
		Special bool   `json:"special"`
	}
	special := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
	unique := map[string]bool{}
	for _, c := range contents {
		for _, word := range strings.Fields(c) {
			unique[word] = true
		}
	}
	var tokens []added
	vocabulary := map[string]int{}
	for _, word := range append(slices.Clone(special), slices.Sorted(maps.Keys(unique))...) {
		if len(tokens) < len(special) {
			tokens = append(tokens, added{len(tokens), word, true})
		}
		vocabulary[word] = len(vocabulary)
	}
	data, err := json.MarshalIndent(map[string]any{
		"version":       "1.0",
		"added_tokens":  tokens,
		"pre_tokenizer": map[string]string{"type": "Whitespace"},
		"model":         map[string]any{"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocabulary},
	}, "", "  ")
	return File{"tokenizer.json", append(data, '\n')}, err
}
