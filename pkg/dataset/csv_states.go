package dataset

import "bytes"

type state uint8

const (
	startRecord     state = iota
	blankLine             // blanks at the start of a record: a blank line, unless something follows
	startField            // a field may start with a quote here
	inField               // outside quotes
	inQuotes              // inside quotes
	quoteInQuotes         // behind a quote inside quotes: the end, or the first of two
	escaped               // behind an escape character outside quotes
	escapedInQuotes       // behind an escape character inside quotes
	afterCR               // behind the CR that ended the last field of a record
	skipLF                // behind the CR of a blank line
)

// parse runs the state machine over a block.
func (p *Parser) parse(block []byte) error {
	for i := 0; i < len(block); {
		switch p.state {
		case startRecord:
			n, err := p.wholeRecords(block[i:])
			if err != nil {
				return err
			}
			i += n
		case inField:
			i += p.run(block[i:])
		case inQuotes:
			i += p.quotedRun(block[i:])
		}
		if i == len(block) {
			return nil
		}
		used, err := p.step(block[i])
		if err != nil {
			return err
		}
		if used {
			p.count(block[i])
			i++
		}
	}
	return nil
}

// wholeRecords hands out the records at the start of a block that the scanner finds, and returns their size.
func (p *Parser) wholeRecords(block []byte) (int, error) {
	n := 0
	for n < len(block) {
		found := p.whole.scan(block[n:])
		if found.size == 0 {
			break
		}
		record := &p.whole.record
		record.data = record.data[:found.size]
		record.Line = p.line
		p.line += int64(found.feeds) + 1
		p.lastCR = false
		if found.crlf {
			p.ends.CRLF++
		} else {
			p.ends.LF++
		}
		n += found.size
		if err := p.handle(record); err != nil {
			return n, err
		}
	}
	return n, nil
}

// run takes the bytes of an unquoted field that mean themselves.
func (p *Parser) run(block []byte) int {
	n := 0
	for n < len(block) && p.plain[block[n]] {
		n++
	}
	if n > 0 {
		p.push(block[:n])
		p.lastCR = false
	}
	return n
}

// quotedRun takes the bytes of a quoted field up to the next quote or escape character.
func (p *Parser) quotedRun(block []byte) int {
	n := bytes.IndexByte(block, p.opts.Quote)
	if n < 0 {
		n = len(block)
	}
	if p.opts.Escape != 0 {
		if e := bytes.IndexByte(block[:n], p.opts.Escape); e >= 0 {
			n = e
		}
	}
	p.push(block[:n])
	p.countAll(block[:n])
	return n
}

// countAll is count for many bytes.
func (p *Parser) countAll(block []byte) {
	if bytes.IndexByte(block, '\r') >= 0 {
		for _, c := range block {
			p.count(c)
		}
		return
	}
	if len(block) == 0 {
		return
	}
	p.line += int64(bytes.Count(block, newline))
	if block[0] == '\n' && p.lastCR {
		p.line--
	}
	p.lastCR = false
}

var newline = []byte("\n")

// count keeps the number of the physical line.
func (p *Parser) count(c byte) {
	switch {
	case c == '\r', c == '\n' && !p.lastCR:
		p.line++
	}
	p.lastCR = c == '\r'
}

// step takes one byte; used is false when the byte must be looked at again in the new state.
func (p *Parser) step(c byte) (used bool, err error) {
	switch p.state {
	case startRecord, blankLine:
		return p.stepStart(c), nil
	case startField:
		if p.opts.Quote != 0 && c == p.opts.Quote {
			p.state = inQuotes
			return true, nil
		}
		return true, p.stepPlain(c)
	case inField:
		return true, p.stepPlain(c)
	case inQuotes:
		p.stepQuoted(c)
	case quoteInQuotes:
		if c == p.opts.Quote {
			p.pushByte(c)
			p.state = inQuotes
			return true, nil
		}
		return true, p.stepClosed(c)
	case escaped:
		p.pushByte(c)
		p.state = inField
	case escapedInQuotes:
		p.pushByte(c)
		p.state = inQuotes
	case afterCR:
		return p.stepAfterCR(c)
	case skipLF:
		// pandas swallows a delimiter here too.
		p.state = startRecord
		return c == '\n' || c == p.opts.Delimiter, nil
	}
	return true, nil
}

// stepStart skips blank lines. A line that only starts with blanks keeps them in its first field.
func (p *Parser) stepStart(c byte) (used bool) {
	if p.state == startRecord {
		p.record = Record{Line: p.line, data: p.record.data[:0], ends: p.record.ends[:0]}
	}
	switch {
	case c == '\n':
		p.state = startRecord
	case c == '\r':
		p.state = skipLF
	case (c == ' ' || c == '\t') && c != p.opts.Delimiter:
		p.pushByte(c)
		p.state = blankLine
	default:
		// Blanks before a quote are text, and so is the quote then: it does not stand where the field starts.
		p.state = startField
		if len(p.record.data) > 0 {
			p.state = inField
		}
		return false
	}
	return true
}

// stepPlain takes a byte outside quotes.
func (p *Parser) stepPlain(c byte) error {
	if p.opts.Escape != 0 && c == p.opts.Escape {
		p.state = escaped
		return nil
	}
	if done, err := p.stepEnd(c); done {
		return err
	}
	p.pushByte(c)
	p.state = inField
	return nil
}

func (p *Parser) stepQuoted(c byte) {
	switch {
	case p.opts.Escape != 0 && c == p.opts.Escape:
		p.state = escapedInQuotes
	case c == p.opts.Quote:
		p.state = quoteInQuotes
	default:
		p.pushByte(c)
	}
}

// stepClosed takes the byte behind a closing quote. What is no end of the field is taken on as plain text; an escape
// character is plain text here too.
func (p *Parser) stepClosed(c byte) error {
	if done, err := p.stepEnd(c); done {
		return err
	}
	p.pushByte(c)
	p.state = inField
	return nil
}

// stepEnd ends the field, and the record, on a byte that does so.
func (p *Parser) stepEnd(c byte) (done bool, err error) {
	switch c {
	case '\n':
		p.ends.LF++
		p.endField()
		return true, p.endRecord()
	case '\r':
		p.endField()
		p.state = afterCR
	case p.opts.Delimiter:
		p.endField()
		p.state = startField
	default:
		return false, nil
	}
	return true, nil
}

func (p *Parser) stepAfterCR(c byte) (used bool, err error) {
	if c == '\n' {
		p.ends.CRLF++
		return true, p.endRecord()
	}
	p.ends.CR++
	return false, p.endRecord()
}

func (p *Parser) endField() {
	if p.full() {
		p.record.Cut = true
		return
	}
	p.record.ends = append(p.record.ends, len(p.record.data))
}

// endRecord hands out the record.
func (p *Parser) endRecord() error {
	p.state = startRecord
	return p.handle(&p.record)
}

// full reports whether the record has all the fields that are kept of one.
func (p *Parser) full() bool { return len(p.record.ends) >= p.whole.fields }

func (p *Parser) push(b []byte) {
	if p.full() {
		return
	}
	if room := MaxRecord - len(p.record.data); len(b) > room {
		p.record.Cut = true
		b = b[:room]
	}
	p.record.data = append(p.record.data, b...)
}

func (p *Parser) pushByte(c byte) {
	switch {
	case p.full():
		return
	case len(p.record.data) >= MaxRecord:
		p.record.Cut = true
		return
	}
	p.record.data = append(p.record.data, c)
}
