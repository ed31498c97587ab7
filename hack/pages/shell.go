package pages

import (
	"slices"
	"strings"
)

// Complete reports whether a shell would run the text as it stands, and not ask for more: no quote, substitution, here-document
// or loop is open, and no line goes on behind a backslash.
func Complete(text string) bool {
	p := parse(text)
	return !p.open && p.depth <= 0
}

// Commands are the simple commands of the text, each as its words: those of pipelines, lists, loops and substitutions. Quotes are
// taken off; assignments, redirections and the shell's keywords are left out.
func Commands(text string) [][]string { return parse(text).commands }

// parser knows as much of the shell's grammar as the pages need.
type parser struct {
	text     string
	at       int
	commands [][]string
	words    []string // of the command that is being read
	word     strings.Builder
	started  bool     // word has begun, though it may be empty
	bare     bool     // nothing of word was quoted
	skip     bool     // the next word is the target of a redirection
	waiting  []string // delimiters of here-documents whose text begins on the next line
	depth    int      // loops and conditions that are not closed
	open     bool     // a quote, a substitution, a here-document or a line is not closed
}

func parse(text string) *parser {
	p := &parser{text: text, bare: true}
	for p.at < len(p.text) {
		p.step()
	}
	p.endCommand()
	if len(p.waiting) > 0 {
		p.open = true
	}
	return p
}

// step reads one character, or what it opens.
func (p *parser) step() {
	c := p.text[p.at]
	switch {
	case c == '\\' && p.at+1 == len(p.text):
		p.open, p.at = true, p.at+1
	case c == '\\' && p.text[p.at+1] == '\n':
		p.at += 2
	case c == '\\':
		p.add(p.text[p.at+1:p.at+2], true)
		p.at += 2
	case c == '\'' || c == '"':
		p.quoted(c)
	case strings.HasPrefix(p.text[p.at:], "$((") || strings.HasPrefix(p.text[p.at:], "$(") || strings.HasPrefix(p.text[p.at:], "<(") || strings.HasPrefix(p.text[p.at:], ">("):
		p.substitution()
	case c == '#' && !p.started:
		end := strings.IndexByte(p.text[p.at:], '\n')
		if end < 0 {
			end = len(p.text) - p.at
		}
		p.at += end
	case c == '\n':
		p.endCommand()
		p.at++
		p.hereDocuments()
	case c == ' ' || c == '\t':
		p.endWord()
		p.at++
	case strings.IndexByte(";&|(){}", c) >= 0 && !p.inName(c):
		p.endCommand()
		p.at++
	case c == '<' || c == '>':
		p.redirection()
	default:
		p.add(p.text[p.at:p.at+1], false)
		p.at++
	}
}

// inName reports whether a brace belongs to the word that is being read: ${name}, {a,b}, jsonpath={.x}.
func (p *parser) inName(c byte) bool {
	if c != '{' && c != '}' {
		return false
	}
	next := byte(' ')
	if p.at+1 < len(p.text) {
		next = p.text[p.at+1]
	}
	return p.started || c == '{' && strings.IndexByte(" \t\n", next) < 0
}

func (p *parser) add(s string, quoted bool) {
	p.word.WriteString(s)
	p.started = true
	if quoted {
		p.bare = false
	}
}

// quoted reads a quoted part of a word; in double quotes a substitution still is one.
func (p *parser) quoted(quote byte) {
	p.add("", true)
	for p.at++; p.at < len(p.text); {
		c := p.text[p.at]
		switch {
		case c == quote:
			p.at++
			return
		case quote == '"' && c == '\\' && p.at+1 < len(p.text):
			p.add(p.text[p.at+1:p.at+2], true)
			p.at += 2
		case quote == '"' && strings.HasPrefix(p.text[p.at:], "$("):
			p.substitution()
		default:
			p.add(p.text[p.at:p.at+1], true)
			p.at++
		}
	}
	p.open = true
}

// substitution reads $(...), <(...) or >(...) as a part of a word; its commands run before the one that the word belongs to.
func (p *parser) substitution() {
	begin := p.at
	inner := begin + strings.IndexByte(p.text[begin:], '(') + 1
	end := closing(p.text, inner)
	if end < 0 {
		p.open = true
		end = len(p.text)
	}
	if !strings.HasPrefix(p.text[inner:], "(") {
		p.commands = append(p.commands, parse(p.text[inner:end]).commands...)
	}
	p.at = min(end+1, len(p.text))
	p.add(p.text[begin:p.at], true)
}

// closing is where the parenthesis before at is closed, -1 where it is not.
func closing(text string, at int) int {
	depth, quote := 1, byte(0)
	for ; at < len(text); at++ {
		c := text[at]
		switch {
		case quote != '\'' && c == '\\':
			at++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return at
			}
		}
	}
	return -1
}

// redirection reads an operator such as 2>&1, >> or <<EOF; the word behind it is no argument.
func (p *parser) redirection() {
	if p.bare && strings.Trim(p.word.String(), "0123456789") == "" {
		p.word.Reset() // a file descriptor
		p.started = false
	}
	p.endWord()
	operator := p.text[p.at:]
	operator = operator[:len(operator)-len(strings.TrimLeft(operator, "<>&|-"))]
	p.at += len(operator)
	if operator == "<<" || operator == "<<-" {
		rest := strings.TrimLeft(p.text[p.at:], " ")
		end := strings.IndexAny(rest, " \t\n;|&)")
		if end < 0 {
			end = len(rest)
		}
		p.at = len(p.text) - len(rest) + end
		p.waiting = append(p.waiting, strings.Trim(rest[:end], `'"\`))
		return
	}
	p.skip = true
}

// hereDocuments passes over the texts that begin on this line.
func (p *parser) hereDocuments() {
	for len(p.waiting) > 0 {
		end := -1
		for at := p.at; at <= len(p.text); {
			line, _, more := strings.Cut(p.text[at:], "\n")
			if strings.TrimLeft(line, "\t") == p.waiting[0] {
				end = at + len(line)
				break
			}
			if !more {
				break
			}
			at += len(line) + 1
		}
		if end < 0 {
			p.at = len(p.text)
			return
		}
		p.at = end
		p.waiting = p.waiting[1:]
	}
}

func (p *parser) endWord() {
	if !p.started {
		return
	}
	word := p.word.String()
	bare := p.bare
	p.word.Reset()
	p.started, p.bare = false, true
	switch {
	case p.skip:
		p.skip = false
	case bare && len(p.words) == 0 && p.keyword(word):
	case bare && len(p.words) == 0 && isAssignment(word):
	default:
		p.words = append(p.words, word)
	}
}

// keyword takes the words of the shell's grammar at the start of a command.
func (p *parser) keyword(word string) bool {
	switch word {
	case "for", "case":
		p.depth++
		p.words = append(p.words, word) // its words are no command; endCommand drops them
	case "if", "while", "until":
		p.depth++
	case "done", "fi", "esac":
		p.depth--
	case "do", "then", "else", "elif", "!", "{", "}", "time":
	default:
		return false
	}
	return true
}

func isAssignment(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

func (p *parser) endCommand() {
	p.endWord()
	p.skip = false
	if len(p.words) > 0 && !slices.Contains([]string{"for", "case"}, p.words[0]) {
		p.commands = append(p.commands, p.words)
	}
	p.words = nil
}
