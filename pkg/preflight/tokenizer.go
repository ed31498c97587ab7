package preflight

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight/pyjson"
)

// tokenizerRules are the rules about tokenizer.json.
func tokenizerRules() []Rule {
	return []Rule{
		{"tokenizer-json", SeverityError, "2.2", "tokenizer.json is no valid JSON in UTF-8", "save the tokenizer again (in transformers: tokenizer.save_pretrained)"},
		{"tokenizer-vocab", SeverityError, "2.2", "tokenizer.json has no vocabulary: neither model.vocab nor added_tokens holds a token", "save the tokenizer as one file (in transformers: a fast tokenizer)"},
		{"tokenizer-token", SeverityError, "2.2", "the vocabulary lacks a special token that the training needs", "add the token to the tokenizer and save it again"},
	}
}

// tokenizerCheck holds tokenizer.json against the rules (contract/ingestor.md 2.2, "TokenizerValidator").
type tokenizerCheck struct {
	checker *checker
	tokens  []string // that must be there
}

func newTokenizerCheck(c *checker, tokens ...string) *tokenizerCheck {
	return &tokenizerCheck{checker: c, tokens: tokens}
}

// wants takes the single file that the task stages beside its directory.
func (k *tokenizerCheck) wants(e dataset.Entry) bool {
	for _, s := range k.checker.Task.Sidecars {
		if !s.Dir && s.Path == e.Path {
			return true
		}
	}
	return false
}

func (k *tokenizerCheck) read(_ int, e dataset.Entry, content content) {
	report := k.checker.report
	v, err := readVocabulary(pyjson.NewReader(content), k.tokens)
	var syntax *pyjson.SyntaxError
	switch {
	case errors.As(err, &syntax):
		report.add("tokenizer-json", Finding{File: e.Path, Line: syntax.Line, Message: syntax.Problem})
	case err != nil: // the reader's, which its owner reports
	case v.misplaced != "":
		report.add("tokenizer-vocab", Finding{File: e.Path, Message: v.misplaced})
	case !v.model.any && !v.added.any:
		report.add("tokenizer-vocab", Finding{File: e.Path, Message: "neither model.vocab nor added_tokens holds a token"})
	default:
		var missing []string
		for _, token := range k.tokens {
			if !v.model.found[token] && !v.added.found[token] {
				missing = append(missing, token)
			}
		}
		if len(missing) > 0 {
			report.add("tokenizer-token", Finding{File: e.Path, Message: fmt.Sprintf("the vocabulary lacks %s", strings.Join(missing, " and "))})
		}
	}
}

func (k *tokenizerCheck) finish() {}

// vocabulary is what a tokenizer.json holds of the tokens that are looked for, in its two places.
type vocabulary struct {
	wanted       []string
	model, added tokens
	// misplaced says what stands where an object must; "" for nothing.
	misplaced string
}

// tokens are those of one place: whether there is any, and which of the wanted ones.
type tokens struct {
	any   bool
	found map[string]bool
}

func (v *vocabulary) see(t *tokens, token string) {
	t.any = true
	for _, wanted := range v.wanted {
		if token == wanted {
			if t.found == nil {
				t.found = map[string]bool{}
			}
			t.found[token] = true
		}
	}
}

// readVocabulary reads a whole document. Where a key comes twice, the last one counts, as it does to Python.
func readVocabulary(j *pyjson.Reader, wanted []string) (*vocabulary, error) {
	v := &vocabulary{wanted: wanted}
	if j.Kind() != pyjson.Object {
		v.misplaced = "the document is no object"
		j.Skip()
		return v, j.End()
	}
	j.Object(func(key string) {
		switch key {
		case "model":
			v.model, v.misplaced = tokens{}, ""
			if j.Kind() != pyjson.Object {
				v.misplaced = "model is no object"
				j.Skip()
				return
			}
			j.Object(func(key string) {
				if key == "vocab" {
					v.model = tokens{}
					v.readModel(j)
					return
				}
				j.Skip()
			})
		case "added_tokens":
			v.added = tokens{}
			v.readAdded(j)
		default:
			j.Skip()
		}
	})
	return v, j.End()
}

// readModel reads model.vocab: tokens as keys, or a list of pairs that begin with the token.
func (v *vocabulary) readModel(j *pyjson.Reader) {
	switch j.Kind() {
	case pyjson.Object:
		j.Object(func(key string) {
			v.see(&v.model, key)
			j.Skip()
		})
	case pyjson.Array:
		j.Array(func() {
			if j.Kind() != pyjson.Array {
				j.Skip()
				return
			}
			first := true
			j.Array(func() {
				switch {
				case !first:
					j.Skip()
				case j.Kind() == pyjson.String:
					v.see(&v.model, j.Text())
				default:
					v.model.any = true
					j.Skip()
				}
				first = false
			})
		})
	default:
		j.Skip()
	}
}

// readAdded reads added_tokens: a list of tokens, or of objects with a token as their content.
func (v *vocabulary) readAdded(j *pyjson.Reader) {
	if j.Kind() != pyjson.Array {
		j.Skip()
		return
	}
	j.Array(func() {
		switch j.Kind() {
		case pyjson.String:
			v.see(&v.added, j.Text())
		case pyjson.Object:
			content, given := "", false
			j.Object(func(key string) {
				if key != "content" {
					j.Skip()
					return
				}
				if given = j.Kind() == pyjson.String; given {
					content = j.Text()
					return
				}
				j.Skip()
			})
			if given {
				v.see(&v.added, content)
			}
		default:
			j.Skip()
		}
	})
}
