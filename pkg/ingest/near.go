package ingest

import (
	"slices"
	"strings"
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
		d := distance(folded, fold(candidate))
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

// distance counts the insertions, deletions, replacements and swaps of
// neighbors that turn a into b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before := make([]int, len(y)+1)
	last := make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}
