package dataset

import "bytes"

// boundaries finds where records end in both readings of the ingestor (contract/ingestor.md 2.0, "Two different CSV
// readings"): that of the ingestion, and that of the validators. What lies between two such places is one record to
// the Fixer, even where one reading sees several in it.
type boundaries struct {
	ingestion, validators lexer
	// apart is false as long as the validators' reading cannot differ from the ingestion's; it is not followed then.
	apart, always bool
	// cr is true when the block before ended with the CR that ends a record.
	cr      bool
	special []byte // bytes that mean something in one of the readings
}

// Bounds of how far ahead is looked at a time, so that no byte is looked at again and again.
const (
	lineWindow = 4096
	skipWindow = 256
)

func newBoundaries(opts CSVOptions) boundaries {
	b := boundaries{ingestion: newLexer(opts), validators: newLexer(DefaultCSV())}
	plain := opts
	plain.Escape = 0
	b.always = plain != DefaultCSV()
	b.apart = b.always
	for _, c := range []byte{opts.Quote, DefaultCSV().Quote, opts.Escape} {
		if c != 0 && bytes.IndexByte(b.special, c) < 0 {
			b.special = append(b.special, c)
		}
	}
	return b
}

// plain reports whether no byte of a record means anything but the delimiter.
func (b *boundaries) plain(body []byte) bool {
	for _, c := range b.special {
		if bytes.IndexByte(body, c) >= 0 {
			return false
		}
	}
	return bytes.IndexByte(body, '\n') < 0 && bytes.IndexByte(body, '\r') < 0
}

// fresh reports whether a record starts here.
func (b *boundaries) fresh() bool { return b.all(startRecord) && !b.cr }

func (b *boundaries) all(s state) bool {
	return b.ingestion.state == s && (!b.apart || b.validators.state == s)
}

// line is scan for a record that is a plain line, and starts here; noEnd if it is not.
func (b *boundaries) line(block []byte) (n int, end ending) {
	near := block[:min(len(block), lineWindow)]
	lf := bytes.IndexByte(near, '\n')
	body := near
	if lf >= 0 {
		body = near[:lf]
	}
	cr := bytes.IndexByte(body, '\r')
	switch {
	case cr < 0 && lf < 0:
		return 0, noEnd
	case cr < 0:
		end = endLF
	case cr == lf-1:
		body, end = body[:cr], endCRLF
	case cr == len(near)-1 || blankLineOf(body[:cr], b.ingestion.opts) || blankLineOf(body[:cr], b.validators.opts):
		return 0, noEnd
	default:
		body, end = body[:cr], endCR
	}
	for _, c := range b.special {
		if bytes.IndexByte(body, c) >= 0 {
			return 0, noEnd
		}
	}
	return len(body), end
}

// scan goes on to where the record ends: n bytes on, with what. It is noEnd when the block ends before.
func (b *boundaries) scan(block []byte) (n int, end ending) {
	for n < len(block) {
		near := block[n:min(len(block), n+skipWindow)]
		skip := b.ingestion.skip(near)
		if b.apart {
			skip = b.validators.skip(near[:skip])
		}
		if n += skip; n == len(block) || skip == len(near) {
			continue
		}
		c := block[n]
		b.step(c)
		switch {
		case c == '\n' && b.all(startRecord):
			b.apart = b.always
			return n, endLF
		case c == '\r' && b.ingestion.behindCR() && (!b.apart || b.validators.behindCR()):
			if n+1 == len(block) {
				b.cr = true
				return n, noEnd
			}
			return n, b.afterCR(block[n+1])
		}
		n++
	}
	return n, noEnd
}

func (b *boundaries) step(c byte) {
	if !b.apart && c == b.ingestion.opts.Escape && c != 0 {
		b.validators.state = b.ingestion.state
		b.apart = true
	}
	b.ingestion.step(c)
	if b.apart {
		b.validators.step(c)
	}
}

// afterCR tells what the CR at the end of a record was, by the byte behind it.
func (b *boundaries) afterCR(next byte) ending {
	b.cr = false
	if b.ingestion.swallows(next) || (b.apart && b.validators.swallows(next)) {
		return keepCR
	}
	b.ingestion.state, b.validators.state = startRecord, startRecord
	b.apart = b.always
	if next == '\n' {
		return endCRLF
	}
	return endCR
}
