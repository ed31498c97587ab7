package run

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	maxBlockLines = 60
	maxTailLines  = 20
	maxTextLine   = 2 << 10
)

// Report is what one attempt's log said. Texts are foreign and without escape
// sequences; they still have to be escaped before they reach a terminal.
type Report struct {
	Lines         int64    // log lines read
	CorrelationID string   // newer ingestors repeat the idempotency key
	Banner        *Banner  // nil without a banner
	Validated     bool     // the validators had passed: records were written from then on
	Failure       []string // the last "Ingestion failed:" block, that prefix taken off
	Traceback     []string // the exception of the last Python traceback
	FailedRecords *int64   // "N record(s) failed during ingestion"
	Tail          []string // the last lines
}

// Parser reads an ingestor's log, as it streams or from a file. It is an
// io.Writer that takes the bytes chunked anywhere, with or without escape
// sequences, progress bars and time stamps, and holds a bounded part of them.
// The zero value is ready to use.
type Parser struct {
	lines  *lineSplitter
	report Report
	banner bannerReader
	block  blockReader
}

// Write never fails.
func (p *Parser) Write(chunk []byte) (int, error) {
	if p.lines == nil {
		p.lines = &lineSplitter{stamped: true, emit: func(l line) { p.line(string(l.text)) }}
	}
	return p.lines.Write(chunk)
}

// Report returns what was read so far; an unfinished line counts as finished.
func (p *Parser) Report() Report {
	if p.lines != nil {
		p.lines.flush()
	}
	report := p.report
	if p.banner.banner != nil {
		banner := *p.banner.banner
		report.Banner = &banner
	}
	report.Failure = p.block.failureLines()
	report.Traceback = slices.Clone(p.block.exception)
	report.Tail = slices.Clone(report.Tail)
	return report
}

// ReadReport reads a saved log to its end.
func ReadReport(log io.Reader) (Report, error) {
	var parser Parser
	if _, err := io.Copy(&parser, log); err != nil {
		return Report{}, fmt.Errorf("reading the log: %w", err)
	}
	return parser.Report(), nil
}

var (
	failedRecords = regexp.MustCompile(`(?:^|\| )([0-9][0-9,._]*) record\(s\) failed during ingestion`)
	correlation   = regexp.MustCompile(`^\s*(?i:correlation id):\s*([A-Za-z0-9._-]{1,64})(?:\s|$)`)
)

// line takes one whole line without its time stamp.
func (p *Parser) line(text string) {
	p.report.Lines++
	text = strings.TrimRight(stripANSI(text), " \t\r")
	if text == "" {
		p.block.read(text)
		return
	}
	p.keepTail(text)
	if p.banner.read(text) {
		p.block.end()
		return
	}
	if strings.Contains(text, validatedMark) {
		p.report.Validated = true
	}
	if m := correlation.FindStringSubmatch(text); m != nil {
		p.report.CorrelationID = m[1]
	}
	if m := failedRecords.FindStringSubmatch(text); m != nil {
		if n, ok := parseCount(m[1]); ok {
			p.report.FailedRecords = &n
		}
	}
	p.block.read(text)
}

func (p *Parser) keepTail(text string) {
	if len(p.report.Tail) == maxTailLines {
		p.report.Tail = slices.Delete(p.report.Tail, 0, 1)
	}
	p.report.Tail = append(p.report.Tail, shorten(text, maxTextLine))
}

// blockReader keeps the two kinds of last words that have no banner: the
// "Ingestion failed:" block and a Python traceback (contract, ingestor §3.2).
type blockReader struct {
	failure   []string
	exception []string
	state     blockState
	dropped   int // lines of the block beyond maxBlockLines
}

type blockState int

const (
	outside blockState = iota
	inFailure
	inFrames    // of a traceback: what is indented is code
	inException // the exception's own lines after the frames
)

const (
	validatedMark = "All validations passed successfully"
	failureMark   = "Ingestion failed:"
	tracebackMark = "Traceback (most recent call last):"
)

// record is the prefix of the ingestor's log records; entry is what its image
// prints when a container starts. Either ends a block.
var (
	record = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:[.,]\d+)? \| [A-Z]+ *\| `)
	entry  = regexp.MustCompile(`^(?:Waiting up to \d+s for MySQL at |MySQL is ready\.)`)
)

func isRecord(text string) bool { return record.MatchString(text) }

func (b *blockReader) end() { b.state = outside }

func (b *blockReader) read(text string) {
	trimmed := strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(trimmed, failureMark); ok {
		b.state, b.failure, b.dropped = inFailure, nil, 0
		b.keepFailure(strings.TrimSpace(rest))
		return
	}
	if strings.HasPrefix(trimmed, tracebackMark) {
		b.state, b.exception = inFrames, nil
		return
	}
	if isRecord(text) || entry.MatchString(text) {
		b.state = outside
		return
	}
	switch b.state {
	case inFailure:
		b.keepFailure(strings.TrimRight(text, " "))
	case inFrames, inException:
		b.readTraceback(text)
	}
}

func (b *blockReader) keepFailure(text string) {
	if text == "" && len(b.failure) == 0 {
		return
	}
	if len(b.failure) >= maxBlockLines {
		b.dropped++
		return
	}
	b.failure = append(b.failure, shorten(text, maxTextLine))
}

func (b *blockReader) readTraceback(text string) {
	switch {
	case text == "":
		// An empty line ends the message, and parts chained exceptions.
		if b.state == inException {
			b.state = outside
		}
	case b.state == inFrames && text[0] == ' ':
	default:
		b.state = inException
		if len(b.exception) < maxTailLines {
			b.exception = append(b.exception, shorten(text, maxTextLine))
		}
	}
}

// failureLines returns the block without the empty lines at its end.
func (b *blockReader) failureLines() []string {
	lines := slices.Clone(b.failure)
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	if b.dropped > 0 {
		lines = append(lines, "... "+strconv.Itoa(b.dropped)+" more lines")
	}
	return lines
}
