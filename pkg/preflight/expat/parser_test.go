package expat

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// outline is the document as nested name(text)[children], with the text in front of the first child.
func outline(r io.Reader) (string, error) {
	type element struct {
		name, text, kids string
		parent           bool
	}
	open := []*element{{}}
	top := func() *element { return open[len(open)-1] }
	err := Parse(bufio.NewReader(r), Events{
		Start: func(name string, _ int64) error {
			top().parent = true
			open = append(open, &element{name: name})
			return nil
		},
		End: func() {
			e := top()
			open = open[:len(open)-1]
			top().kids += fmt.Sprintf("%s(%s)[%s]", e.name, e.text, e.kids)
		},
		Text: func(r rune) {
			if e := top(); !e.parent {
				e.text += string(r)
			}
		},
	})
	return open[0].kids, err
}

// utf16Text codes ASCII text as UTF-16, without a mark.
func utf16Text(text string, big bool) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if big {
			b.Write([]byte{0, c})
		} else {
			b.Write([]byte{c, 0})
		}
	}
	return b.String()
}

// TestParse holds the parser to what ElementTree of Python 3.11 with expat 2.5 makes of the documents.
func TestParse(t *testing.T) {
	t.Parallel()
	const refused = ""
	for document, want := range map[string]string{
		// Encodings.
		"\xef\xbb\xbf<a/>": "a()[]",
		`<?xml version="1.0" encoding="latin-1"?><a>` + "\xe9</a>":                           "a(é)[]",
		`<?xml version="1.0" encoding="cp1252"?><a>` + "\x80</a>":                            "a(€)[]",
		`<?xml version="1.0" encoding="cp1252"?><a>` + "\x81</a>":                            refused,
		`<?xml version="1.0" encoding="iso8859_15"?><a>` + "\xa4\x80</a>":                    "a(€\u0080)[]",
		`<?xml version="1.0" encoding="koi8-r"?><a>` + "\xc1</a>":                            "a(а)[]",
		`<?xml version="1.0" encoding="mac-roman"?><a>` + "\x81</a>":                         "a(Å)[]",
		`<?xml version="1.0" encoding="cp437"?><a>` + "\x81</a>":                             "a(ü)[]",
		`<?xml version="1.0" encoding="utf8"?><a>e</a>`:                                      "a(e)[]",
		`<?xml version="1.0" encoding="utf8"?><a>é</a>`:                                      refused,
		`<?xml version="1.0" encoding="us-ascii"?><a>é</a>`:                                  refused,
		`<?xml version="1.0" encoding="cp037"?><a/>`:                                         refused,
		`<?xml version="1.0" encoding="gb2312"?><a/>`:                                        refused,
		`<?xml version="1.0" encoding="nonsense"?><a/>`:                                      refused,
		`<?xml version="1.0" encoding=""?><a/>`:                                              refused,
		`<?xml version="1.0" encoding="utf-16"?><a/>`:                                        refused,
		"\xff\xfe" + utf16Text(`<?xml version="1.0" encoding="UTF-16"?><a>x</a>`, false):     "a(x)[]",
		"\xfe\xff" + utf16Text(`<a>x</a>`, true) + "\x00 ":                                   "a(x)[]",
		"\xff\xfe" + utf16Text(`<a>`, false) + "\x3d\xd8\x00\xde" + utf16Text(`</a>`, false): "a(😀)[]",
		"\xff\xfe" + utf16Text(`<a>`, false) + "\x3d\xd8" + utf16Text(`</a>`, false):         refused,
		"\xff\xfe" + utf16Text(`<?xml version="1.0" encoding="utf-8"?><a/>`, false):          refused,
		utf16Text(`<a/>`, false):                                                             "a()[]",
		utf16Text(`<a/>`, true):                                                              "a()[]",
		utf16Text(`<a/>`, true) + "\x00":                                                     refused,
		// Declarations.
		`<?xml version="9"?><a/>`:                          "a()[]",
		`<?xml  version="1.0"  encoding = "utf-8"  ?><a/>`: "a()[]",
		`<?xml version='1.0' standalone='yes'?><a/>`:       "a()[]",
		`<?xml encoding="utf-8"?><a/>`:                     refused,
		`<?xml version="1.0" standalone="maybe"?><a/>`:     refused,
		`<?xml version="1.0"encoding="utf-8"?><a/>`:        refused,
		` <?xml version="1.0"?><a/>`:                       refused,
		`<a><?xml version="1.0"?></a>`:                     refused,
		`<?XML x?><a/>`:                                    refused,
		`<?xmlx?><a/>`:                                     "a()[]",
		`<?p ??><a/>`:                                      "a()[]",
		`<?p?x?><a/>`:                                      refused,
		// Structure.
		"<a>1<!-- c -->2<?p q?>3<b/>4</a>":  "a(123)[b()[]]",
		"<a><![CDATA[<b>&]]]></a>":          "a(<b>&])[]",
		"<a>\r\nx\ry&#13;</a>":              "a(\nx\ny\r)[]",
		"<a>&#x41;&#0065;&#x1F600;&lt;</a>": "a(AA😀<)[]",
		"<a \n x = \"1\" ></a >":            "a()[]",
		"<a/>\n<!-- x -->\n":                "a()[]",
		"<é>x</é>":                          "é(x)[]",
		"<a>]]&gt;</a>":                     "a(]]>)[]",
		"":                                  refused,
		"  ":                                refused,
		"<a":                                refused,
		"<a>":                               refused,
		"<a></b>":                           refused,
		"<a><b></a></b>":                    refused,
		"<a/>x":                             refused,
		"<a/><b/>":                          refused,
		"<![CDATA[x]]><a/>":                 refused,
		"<a>]]></a>":                        refused,
		"<a><!-- x -- y --></a>":            refused,
		`<a x="1" x="2"/>`:                  refused,
		`<a x="1"y="2"/>`:                   refused,
		`<a x="<"/>`:                        refused,
		`<a x='&lt;' />`:                    "a()[]",
		"<a b></a>":                         refused,
		"<-a/>":                             refused,
		"<a>&amp</a>":                       refused,
		"<a>&#0;</a>":                       refused,
		"<a>&#xD800;</a>":                   refused,
		"<a>&#x110000;</a>":                 refused,
		"<a>\x01</a>":                       refused,
		"<a>\xff</a>":                       refused,
		"<a>\xef\xbf\xbe</a>":               refused,
		// Namespaces.
		`<a xmlns="u"><b xmlns=""/></a>`:               "{u}a()[b()[]]",
		`<p:a xmlns:p="u"><b/></p:a>`:                  "{u}a()[b()[]]",
		`<xml:a/>`:                                     "{http://www.w3.org/XML/1998/namespace}a()[]",
		`<a><b xmlns:p="u"/><p:c/></a>`:                refused,
		`<a p:x="1"/>`:                                 refused,
		`<a xmlns:p=""/>`:                              refused,
		`<a xmlns:xml="u"/>`:                           refused,
		`<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>`: refused,
		`<a:b:c/>`:                                     refused,
		// Entities.
		`<!DOCTYPE a [<!ENTITY e "bar<b>1</b>">]><a>x&e;y</a>`:                                               "a(xbar)[b(1)[]]",
		`<!DOCTYPE a [<!ENTITY e "1"><!ENTITY f "&e;&e;">]><a x="&f;">&f;</a>`:                               "a(11)[]",
		`<!DOCTYPE a [<!ENTITY e "a&#38;#60;b">]><a>&e;</a>`:                                                 "a(a<b)[]",
		`<!DOCTYPE a [<!ENTITY e "1"><!ENTITY e "2">]><a>&e;</a>`:                                            "a(1)[]",
		`<!DOCTYPE a PUBLIC "x" "y"><a/>`:                                                                    "a()[]",
		`<!DOCTYPE a [<!ELEMENT a ANY><!ATTLIST a x CDATA "1>2"><?p x?><!-- c -->]><a/>`:                     "a()[]",
		`<!DOCTYPE a [<!ENTITY % p "q">%p;<!ENTITY e "1">]><a>&e;</a>`:                                       refused,
		`<?xml version="1.0" standalone="yes"?><!DOCTYPE a [<!ENTITY % p "q">%p;<!ENTITY e "1">]><a>&e;</a>`: "a(1)[]",
		`<a>&e;</a>`: refused,
		`<!DOCTYPE a [<!ENTITY e SYSTEM "/etc/passwd">]><a>&e;</a>`: refused,
		`<!DOCTYPE a [<!ENTITY e SYSTEM "x" NDATA n>]><a/>`:         "a()[]",
		`<!DOCTYPE a [<!ENTITY e "&e;">]><a>&e;</a>`:                refused,
		`<!DOCTYPE a [<!ENTITY e "<b>">]><a>&e;</b></a>`:            refused,
		`<!DOCTYPE a [<!ENTITY e "</a>">]><a>&e;`:                   refused,
		`<!DOCTYPE a [<!ENTITY e "&#60;">]><a x="&e;"/>`:            refused,
		`<!DOCTYPE a [<!ENTITY e "%x;">]><a/>`:                      refused,
		`<!DOCTYPE a><!DOCTYPE a><a/>`:                              refused,
	} {
		got, err := outline(strings.NewReader(document))
		var syntax *SyntaxError
		switch {
		case want == refused && !errors.As(err, &syntax):
			t.Errorf("%q: got %q and error %v, want it refused", document, got, err)
		case want != refused && (err != nil || got != want):
			t.Errorf("%q: got %q and error %v, want %q", document, got, err, want)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]int64{
		"<a>\r\n\r\n</b>": 3,
		"<a>\r\r</b>":     3,
		"<a\n x='1'\n<":   3,
		"\n\n":            3,
		"<a>\n&e;\n</a>":  2,
	} {
		_, err := outline(strings.NewReader(document))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != want {
			t.Errorf("%q: error %v, want one in line %d", document, err, want)
		}
	}
}

// TestHeld: names and namespaces that are held are bounded, and given back with their elements.
func TestHeld(t *testing.T) {
	name := strings.Repeat("n", maxName-16)
	many := func(n int, text func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(text(i))
		}
		return b.String()
	}
	numbered := func(format string) func(int) string { return func(i int) string { return fmt.Sprintf(format, i) } }
	long := func(format string) func(int) string {
		return func(i int) string { return fmt.Sprintf(format, fmt.Sprintf("%s%06d", name, i)) }
	}
	for _, c := range []struct {
		name, document string
		good           bool
	}{
		{"open elements", many(2000, long("<%s>")), false},
		{"attributes", "<a " + many(2000, long("%s='' ")) + "/>", false},
		{"attributes of one namespace", "<a xmlns:p='" + name + "' " + many(9000, numbered("p:a%d='' ")) + "/>", false},
		{"bindings", "<a " + many(2000, long("xmlns:p%[1]s='%[1]s' ")) + "/>", false},
		{"bindings of many elements", many(90_000, func(int) string { return "<a xmlns=''>" }), false},
		{"entities", "<!DOCTYPE a [" + many(2000, long("<!ENTITY %s ''>")) + "]><a/>", false},
		{"small entities", "<!DOCTYPE a [" + many(100_000, numbered("<!ENTITY e%d SYSTEM 'x'>")) + "]><a/>", false},
		{"siblings", "<a>" + many(2000, long("<%[1]s xmlns:p='%[1]s' x='1' p:%[1]s='2'/>")) + "</a>", true},
		{"depth", strings.Repeat("<a>", 90_000) + strings.Repeat("</a>", 90_000), true},
		{"words", "<a " + many(5000, numbered("a%d='' ")) + "/>", true},
	} {
		var before, after runtime.MemStats
		most := uint64(0)
		r := bufio.NewReader(strings.NewReader(c.document))
		runtime.GC()
		runtime.ReadMemStats(&before)
		seen := 0
		look := func(string, int64) error {
			if seen++; seen%500 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&after)
				most = max(most, after.HeapAlloc-min(after.HeapAlloc, before.HeapAlloc))
			}
			return nil
		}
		err := Parse(r, Events{Start: look, End: func() {}, Text: func(rune) {}})
		runtime.ReadMemStats(&after)
		var syntax *SyntaxError
		if (err == nil) != c.good || (err != nil && (!errors.As(err, &syntax) || !strings.Contains(syntax.Problem, "1048576 bytes"))) {
			t.Errorf("%s: error %v, want none: %v", c.name, err, c.good)
		}
		if n := after.TotalAlloc - before.TotalAlloc; most > 16<<20 || (!c.good && n > 24<<20) {
			t.Errorf("%s: %d bytes held at once, %d allocated", c.name, most, n)
		}
	}
}

// TestNamespaces: a prefix means what the innermost element says that binds it.
func TestNamespaces(t *testing.T) {
	t.Parallel()
	got, err := outline(strings.NewReader(`<p:a xmlns:p="u" xmlns="d"><p:b xmlns:p="v" xmlns=""><p:c/><c/></p:b><p:d xmlns:q="w"><q:e/></p:d><f/></p:a>`))
	if want := "{u}a()[{v}b()[{v}c()[]c()[]]{u}d()[{w}e()[]]{d}f()[]]"; err != nil || got != want {
		t.Errorf("got %q and error %v, want %q", got, err, want)
	}
	if _, err := outline(strings.NewReader(`<a><b xmlns:q="w"/><c xmlns:p="u"/><q:d/></a>`)); err == nil {
		t.Error("a prefix is known behind the element that binds it")
	}
}

// TestUnread: an error of the reader is no finding.
func TestUnread(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken disk")
	for _, start := range []string{"", "<", "<a>", "<a x='", "\xff\xfe<"} {
		_, err := outline(io.MultiReader(strings.NewReader(start), iotest.ErrReader(broken)))
		if !errors.Is(err, errUnread) {
			t.Errorf("after %q: error %v, want %v", start, err, errUnread)
		}
	}
}
