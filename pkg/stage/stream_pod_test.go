//go:build unix

package stage

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// station is a namespace in which Pods come and go, all with the same volume. A Pod is a server of its own.
type station struct {
	t       *testing.T
	options podiotest.Options
	fail    error // of the next renewal

	mu   sync.Mutex
	pods []served
}

// uids are those of the Pods, in order.
var uids = []string{
	"11111111-aaaa-bbbb-cccc-000000000001", "11111111-aaaa-bbbb-cccc-000000000002", "11111111-aaaa-bbbb-cccc-000000000003",
	"11111111-aaaa-bbbb-cccc-000000000004", "11111111-aaaa-bbbb-cccc-000000000005", "11111111-aaaa-bbbb-cccc-000000000006",
}

// open starts the first Pod. All servers are started now: the engine asks for a new Pod from a goroutine that is not that of the test.
func (n *station) open(pods int) served {
	for i := range pods {
		s := serve(n.t, n.options)
		n.options.Volume = s.Volume
		s.volume.Owner = uids[i]
		var gone atomic.Bool
		s.volume.Check = func(context.Context) error {
			if gone.Load() || s.Deleted() {
				gone.Store(true)
				return &GoneError{Namespace: "ml", Pod: uids[i], Reason: "it was deleted"}
			}
			return nil
		}
		s.volume.Owners = n.owners
		n.pods = append(n.pods, s)
	}
	n.pods[0].volume.Renew = n.renew(pods)
	return n.pods[0]
}

// renew hands out the Pods that are there, each once.
func (n *station) renew(pods int) func(context.Context) (*Volume, error) {
	next := 1
	return func(context.Context) (*Volume, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.fail != nil {
			return nil, n.fail
		}
		if next == pods {
			return nil, errors.New("quota exceeded")
		}
		next++
		return n.pods[next-1].volume, nil
	}
}

func (n *station) owners(context.Context) (map[string]string, error) {
	alive := map[string]string{}
	for i, s := range n.pods {
		if !s.Deleted() {
			alive[uids[i]] = uids[i]
		}
	}
	return alive, nil
}

// used is how many Pods have seen a session.
func (n *station) used() int {
	return len(n.pods) - len(slices.DeleteFunc(slices.Clone(n.pods), func(s served) bool { return len(s.Requests()) > 0 }))
}

// TestStreamsPodLost: the Pod is deleted in mid-transfer, once or twice, and the work goes on in another one from where it was.
func TestStreamsPodLost(t *testing.T) {
	t.Parallel()
	files := scatter(60, 20_000)
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		for name, c := range map[string]struct {
			losses   []int64 // after so many files
			parallel int
		}{
			"once": {[]int64{10}, 4}, "twice": {[]int64{5, 30}, 4}, "twice, one session": {[]int64{5, 30}, 1}, "at the end": {[]int64{61}, 16},
		} {
			t.Run(name, func(t *testing.T) {
				n := &station{t: t, options: options}
				s := n.open(len(c.losses) + 1)
				d := write(t, files)
				p := fine(s.plan(t, d))
				planted := s.plant(t, p)
				lost := 0
				var told []string
				report, err := s.push(t.Context(), t, p, d, Options{
					Parallel: c.parallel, Compress: CompressNever,
					Progress: func(p Progress) {
						if lost < len(c.losses) && p.Files >= c.losses[lost] {
							n.pods[lost].Delete()
							lost++
						}
					},
					Notify: func(line string) { told = append(told, line) },
				})
				if err != nil {
					t.Fatal(err)
				}
				for _, pod := range n.pods {
					pod.wantOnly(t, p, files, planted)
				}
				wantReport(t, report, p, 1, int64(len(older)))
				if report.Pods != len(c.losses) || n.used() != 1+len(c.losses) || report.Retries < len(c.losses) {
					t.Errorf("%d pods were used: %+v", n.used(), report)
				}
				if most := 2*report.Bytes + int64(len(c.losses)*c.parallel*window)*p.limits.shardBytes; report.Sent > most {
					t.Errorf("sent %d bytes for %d, at most %d", report.Sent, report.Bytes, most)
				}
				if i := slices.IndexFunc(told, func(line string) bool { return strings.Contains(line, "going on in a new one") }); i < 0 {
					t.Errorf("the user was told %q", told)
				}
			})
		}
	})
}

// TestStreamsPodLostForGood: without a new Pod the push ends and says why; what arrived stays, and the next push goes on from it.
func TestStreamsPodLostForGood(t *testing.T) {
	t.Parallel()
	files := scatter(40, 20_000)
	quota := errors.New("exceeded quota: pods")
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		for _, renewable := range []bool{false, true} {
			t.Run(map[bool]string{false: "no renewal", true: "renewal fails"}[renewable], func(t *testing.T) {
				n := &station{t: t, options: options, fail: quota}
				s := n.open(2)
				if !renewable {
					s.volume.Renew = nil
				}
				d := write(t, files)
				p := fine(s.plan(t, d))
				planted := s.plant(t, p)
				var once sync.Once
				first, err := s.push(t.Context(), t, p, d, Options{Progress: func(p Progress) {
					if p.Files > 3 {
						once.Do(s.Delete)
					}
				}})
				var gone *GoneError
				if !errors.As(err, &gone) || renewable && !errors.Is(err, quota) {
					t.Errorf("got %v", err)
				}
				s.wait(t)
				if tree := contents(t, p.Dir()); tree != nil {
					t.Errorf("published %d files", len(tree))
				}
				again := n.pods[1]
				second, err := again.push(t.Context(), t, p, d, Options{})
				if err != nil {
					t.Fatal(err)
				}
				again.wantOnly(t, p, files, planted)
				if second.TakenOverFiles < first.Files || second.Retries != 0 {
					t.Errorf("%d files had arrived, the next push %+v", first.Files, second)
				}
			})
		}
	})
}

// TestStreamsPodsKeepDying: Pods that die before they did anything are not made for ever.
func TestStreamsPodsKeepDying(t *testing.T) {
	t.Parallel()
	n := &station{t: t}
	s := n.open(len(uids))
	for _, pod := range n.pods {
		pod.Delete()
	}
	d := write(t, scatter(5, 100))
	p := s.plan(t, d)
	report, err := s.push(t.Context(), t, p, d, Options{})
	var gone *GoneError
	if !errors.As(err, &gone) || report.Pods != maxRenewed {
		t.Errorf("got %v after %d pods", err, report.Pods)
	}
	s.wantOnly(t, p, nil, nil)
}

// TestStreamsPodLostPublishing: the Pod ends when the publishing was asked for; whether or not it was done, another Pod says that it is.
func TestStreamsPodLostPublishing(t *testing.T) {
	t.Parallel()
	files := scatter(20, 8000)
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		n := &station{t: t, options: options}
		var s served
		var struck atomic.Bool
		n.options.Stdin = overhearingIn("P 22 ", &struck, func() { s.Delete() })
		s = n.open(2)
		d := write(t, files)
		p := fine(s.plan(t, d))
		planted := s.plant(t, p)
		report, err := s.push(t.Context(), t, p, d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		n.pods[1].wantOnly(t, p, files, planted)
		wantReport(t, report, p, 1, int64(len(older)))
		if !struck.Load() || report.Pods != 1 {
			t.Errorf("report %+v", report)
		}
	})
}
