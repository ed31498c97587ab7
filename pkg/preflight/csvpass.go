package preflight

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// csvBlock is how much is read of the CSV at a time.
const csvBlock = 256 << 10

// csvPass is the one read of the CSV.
type csvPass struct {
	checker *checker
	entry   dataset.Entry
	utf8    dataset.UTF8Checker
	// ingestion reads as the ingestor's ingestion does. validators is nil as long as both readings are one.
	ingestion, validators *dataset.Parser
	table, second         *table
	options               dataset.CSVOptions // of the ingestion
	begun, utf16          bool               // UTF-16 has a mark at its start
}

func (c *checker) readCSV(ctx context.Context, i int) error {
	e := c.staged[i]
	file, err := c.dataset.OpenEntry(e)
	if err != nil {
		return c.openError(e.Path, err)
	}
	err = c.readCSVFile(ctx, i, file)
	if cerr := file.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("close %q: %w", e.Path, cerr)
	}
	return err
}

func (c *checker) readCSVFile(ctx context.Context, i int, file *os.File) error {
	e := c.staged[i]
	p := c.newCSVPass(e)
	defer p.settle()
	staged := newStaging(p)
	var to io.Writer = staged
	var fixer *dataset.Fixer
	if c.Fix {
		fixer = dataset.NewFixer(c.fixOptions(), staged)
		to = fixer
	}
	block := make([]byte, csvBlock)
	src := &countingReader{r: file, told: c.read}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := src.Read(block)
		// Nothing behind it fails.
		_, _ = to.Write(block[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read %q: %w", e.Path, err)
		}
	}
	if err := c.dataset.Recheck(e, file); err != nil {
		return err
	}
	if src.n != e.Size {
		return &dataset.ChangedError{Path: e.Path, What: fmt.Sprintf("%d of %d bytes could be read", src.n, e.Size)}
	}
	if fixer != nil {
		_ = fixer.Close()
		c.repaired(e, staged, fixer.Repairs())
	}
	staged.sum.Sum(c.files[i].SHA256[:0])
	p.finish()
	c.table = p.table
	return nil
}

func (c *checker) newCSVPass(e dataset.Entry) *csvPass {
	p := &csvPass{checker: c, entry: e, options: c.csvOptions()}
	p.table = &table{file: e.Path, checker: c, report: c.report, judges: true, missing: missingTabular}
	switch {
	case c.Task.HasFiles():
		p.table.missing = missingFiles
	case c.Task.Newer():
		p.table.missing = missingNewer
	}
	// Without an escape character the two readings differ only in delimiter and quote.
	start := p.options
	start.Escape = 0
	p.ingestion = dataset.NewParser(start, p.table.record)
	if plain := dataset.DefaultCSV(); start != plain {
		p.second = &table{file: e.Path, checker: c, report: c.report, validators: true, judges: true, shapeOnly: true, first: p.table}
		p.table.judges = false
		p.validators = dataset.NewParser(plain, p.second.record)
	}
	return p
}

// csvOptions are those of the ingestion. A setting of more than one byte cannot be followed, so its first byte must do.
func (c *checker) csvOptions() dataset.CSVOptions {
	o := dataset.DefaultCSV()
	o.Escape = '\\'
	for _, set := range []struct {
		text string
		to   *byte
	}{{c.Delimiter, &o.Delimiter}, {c.Quote, &o.Quote}, {c.Escape, &o.Escape}} {
		if set.text != "" {
			*set.to = set.text[0]
		}
	}
	return o
}

// write feeds a block to all parsers of the CSV. No handler fails, so neither does a parser.
func (p *csvPass) write(block []byte) {
	if !p.begun {
		p.begun, p.utf16 = true, bytes.HasPrefix(block, []byte("\xff\xfe")) || bytes.HasPrefix(block, []byte("\xfe\xff"))
	}
	if p.utf16 {
		return // nothing that a reader of bytes could say of it would help
	}
	if !p.table.nul && bytes.IndexByte(block, 0) >= 0 {
		p.table.nul = true
	}
	if p.table.escape == 0 && bytes.IndexByte(block, p.options.Escape) >= 0 {
		p.fork()
	}
	_, _ = p.ingestion.Write(block)
	if p.validators != nil {
		_, _ = p.validators.Write(block)
	}
}

// fork parts the two readings, at the first block with an escape character.
func (p *csvPass) fork() {
	p.table.escape = p.options.Escape
	if p.second != nil {
		p.second.escape = p.options.Escape
	} else {
		p.second = p.table.fork()
		p.validators = p.ingestion.Fork(dataset.DefaultCSV(), p.second.record)
	}
	p.ingestion = p.ingestion.Fork(p.options, p.table.record)
}

// settle waits for what still looks at the records.
func (p *csvPass) settle() {
	p.table.settle()
	if p.second != nil {
		p.second.settle()
	}
}

func (p *csvPass) finish() {
	report, file := p.checker.report, p.entry.Path
	if p.utf16 {
		report.add("csv-not-utf8", Finding{File: file, Message: "the file is UTF-16, not UTF-8"})
		return
	}
	failed := p.close(p.ingestion, true)
	if p.validators != nil {
		p.close(p.validators, !failed)
	}
	p.table.finish(failed)
	if p.second != nil {
		p.second.finish(failed)
		p.table.second = p.second
		p.table.compareHeaders()
	}
	if offset, bad := p.utf8.Invalid(); bad {
		report.add("csv-not-utf8", Finding{File: file, Message: fmt.Sprintf("not valid UTF-8: a non-UTF-8 byte was found at byte %d", offset)})
	}
	switch ends := p.ingestion.LineEnds(); {
	case ends.CR > 0 && ends.LF == 0 && ends.CRLF == 0:
		report.add("csv-cr-only", Finding{File: file, Message: "rows end in a carriage return alone"})
	case min(ends.CR+ends.LF, ends.CR+ends.CRLF, ends.LF+ends.CRLF) > 0:
		report.add("csv-mixed-line-ends", Finding{File: file, Message: fmt.Sprintf("%d rows end in LF, %d in CRLF, %d in CR", ends.LF, ends.CRLF, ends.CR)})
	}
}

// close ends a reading, and reports an open quote where the reading is one that fails on it.
func (p *csvPass) close(parser *dataset.Parser, judge bool) (failed bool) {
	err := parser.Close()
	var unclosed *dataset.UnclosedError
	if !judge || !errors.As(err, &unclosed) {
		return false
	}
	message := "a quoted field starts here and is never closed"
	if unclosed.Escape {
		message = "the file ends behind an escape character"
	}
	p.checker.report.add("csv-unclosed-quote", Finding{File: p.entry.Path, Line: unclosed.Line, Message: message})
	return true
}
