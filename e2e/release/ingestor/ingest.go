package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// batchSize is the number of rows of one INSERT.
const batchSize = 4000

// ingestor is one run.
type ingestor struct {
	config   *config
	store    store
	storage  string // /data/shared
	id       string
	newID    func() string
	now      func() time.Time
	pause    func(time.Duration)
	hostname string
	out, err io.Writer
	runID    string

	faults fault.Ingestor // what mishap and run ask for
	skip   int            // fault: so many records are left out
	crash  bool           // fault: no banner
	newer  bool           // fault: behaves as ingestors from 0.7 on
	counts counts
}

func (in *ingestor) destination() string { return filepath.Join(in.storage, in.config.table) }

func (in *ingestor) log(level, logger, where, format string, args ...any) {
	logLine(in.out, in.now(), level, logger, where, format, args...)
}

func (in *ingestor) warn(where, format string, args ...any) {
	in.log("WARNING", "tracebloc_ingestor.ingestors.base", where, format, args...)
}

// run is the order of contract/ingestor.md §3.1 from CREATE TABLE on. The database is connected, and the calls to the backend
// are answered as CLIENT_ENV=local answers them: every batch is taken, the dataset is registered.
func (in *ingestor) run(ctx context.Context) error {
	if in.newer && in.runID != "" {
		_, _ = fmt.Fprintf(in.out, "Correlation id: %s (ingestor_id: %s)\n", in.runID, in.id)
	}
	if err := in.store.CreateTable(ctx, in.config.table, in.config.features()); err != nil {
		return err
	}
	unlock, err := in.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, step := range []func() error{in.checkSource, in.checkEncoding, in.validate, in.count} {
		if err := step(); err != nil {
			return err
		}
	}
	if in.faults.Empty {
		in.counts = counts{}
	} else if err := in.ingestAll(ctx); err != nil {
		return err
	}
	if err := in.mishap(ctx); err != nil {
		return err
	}
	if in.faults.NoSummary {
		return nil
	}
	table := ""
	if in.newer {
		table = in.config.table
	}
	printBanner(in.out, in.id, table, in.counts)
	return in.finish()
}

// finish is the exit code after the banner, and the newer ingestors' deletion of the source after a clean success.
func (in *ingestor) finish() error {
	lost := in.counts.failures(in.newer)
	if lost > 0 {
		in.log("WARNING", "tracebloc_ingestor.cli.run", "run.py:159", "%d record(s) failed during ingestion; see logs for details.", lost)
		return &recordsFailed{line: fmt.Sprintf("%d record(s) failed", lost)}
	}
	tree := in.config.source
	if tree == "" {
		tree = filepath.Dir(in.config.csv)
	}
	staging := filepath.Join(in.storage, ".tracebloc-staging") + string(filepath.Separator)
	if in.newer && strings.HasPrefix(tree, staging) {
		if err := os.RemoveAll(tree); err != nil {
			in.warn("reclaim.py:40", "Could not delete the staged source: %s", pyOSError(err))
		}
	}
	return nil
}

// count fills the banner's total: a plain-comma count of the rows, whatever the spec's delimiter is.
func (in *ingestor) count() error {
	f, err := os.Open(in.config.csv)
	if err != nil {
		return &ingestError{pyOSError(err)}
	}
	defer func() { _ = f.Close() }()
	r, err := pandas.NewReader(f, pandas.Dialect{})
	for err == nil {
		if _, err = r.Next(); err == nil {
			in.counts.total++
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return &ingestError{err.Error()}
}

// ingestAll reads the manifest in chunks, as the ingestion does, and writes the rows in batches.
func (in *ingestor) ingestAll(ctx context.Context) error {
	f, err := os.Open(in.config.csv)
	if err != nil {
		return &ingestError{pyOSError(err)}
	}
	defer func() { _ = f.Close() }()
	r, err := pandas.NewReader(f, in.config.dialect)
	if err != nil {
		return &ingestError{err.Error()}
	}
	header, err := in.header(r)
	if err != nil {
		return err
	}
	if in.config.category.files != "" {
		if err := os.MkdirAll(in.destination(), 0o755); err != nil {
			return &ingestError{pyOSError(err)}
		}
	}
	var batch []row
	seen := 0
	for {
		chunk, err := readChunk(r, in.config.chunk)
		if err != nil {
			return &ingestError{err.Error()}
		}
		if len(chunk) == 0 {
			wipe(in.err, "Ingesting")
			in.flush(ctx, batch)
			return nil
		}
		records, err := in.chunkRecords(header, chunk)
		if err != nil {
			return err
		}
		for _, rec := range records {
			if err := ctx.Err(); err != nil {
				return err
			}
			if seen++; seen%100 == 0 {
				bar(in.err, "Ingesting", seen, in.counts.total)
			}
			if made, ok := in.process(rec); ok {
				batch = append(batch, made)
			}
			if len(batch) == batchSize {
				in.flush(ctx, batch)
				batch = nil
			}
		}
	}
}

// header strips the names and checks them against the schema, as the read does.
func (in *ingestor) header(r *pandas.Reader) ([]string, error) {
	header := r.Header()
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	if line := duplicates(header); line != "" {
		return nil, &ingestError{line}
	}
	var absent []string
	for _, c := range in.config.schema {
		if !slices.Contains(header, c.name) {
			absent = append(absent, c.name)
		}
	}
	if len(absent) > 0 {
		return nil, &ingestError{"Schema columns not present in CSV: " + strings.Join(absent, ", ")}
	}
	return header, nil
}

// flush inserts a batch; when the server refuses it, each row by itself, so that good rows are kept.
func (in *ingestor) flush(ctx context.Context, batch []row) {
	if len(batch) == 0 {
		return
	}
	features := in.config.features()
	err := in.store.Insert(ctx, in.config.table, features, batch)
	inserted := len(batch)
	if err != nil {
		in.warn("database.py:352", "Batch insert failed, trying one by one: %s", spec.PyString(err.Error()))
		inserted = 0
		for i := range batch {
			if err := in.store.Insert(ctx, in.config.table, features, batch[i:i+1]); err != nil {
				in.warn("database.py:388", "Failed to insert record: %s", spec.PyString(err.Error()))
				in.counts.failed++
				continue
			}
			inserted++
		}
	}
	in.counts.inserted += inserted
	in.counts.sent += inserted
}
