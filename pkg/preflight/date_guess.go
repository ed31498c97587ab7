package preflight

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// guessFormat finds the format that pandas binds a column to, from its first value; nil where it finds none, and reads
// every value on its own. A value with a time zone gives none: the database refuses it, whatever its form.
func guessFormat(s string, now time.Time) *dateFormat {
	if len(s) > maxDate {
		return nil
	}
	today := moment{year: now.Year(), month: int(now.Month()), day: now.Day()}
	m, ok := parseLenient(s, false, today, now)
	if !ok || m.zone {
		return nil
	}
	tokens := splitTokens(s)
	guess := guessParts(tokens, m)
	year, month, day := slices.Contains(guess, "%Y"), false, false
	compact := false
	for _, g := range guess {
		compact = compact || strings.HasPrefix(g, "%Y%m%d")
		month = month || g == "%m" || g == "%b" || g == "%B"
		day = day || g == "%d"
	}
	whole := compact || (year && month && day)
	if !whole && !slices.Equal(guess, []string{"%Y"}) && !(slices.Equal(guess, []string{"%Y", "", "%m"}) && tokens[1] == "-") {
		return nil
	}
	for i, g := range guess {
		if g != "" {
			continue
		}
		if isDigit(tokens[i][0]) || strings.Contains(tokens[i], "%") {
			return nil
		}
		guess[i] = tokens[i]
	}
	if i := slices.Index(guess, "%H"); i >= 0 && slices.Contains(guess, "%p") {
		guess[i] = "%I"
	}
	f := newDateFormat(strings.Join(guess, ""))
	matched, ok := f.match(s)
	if _, bounded := matched.instant(); !ok || !bounded || f.render(m) != blankened(strings.Join(tokens, "")) {
		return nil
	}
	return f
}

// blankened makes single blanks of runs of white space, as dateFormat keeps them.
func blankened(s string) string {
	var b strings.Builder
	blank := false
	for _, r := range s {
		space := unicode.IsSpace(r)
		switch {
		case !space:
			b.WriteRune(r)
		case !blank:
			b.WriteByte(' ')
		}
		blank = space
	}
	return b.String()
}

// guessStep is a directive, or several, that a token may be written in.
type guessStep struct {
	format string
	parts  string // what it tells: y m d h n s f w p
	fill   int    // digits that a number is filled to
}

// guessSteps are tried in this order; each takes the first token that reads like it, and parts that are told need no other.
func guessSteps() []guessStep {
	return []guessStep{
		{"%Y%m%d%H%M%S", "ymdhns", 0}, {"%Y%m%d%H%M", "ymdhn", 0}, {"%Y%m%d%H", "ymdh", 0}, {"%Y%m%d", "ymd", 0}, {"%H%M%S", "hns", 0},
		{"%Y", "y", 0}, {"%H%M", "hn", 0}, {"%B", "m", 0}, {"%b", "m", 0}, {"%m", "m", 2}, {"%d", "d", 2},
		{"%H", "h", 2}, {"%M", "n", 2}, {"%S", "s", 2}, {"%S.%f", "sf", 0}, {"%a", "w", 0}, {"%A", "w", 0}, {"%p", "p", 0},
	}
}

// guessParts gives each token its format, "" for one that stands for itself. Tokens that match are filled up in place.
func guessParts(tokens []string, m moment) []string {
	guess := make([]string, len(tokens))
	told := ""
	for _, step := range guessSteps() {
		if strings.ContainsAny(told, step.parts) {
			continue
		}
		want := newDateFormat(step.format).render(m)
		for i, token := range tokens {
			filled := fillToken(token, step.fill)
			if guess[i] == "" && filled == want {
				guess[i], tokens[i] = step.format, filled
				told += step.parts
				break
			}
		}
	}
	return guess
}

// fillToken fills a number up with zeros: in front, or behind its point to six decimals.
func fillToken(token string, fill int) string {
	whole, fraction, found := strings.Cut(token, ".")
	if found && whole != "" && fraction != "" && isDigit(token[0]) {
		return strings.Repeat("0", max(0, 2-len(strings.TrimLeft(whole, "0")))) + strings.TrimLeft(whole, "0") + "." + (fraction + "000000")[:6]
	}
	return strings.Repeat("0", max(0, fill-len(token))) + token
}

// splitTokens cuts a value where pandas' guess does: blanks one by one, words, numbers (with one point if no other is near),
// runs of points, slashes and colons, and runs of anything else.
func splitTokens(s string) []string {
	var tokens []string
	for runes := []rune(strings.ReplaceAll(s, "\x00", "")); len(runes) > 0; {
		n := tokenLength(runes, tokens)
		tokens = append(tokens, string(runes[:n]))
		runes = runes[n:]
	}
	// A comma between numbers is a decimal one.
	for i := 0; i+2 < len(tokens); i++ {
		if digitsOnly(tokens[i]) && tokens[i+1] == "," && digitsOnly(tokens[i+2]) {
			tokens = slices.Replace(tokens, i, i+3, tokens[i]+"."+tokens[i+2])
		}
	}
	return tokens
}

func digitsOnly(s string) bool { return s != "" && len(leadingDigits([]byte(s))) == len(s) }

func tokenLength(runes []rune, before []string) int {
	run := func(is func(rune) bool) int {
		n := 0
		for n < len(runes) && is(runes[n]) {
			n++
		}
		return n
	}
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	letter := func(r rune) bool { return (r|0x20) >= 'a' && (r|0x20) <= 'z' }
	point := func(r rune) bool { return r == '.' || r == '/' || r == ':' }
	other := func(r rune) bool { return !digit(r) && !letter(r) && !point(r) && !unicode.IsSpace(r) }
	switch r := runes[0]; {
	case unicode.IsSpace(r):
		return 1
	case digit(r):
		n := run(digit)
		if len(before) > 0 && strings.HasSuffix(before[len(before)-1], ".") {
			return n
		}
		fraction := 0
		for n+1+fraction < len(runes) && runes[n] == '.' && digit(runes[n+1+fraction]) {
			fraction++
		}
		if behind := n + 1 + fraction; fraction > 0 && (behind == len(runes) || runes[behind] != '.') {
			return behind
		}
		return n
	case letter(r):
		return run(letter)
	case point(r):
		return run(point)
	}
	return run(other)
}
