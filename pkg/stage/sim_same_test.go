//go:build unix

package stage

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// TestSimulationSame: the number of sessions, compression, the cut into jobs, the transport, what was there before and what went wrong
// on the way never change the published tree.
func TestSimulationSame(t *testing.T) {
	t.Parallel()
	data := newSimData(t)
	var want map[string]string
	for n := range 96 {
		seed := uint64(n)*2 + 1
		var got map[string]string
		synctest.Test(t, func(t *testing.T) {
			w := newSimWorld(t, data, seed, false)
			p := data.plan(t, newSimDice(5, 5), 0.8)
			w.plans[0] = p
			w.know(p)
			l := &w.plans[0].limits
			l.rangeBytes >>= n % 3
			l.shardBytes <<= n % 2
			l.shardFiles += n % 5
			o := Options{Parallel: 1 + n%7, Compress: []Compress{CompressAuto, CompressNever, CompressAlways}[n%3]}
			c := w.client("the client", []float64{0, 0.3, 0.6}[n/2%3])
			w.cluster.calm.Store(n%4 == 0)
			if _, err := w.push(c, w.plans[0], o); err != nil {
				w.log("%v", err)
				w.cluster.calm.Store(true)
				if _, err := w.push(w.client("the next", 0), w.plans[0], o); err != nil {
					w.fail("a push without faults failed: %v", err)
				}
			}
			w.cluster.end()
			got = w.tree(p)
		})
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: published tree (-want +got):\n%s", seed, diff)
		}
	}
}

// tree is the published tree with its sums.
func (w *simWorld) tree(p Plan) map[string]string {
	all := map[string]string{}
	for _, f := range w.vol.files(nil, p.Dir()) {
		all[f.path] = digest(f.data)
	}
	sums, err := w.vol.read(nil, p.Dir()+".sha256")
	all["sums"] = fmt.Sprint(digest(sums), err)
	return all
}
