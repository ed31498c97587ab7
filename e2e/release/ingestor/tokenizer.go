package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// tokenizer looks for special tokens in SRC_PATH/tokenizer.json. Where the file is optional, its absence is only a warning.
func tokenizer(in *ingestor, demanded bool, tokens ...string) validator {
	return validator{name: "Tokenizer Validator", doing: "Validating the tokenizer", check: func() ([]string, error) {
		path := filepath.Join(in.config.source, "tokenizer.json")
		data, err := os.ReadFile(path)
		switch {
		case errors.Is(err, os.ErrNotExist) && !demanded:
			return nil, nil
		case errors.Is(err, os.ErrNotExist):
			return []string{fmt.Sprintf("tokenizer.json not found at %s. MLM training requires a tokenizer.json file alongside the sequence data.", path)}, nil
		case err != nil:
			return []string{"Tokenizer validation error: " + pyOSError(err)}, nil
		}
		vocabulary, err := vocabularyOf(data)
		if err != nil {
			return []string{fmt.Sprintf("tokenizer.json is not valid JSON: %v", err)}, nil
		}
		if len(vocabulary) == 0 {
			return []string{"Could not extract vocabulary from tokenizer.json. Expected a 'model.vocab' mapping or an 'added_tokens' list."}, nil
		}
		missing := slices.DeleteFunc(slices.Sorted(slices.Values(tokens)), func(t string) bool { return vocabulary[t] })
		if len(missing) == 0 {
			return nil, nil
		}
		return []string{fmt.Sprintf("Tokenizer is missing required special tokens: %s. Without these tokens, training will fail with an embedding out-of-bounds error. Re-train or update the tokenizer to include them.", strings.Join(missing, ", "))}, nil
	}}
}

// vocabularyOf gathers the tokens of model.vocab, which is an object or a list of pairs, and of added_tokens.
func vocabularyOf(data []byte) (map[string]bool, error) {
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	top, _ := doc.(map[string]any)
	model, _ := top["model"].(map[string]any)
	found := map[string]bool{}
	switch vocab := model["vocab"].(type) {
	case map[string]any:
		for token := range vocab {
			found[token] = true
		}
	case []any:
		for _, entry := range vocab {
			if pair, ok := entry.([]any); ok && len(pair) > 0 {
				found[fmt.Sprint(pair[0])] = true
			}
		}
	}
	added, _ := top["added_tokens"].([]any)
	for _, entry := range added {
		switch entry := entry.(type) {
		case string:
			found[entry] = true
		case map[string]any:
			if token, ok := entry["content"].(string); ok {
				found[token] = true
			}
		}
	}
	return found, nil
}
