package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// UnknownFieldError says that the schema has no such field.
type UnknownFieldError struct {
	// Path is what the user asked for.
	Path string
	// Near are the paths that were probably meant, the likeliest first.
	Near []string
	// There are, where nothing is near, the fields of the last place on the way that exists.
	There []string
}

// Error names the near fields, or those that there are.
func (e *UnknownFieldError) Error() string {
	if len(e.Near) == 0 {
		return fmt.Sprintf("field %q does not exist; there are %s", e.Path, list(e.There))
	}
	quoted := make([]string, len(e.Near))
	for i, path := range e.Near {
		quoted[i] = strconv.Quote(path)
	}
	return fmt.Sprintf("field %q does not exist; did you mean %s?", e.Path, strings.Join(quoted, ", "))
}

// Lookup finds a field. A path is written as in kubectl explain, "spec.sidecars.column"; the name of the document in front
// ("ingestconfig.label", "$.label") and indexes ("spec.sidecars[0]") are passed over. The empty path is the document.
// Every name is a field of a map. What is not there is an *UnknownFieldError.
func (s *Schema) Lookup(path string) (Field, error) {
	names := split(path)
	if len(names) > 0 && (names[0] == "$" || s.root.Properties.lookup(names[0]) == nil && strings.EqualFold(names[0], s.fixed("kind"))) {
		names = names[1:]
	}
	f := Field{Title: s.root.Title, node: s.root}
	for i, name := range names {
		holder := f.node.holder()
		child := holder.Properties.lookup(name)
		if child == nil {
			child = holder.values()
		}
		if child == nil {
			return Field{}, s.unknown(path, names, f)
		}
		f = newField(child, names[:i+1:i+1], holder)
	}
	return f, nil
}

// split cuts a path at its dots. Indexes are dropped; a name in brackets and quotes, schema["a.b"], is one name.
func split(path string) []string {
	var names []string
	for path != "" {
		if rest, found := strings.CutPrefix(path, "["); found {
			inside, after := bracket(rest)
			if name, err := strconv.Unquote(inside); err == nil {
				names = append(names, name)
			}
			path = after
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		if name := strings.TrimSpace(path[:end]); name != "" {
			names = append(names, name)
		}
		path = strings.TrimPrefix(path[end:], ".")
	}
	return names
}

// bracket cuts behind the bracket that closes what stands in text; one inside of quotes does not.
func bracket(text string) (inside, after string) {
	if quoted, err := strconv.QuotedPrefix(text); err == nil {
		return quoted, strings.TrimPrefix(text[len(quoted):], "]")
	}
	inside, after, _ = strings.Cut(text, "]")
	return inside, after
}

// maxNear is how many fields are offered for one that does not exist.
const maxNear = 5

// unknown picks the fields that were probably meant, else those of the last place on the way.
func (s *Schema) unknown(path string, names []string, parent Field) *UnknownFieldError {
	type scored struct {
		path  string
		score int
	}
	var found []scored
	for _, f := range s.fields {
		if score := distance(names, f); score >= 0 {
			found = append(found, scored{f.Path, score})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return cmp.Compare(a.score, b.score) })
	e := &UnknownFieldError{Path: path}
	for _, f := range found[:min(len(found), maxNear)] {
		e.Near = append(e.Near, f.path)
	}
	if len(e.Near) > 0 {
		return e
	}
	if len(parent.node.holder().Properties) == 0 {
		parent = Field{node: s.root}
	}
	for _, child := range parent.node.holder().Properties {
		e.There = append(e.There, strings.Join(below(parent.names, child.name), "."))
	}
	return e
}

// distance says how far a field is from the names that were asked for: 0 is next to it, and -1 too far. A mistyped path
// is nearer than a field of that name in another place, and that is nearer than one whose name or title holds the word.
func distance(names []string, f Field) int {
	word, own := fold(names[len(names)-1]), fold(f.names[len(f.names)-1])
	whole, path := fold(strings.Join(names, "")), fold(strings.Join(f.names, ""))
	best := -1
	offer := func(score int, fits bool) {
		if fits && (best < 0 || score < best) {
			best = score
		}
	}
	d := slips(whole, path)
	offer(d, len(names) == len(f.names) && d <= 2*most(whole))
	d = slips(word, own)
	offer(d+1, d <= 2*most(word))
	enough := utf8.RuneCountInString(word) >= 3
	offer(8, enough && strings.Contains(own, word))
	offer(9, enough && strings.Contains(fold(f.Title), word))
	return best
}

// slips counts the slips of the fingers between two words in halves: letters in another order are half a slip, the
// commonest.
func slips(a, b string) int {
	d := 2 * dataset.EditDistance(a, b)
	if d > 1 && sorted(a) == sorted(b) {
		return 1
	}
	return d
}

// most is how many slips a word may have and still be meant.
func most(word string) int { return min(max(1, len(word)/3), len(word)-1) }

func sorted(word string) string {
	letters := []byte(word)
	slices.Sort(letters)
	return string(letters)
}

// fold drops what people vary: letter case and separators.
func fold(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}
