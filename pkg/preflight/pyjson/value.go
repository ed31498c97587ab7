package pyjson

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is the type of a JSON value, as Python tells them apart.
type Kind uint8

// The kinds. Reader tells objects, arrays and strings from all others.
const (
	Other Kind = iota
	Null
	Bool
	Number // NaN and the infinities among them
	String
	Array
	Object
)

// Value is a JSON value as Python's json.loads reads it.
type Value struct {
	Kind Kind
	// Number is the value of a number; true is 1 and false 0, as Python has it.
	Number float64
	// Huge is true for an integer that no float holds, on which the ingestor's validator gives up.
	Huge    bool
	Items   []Value
	Members []Member // in the order of their first appearance
}

// Member is a member of an object. Names are unique: the last value of a name counts.
type Member struct {
	Name  string
	Value Value
}

// Get is the member of that name; nil for none.
func (v *Value) Get(name string) *Value {
	for i := range v.Members {
		if v.Members[i].Name == name {
			return &v.Members[i].Value
		}
	}
	return nil
}

// maxValueDepth is less than the depth at which Python gives up.
const maxValueDepth = 900

// valueReader reads one JSON value in memory, with Python's additions: NaN, Infinity, -Infinity, and single surrogates. Other
// than Reader, which walks through documents of any length, it keeps the numbers and the whole names.
type valueReader struct {
	data  []byte
	i     int
	depth int
}

// Parse reads text that is one JSON value and nothing else.
func Parse(data []byte) (Value, bool) {
	r := valueReader{data: data}
	v, ok := r.value()
	r.blanks()
	return v, ok && r.i == len(r.data)
}

func (r *valueReader) blanks() {
	for r.i < len(r.data) && bytes.IndexByte([]byte(" \t\n\r"), r.data[r.i]) >= 0 {
		r.i++
	}
}

// skip takes a mark and the blanks in front of it.
func (r *valueReader) skip(mark byte) bool {
	r.blanks()
	if r.i < len(r.data) && r.data[r.i] == mark {
		r.i++
		return true
	}
	return false
}

func (r *valueReader) value() (v Value, ok bool) {
	r.depth++
	defer func() { r.depth-- }()
	r.blanks()
	if r.i >= len(r.data) || r.depth > maxValueDepth {
		return v, false
	}
	switch r.data[r.i] {
	case '{':
		r.i++
		return r.object()
	case '[':
		r.i++
		return r.array()
	case '"':
		r.i++
		_, ok = r.text()
		return Value{Kind: String}, ok
	}
	for _, word := range []struct {
		text  string
		value Value
	}{
		{"null", Value{Kind: Null}}, {"true", Value{Kind: Bool, Number: 1}}, {"false", Value{Kind: Bool}},
		{"NaN", notFinite("NaN")}, {"Infinity", notFinite("Inf")}, {"-Infinity", notFinite("-Inf")},
	} {
		if bytes.HasPrefix(r.data[r.i:], []byte(word.text)) {
			r.i += len(word.text)
			return word.value, true
		}
	}
	return r.numeral()
}

func notFinite(text string) Value {
	// These words cannot fail.
	f, _ := strconv.ParseFloat(text, 64)
	return Value{Kind: Number, Number: f}
}

func (r *valueReader) digits() int {
	n := len(leadingDigits(r.data[r.i:]))
	r.i += n
	return n
}

// numeral reads a Number: no plus sign, no zeros in front, digits on both sides of a point.
func (r *valueReader) numeral() (Value, bool) {
	from := r.i
	if r.data[r.i] == '-' {
		r.i++
	}
	first := r.i
	n := r.digits()
	if n == 0 {
		return Value{}, false
	}
	if n > 1 && r.data[first] == '0' {
		r.i = first + 1 // the rest is then in the way
	}
	integer := true
	if part := r.i; part+1 < len(r.data) && r.data[part] == '.' {
		if r.i++; r.digits() == 0 {
			r.i = part
		} else {
			integer = false
		}
	}
	if part := r.i; part+1 < len(r.data) && r.data[part]|0x20 == 'e' {
		r.i++
		if r.data[r.i] == '-' || r.data[r.i] == '+' {
			r.i++
		}
		if r.digits() == 0 {
			r.i = part
		} else {
			integer = false
		}
	}
	// The syntax was checked; the error of an overflow comes with the infinity that Python has as well.
	f, err := strconv.ParseFloat(string(r.data[from:r.i]), 64)
	return Value{Kind: Number, Number: f, Huge: integer && err != nil}, true
}

func (r *valueReader) array() (Value, bool) {
	v := Value{Kind: Array}
	if r.skip(']') {
		return v, true
	}
	for {
		item, ok := r.value()
		if !ok {
			return v, false
		}
		v.Items = append(v.Items, item)
		if r.skip(']') {
			return v, true
		}
		if !r.skip(',') {
			return v, false
		}
	}
}

func (r *valueReader) object() (Value, bool) {
	v := Value{Kind: Object}
	if r.skip('}') {
		return v, true
	}
	seen := map[string]int{}
	for {
		if !r.skip('"') {
			return v, false
		}
		name, ok := r.text()
		if !ok || !r.skip(':') {
			return v, false
		}
		value, ok := r.value()
		if !ok {
			return v, false
		}
		if i, again := seen[name]; again {
			v.Members[i].Value = value
		} else {
			seen[name] = len(v.Members)
			v.Members = append(v.Members, Member{name, value})
		}
		if r.skip('}') {
			return v, true
		}
		if !r.skip(',') {
			return v, false
		}
	}
}

// text reads a string behind its first quote.
func (r *valueReader) text() (string, bool) {
	var b []byte
	for r.i < len(r.data) {
		c := r.data[r.i]
		r.i++
		switch {
		case c == '"':
			return string(b), true
		case c < ' ':
			return "", false
		case c != '\\':
			b = append(b, c)
		default:
			var ok bool
			if b, ok = r.escaped(b); !ok {
				return "", false
			}
		}
	}
	return "", false
}

// escaped reads an escape behind its backslash.
func (r *valueReader) escaped(b []byte) ([]byte, bool) {
	if r.i >= len(r.data) {
		return b, false
	}
	c := r.data[r.i]
	r.i++
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
		return append(b, "\"\\/\b\f\n\r\t"[i]), true
	}
	if c != 'u' {
		return b, false
	}
	first, ok := r.codeUnit()
	if !ok {
		return b, false
	}
	if utf16.IsSurrogate(first) && bytes.HasPrefix(r.data[r.i:], []byte(`\u`)) {
		back := r.i
		r.i += 2
		if second, ok := r.codeUnit(); ok {
			if pair := utf16.DecodeRune(first, second); pair != utf8.RuneError {
				return utf8.AppendRune(b, pair), true
			}
		}
		r.i = back
	}
	if utf16.IsSurrogate(first) {
		// As UTF-8 would have it, so that different surrogates stay different.
		return append(b, 0xe0|byte(first>>12), 0x80|byte(first>>6)&0x3f, 0x80|byte(first)&0x3f), true
	}
	return utf8.AppendRune(b, first), true
}

func (r *valueReader) codeUnit() (rune, bool) {
	if len(r.data)-r.i < 4 {
		return 0, false
	}
	for _, c := range r.data[r.i : r.i+4] {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return 0, false
		}
	}
	// Four hexadecimal digits cannot fail.
	n, _ := strconv.ParseUint(string(r.data[r.i:r.i+4]), 16, 32)
	r.i += 4
	return rune(n), true
}
