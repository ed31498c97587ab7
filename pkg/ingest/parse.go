package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parse reads the one document of a file down to its root mapping.
func parse(name string, data []byte) (*yaml.Node, *Problem) {
	refuse := func(line, col int, message string) (*yaml.Node, *Problem) {
		return nil, &Problem{File: name, Line: line, Col: col, Severity: SeverityError, Message: message}
	}
	if len(data) > MaxBytes {
		return refuse(1, 1, fmt.Sprintf("the spec has %d bytes; at most %d fit into the ConfigMap that carries it to the run",
			len(data), MaxBytes))
	}
	if offset, what := badByte(data); offset >= 0 {
		line, col := lineColumn(data, offset)
		return refuse(line, col, what)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return refuse(1, 1, "the file is empty; a spec starts with apiVersion: "+APIVersion)
		}
		line, col, message := syntaxError(data, err)
		return refuse(line, col, message)
	}
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case err == nil:
		return refuse(max(second.Line, 1), max(second.Column, 1), "a second document starts here; one file holds one spec")
	case !errors.Is(err, io.EOF):
		line, col, message := syntaxError(data, err)
		return refuse(line, col, message)
	}
	if len(document.Content) != 1 {
		return refuse(1, 1, "the file is empty; a spec starts with apiVersion: "+APIVersion)
	}
	root := document.Content[0]
	switch {
	case root.Kind == yaml.MappingNode:
		return root, nil
	case root.ShortTag() == "!!null":
		return refuse(1, 1, "the file is empty; a spec starts with apiVersion: "+APIVersion)
	}
	return refuse(root.Line, root.Column, "a spec is a mapping of fields to values, for example apiVersion: "+APIVersion)
}

// badByte finds the first byte that has no place in YAML text.
func badByte(data []byte) (offset int, what string) {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return i, "a byte that is not UTF-8; save the file as UTF-8"
		case r < 0x20 && r != '\t' && r != '\n' && r != '\r', r == 0x7f, r >= 0x80 && r < 0xa0 && r != 0x85, r == 0xfffe, r == 0xffff:
			return i, fmt.Sprintf("the control character %U has no place in a spec", r)
		}
		i += size
	}
	return -1, ""
}

// lineColumn counts lines and characters from 1.
func lineColumn(data []byte, offset int) (line, col int) {
	before := data[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[start:]) + 1
}

var unknownAnchor = regexp.MustCompile(`^yaml: unknown anchor '(.*)' referenced$`)

// anchorPosition finds the alias that the parser knows no anchor for; its
// message has no line.
func anchorPosition(data []byte, err error) (line, col int) {
	parts := unknownAnchor.FindStringSubmatch(err.Error())
	if parts == nil {
		return 0, 0
	}
	offset := bytes.Index(data, []byte("*"+parts[1]))
	if offset < 0 {
		return 0, 0
	}
	return lineColumn(data, offset)
}

var yamlError = regexp.MustCompile(`^(?:yaml: )+(?:line (\d+): )?(?s:(.*))$`)

// parserError are the messages whose line the YAML library counts from 0; it
// counts those of its scanner from 1.
var parserError = regexp.MustCompile(`^(?:did not find expected (?:node content|key|'-' indicator|',' or '[\]}]'|<document start>)` +
	`|found undefined tag handle|found duplicate %|found incompatible YAML document)`)

// syntaxError takes the line out of the parser's message.
func syntaxError(data []byte, err error) (line, col int, message string) {
	parts := yamlError.FindStringSubmatch(err.Error())
	if parts == nil {
		return 1, 1, fmt.Sprintf("not valid YAML: %q", err.Error())
	}
	message = "not valid YAML: " + parts[2]
	if line, col = anchorPosition(data, err); line > 0 {
		return line, col, message
	}
	line, err = strconv.Atoi(parts[1])
	if err != nil || line < 1 {
		line = 1
	} else if parserError.MatchString(parts[2]) {
		line++
	}
	return line, 1, message
}
