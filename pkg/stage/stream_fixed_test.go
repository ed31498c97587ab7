//go:build unix

package stage

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// TestStreamsFixed: a transfer that breaks repairs the CSV again for what is sent again, and leaves the one on disk as it is.
func TestStreamsFixed(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		for name, ranges := range map[string]bool{"shard": false, "ranges": true} {
			t.Run(name, func(t *testing.T) {
				s := serve(t, options)
				files, staged := dirty()
				files["a"], staged["a"] = noise(50_000), noise(50_000)
				d := write(t, files)
				p := fine(fixedPlan(t, d, filepath.Join(s.Volume, Directory)))
				if !ranges {
					p.limits.rangeAbove = 16 << 20
				}
				var once sync.Once
				report, err := s.push(t.Context(), t, p, d, Options{Parallel: 2, Progress: func(p Progress) {
					if p.Files > 0 {
						once.Do(func() { s.Strike(podiotest.Cut) })
					}
				}})
				if err != nil || report.Retries == 0 {
					t.Fatalf("report %+v, %v", report, err)
				}
				s.wantOnly(t, p, staged, nil)
				wantReport(t, report, p, 0, 0)
				if diff := cmp.Diff(files, contents(t, d.Path)); diff != "" {
					t.Errorf("dataset on disk (-before +after):\n%s", diff)
				}
			})
		}
	})
}
