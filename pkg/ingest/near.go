package ingest

import (
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// nearest picks the candidate that a user most likely meant by word: the same
// letters in another case or with other separators, else the fewest typing
// errors, at most a third of the word and swaps before others. It returns "" where none is near.
func nearest(word string, candidates []string) string {
	best, bestDistance := "", 0
	folded := fold(word)
	if folded == "" || len(folded) > 64 {
		return ""
	}
	for _, candidate := range candidates {
		d := dataset.EditDistance(folded, fold(candidate))
		if d > max(1, len(folded)/3) || d >= len(folded) {
			continue
		}
		swapped := d == bestDistance && sameLetters(folded, fold(candidate)) && !sameLetters(folded, fold(best))
		if best == "" || d < bestDistance || swapped {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// fold drops what people vary: letter case, dashes, underscores, spaces.
func fold(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// sameLetters tells whether two words differ in the order of their letters
// only, the commonest slip of the fingers.
func sameLetters(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return string(x) == string(y)
}
