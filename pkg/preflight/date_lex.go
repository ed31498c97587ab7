package preflight

import (
	"strings"
	"unicode"
)

// lexLenient cuts a value into the words, numbers and marks that the lenient parser reads (the lexer of dateutil, which
// pandas falls back on). A point between digits is a decimal one if there is no other near it.
func lexLenient(s string) []string {
	var tokens []string
	runes := []rune(strings.ReplaceAll(s, "\x00", ""))
	for i := 0; i < len(runes); {
		switch r := runes[i]; {
		case unicode.IsLetter(r), asciiDigit(r):
			n, state, letters := lexWord(runes[i:])
			tokens = append(tokens, splitDotted(string(runes[i:i+n]), state, letters)...)
			i += n
		case unicode.IsSpace(r):
			tokens = append(tokens, " ")
			i++
		default:
			tokens = append(tokens, string(r))
			i++
		}
	}
	return tokens
}

func asciiDigit(r rune) bool { return r >= '0' && r <= '9' }

// States of lexWord: in a word or a number, without a point so far or with one.
const (
	lexLetters = iota
	lexDigits
	lexDottedLetters
	lexDottedDigits
)

// lexWord finds the end of a word or number, and says in which state it ended. letters is false for a number, even if its
// last character is a letter behind a point.
func lexWord(runes []rune) (n, state int, letters bool) {
	state = lexLetters
	if asciiDigit(runes[0]) {
		state = lexDigits
	}
	for n = 1; n < len(runes); n++ {
		r, before := runes[n], runes[n-1]
		letters = letters || state == lexLetters || state == lexDottedLetters
		letter, digit := unicode.IsLetter(r), asciiDigit(r)
		switch {
		case state == lexLetters && letter, state == lexDigits && digit:
		case state == lexLetters && r == '.':
			state = lexDottedLetters
		case state == lexDigits && (r == '.' || (r == ',' && n >= 2)):
			state = lexDottedDigits
		case state >= lexDottedLetters && r == '.':
		case state == lexDottedLetters && letter, state == lexDottedDigits && digit:
		case state == lexDottedLetters && digit && before == '.':
			state = lexDottedDigits
		case state == lexDottedDigits && letter && before == '.':
			state = lexDottedLetters
		default:
			return n, state, letters
		}
	}
	return n, state, letters
}

// splitDotted breaks what has letters or several points at its points and commas, and makes a point of a decimal comma.
func splitDotted(token string, state int, letters bool) []string {
	if state < lexDottedLetters {
		return []string{token}
	}
	last := token[len(token)-1]
	if letters || strings.Count(token, ".") > 1 || last == '.' || last == ',' {
		var parts []string
		for token != "" {
			i := strings.IndexAny(token, ".,")
			switch {
			case i < 0:
				i = len(token)
			case i == 0:
				i = 1
			}
			parts = append(parts, token[:i])
			token = token[i:]
		}
		return parts
	}
	if !strings.Contains(token, ".") {
		token = strings.ReplaceAll(token, ",", ".")
	}
	return []string{token}
}
