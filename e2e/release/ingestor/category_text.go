package main

import "github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"

func textCategories() []category {
	texts := func(in *ingestor) validator { return fileType(in, "texts", in.config.extension) }
	list := []category{
		{name: "text_classification", files: "texts", validators: func(in *ingestor) []validator {
			return ending(in, checkedData(in, texts(in), tokenizer(in, false, "[PAD]"))...)
		}},
		{name: "token_classification", files: "texts", validators: func(in *ingestor) []validator {
			return ending(in, checkedData(in, texts(in), bioLabels(in), tokenizer(in, false, "[PAD]"))...)
		}},
		{name: "masked_language_modeling", files: "sequences", validators: func(in *ingestor) []validator {
			return ending(in, checkedData(in, fileType(in, "sequences", in.config.extension), tokenizer(in, true, "[MASK]", "[PAD]"))...)
		}},
		{name: "sentence_pair_classification", files: "texts", validators: func(in *ingestor) []validator {
			return ending(in, checkedData(in, ingestable(in), texts(in), textContent(in), sentencePairs(in), labelColumn(in), labelDiversity(in))...)
		}},
		{name: "causal_language_modeling", files: "texts", validators: func(in *ingestor) []validator {
			return ending(in, checkedData(in, ingestable(in), texts(in), textContent(in))...)
		}},
		{name: "seq2seq", files: "texts", validators: func(in *ingestor) []validator {
			return ending(in, checkedData(in, ingestable(in), texts(in), textContent(in))...)
		}},
		{name: "embeddings", files: "texts", validators: func(in *ingestor) []validator {
			return ending(in, checkedData(in, ingestable(in), texts(in), textContent(in), contrastivePairs(in))...)
		}},
	}
	for i := range list {
		list[i].noun, list[i].extension, list[i].missing = "text file", ".txt", pandas.OnlyEmpty
	}
	return list
}
