package preflight

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset/datasettest"
)

// TestCancelInsideFile: the end of the context is seen inside a file too, though its check reads all of it.
func TestCancelInsideFile(t *testing.T) {
	t.Parallel()
	dir := datasettest.Good("text_classification").Write(t)
	texts, err := filepath.Glob(filepath.Join(dir, "texts", "*"))
	must(t, err)
	if len(texts) == 0 {
		t.Fatal("the dataset has no text")
	}
	const large = 256 << 20
	must(t, os.Truncate(texts[0], large))
	d, err := dataset.Open(t.Context(), dir)
	must(t, err)
	defer func() { must(t, d.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read := int64(0)
	_, err = Check(ctx, d, Params{Task: task(t, "text_classification")}, func(n int64) {
		if read += n; read > 1<<20 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || read > 4<<20 {
		t.Errorf("%d bytes were read, error %v; want %v soon behind the first MiB", read, err, context.Canceled)
	}
}
