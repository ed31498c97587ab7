//go:build unix

package stage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// served is a volume behind the API server's own proxy and the runtimes' own streaming server.
type served struct {
	*podiotest.Server
	dir    string // where the sessions run
	volume *Volume
}

// serve starts a server, and holds that no goroutine of a transfer outlives it.
func serve(t *testing.T, options podiotest.Options) served {
	t.Helper()
	t.Cleanup(func() { wantNoGoroutine(t) }) // after the server has ended, for a connection may be stuck in it
	options.Dir = t.TempDir()                // of the Pod, and gone with it
	options.Env = append(slices.Clone(options.Env), scriptVariable+"="+Script())
	server := podiotest.Start(t, options)
	client, err := podio.New(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	target := podio.Target{Namespace: "ml", Pod: "stage", Container: Container}
	return served{Server: server, dir: options.Dir, volume: &Volume{Exec: client, Plainer: client.SPDY(), Target: target, Owner: "11111111-aaaa-bbbb-cccc-000000000001"}}
}

func (s served) plan(t *testing.T, d *dataset.Dataset) Plan {
	t.Helper()
	p, err := NewPlan("cats", manifest(t, d), filepath.Join(s.Volume, Directory))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// push transfers under a label that all goroutines of the transfer inherit.
func (s served) push(ctx context.Context, t *testing.T, p Plan, d *dataset.Dataset, o Options) (report Report, err error) {
	t.Helper()
	pprof.Do(ctx, pprof.Labels("stream", t.Name()), func(ctx context.Context) {
		report, err = s.volume.Transfer(ctx, p, d, o)
	})
	return report, err
}

// wantNoGoroutine waits for the end of the goroutines that push has left.
func wantNoGoroutine(t *testing.T) {
	t.Helper()
	label := []byte(`{"stream":` + strconv.Quote(t.Name()) + `}`)
	var left [][]byte
	for range 300 {
		var all bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
			t.Fatal(err)
		}
		left = slices.DeleteFunc(bytes.Split(all.Bytes(), []byte("\n\n")), func(stack []byte) bool {
			// The heartbeat of client-go outlives a connection that died of a timeout: it takes that for a passing one, for ever.
			return !bytes.Contains(stack, label) || bytes.Contains(stack, []byte("remotecommand.(*heartbeat).start"))
		})
		if len(left) == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("goroutines are left:\n%s", bytes.Join(left, []byte("\n\n")))
}

// olderTree is a tree that an earlier push has published.
const olderTree = "00000000000000aa"

// plant publishes an older tree, of which part is needed again, and returns what is to be there of it.
func (s served) plant(t *testing.T, p Plan) map[string]string {
	t.Helper()
	dir := filepath.Join(p.Root, p.Table)
	files := map[string]string{"earlier name.png": older, "gone.csv": "no longer there\n"}
	var lines []string
	for name, content := range files {
		path := filepath.Join(dir, olderTree, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(content))
		lines = append(lines, hex.EncodeToString(sum[:])+"  ./"+name+"\n")
	}
	slices.Sort(lines)
	if err := os.WriteFile(filepath.Join(dir, olderTree+".sha256"), []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	return contents(t, dir)
}

// older is a file that the older tree has already.
var older = noise(3000)

// wantOnly holds that the volume has the tree, what was planted, and nothing else, as soon as the processes of all sessions have ended.
func (s served) wantOnly(t *testing.T, p Plan, files, planted map[string]string) {
	t.Helper()
	s.wait(t)
	dir := filepath.Join(p.Root, p.Table)
	want := map[string]string{}
	for name, content := range planted {
		want[name] = content
	}
	if files != nil {
		for name, content := range files {
			want[filepath.Join(p.TreeID, name)] = content
		}
		sums := strings.SplitAfter(string(sumsOf(p.Manifest, every(p))), "\n")
		slices.Sort(sums)
		want[p.TreeID+".sha256"] = strings.Join(sums, "")
	}
	got := contents(t, dir)
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%q is not what it should be: %d bytes of %d", name, len(got[name]), len(want[name]))
		}
	}
	foreign := func(path string) bool {
		name, _ := filepath.Rel(dir, path)
		_, wanted := want[name]
		return !wanted
	}
	err := filepath.WalkDir(s.Volume, func(path string, e fs.DirEntry, err error) error {
		name := e.Name()
		switch {
		case err != nil:
			return err
		case e.IsDir() && (strings.HasPrefix(name, ".") && name != Directory):
			t.Errorf("left behind: %q", path)
			return filepath.SkipDir
		case !e.IsDir() && foreign(path):
			t.Errorf("left behind: %q", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if left := contents(t, s.dir); len(left) > 0 && !s.Deleted() {
		t.Errorf("left behind in the Pod: %d files", len(left))
	}
}

func every(p Plan) []int32 {
	all := make([]int32, len(p.Manifest))
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// wait waits for the processes whose client has gone.
func (s served) wait(t *testing.T) {
	t.Helper()
	for range 600 {
		if s.Running() == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%d sessions run on", s.Running())
}

// wantReport holds what a report always adds up to; linked is the number of files that were taken over.
func wantReport(t *testing.T, r Report, p Plan, linked, linkedBytes int64) {
	t.Helper()
	n, size := int64(len(p.Manifest)), p.Manifest.Bytes()
	want := Report{
		Progress: Progress{
			Files: n - linked, TotalFiles: n - linked, Bytes: size - linkedBytes, TotalBytes: size - linkedBytes,
			TakenOverFiles: linked, TakenOverBytes: linkedBytes,
			Sent: r.Sent, Compressed: r.Compressed, Retries: r.Retries, Step: r.Step,
		},
		TreeFiles: n, TreeBytes: size, Pods: r.Pods, Took: r.Took,
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if r.Compressed == 0 && r.Sent < r.Bytes {
		t.Errorf("sent %d bytes of %d", r.Sent, r.Bytes)
	}
}

// fine cuts a small dataset into many jobs, as the usual limits cut a large one.
func fine(p Plan) Plan {
	p.limits.rangeAbove, p.limits.rangeBytes = 200<<10, 64<<10
	p.limits.shardBytes, p.limits.shardBytesMin = 64<<10, 64<<10
	return p
}

// scatter is n files of about size bytes each in some directories, and one that the older tree has.
func scatter(n, size int) map[string]string {
	files := map[string]string{"labels.csv": strings.Repeat("a,b\n", 100), "images/again.png": older}
	for i := range n {
		files[fmt.Sprintf("images/%02d/$(echo %d).png", i%5, i)] = noise(size + i)
	}
	return files
}

// together runs tests beside each other, more of them than there are processors: they wait most of the time.
func together[C any](t *testing.T, cases []C, name func(C) string, test func(t *testing.T, c C)) {
	t.Helper()
	places := make(chan struct{}, 6)
	var all sync.WaitGroup
	for _, c := range cases {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			t.Run(name(c), func(t *testing.T) { test(t, c) })
		})
	}
	all.Wait()
}

var streamSeed = flag.Uint64("stream-seed", 0, "the seed that a test of broken streams has printed; 0 is a new one")

// seeded is a source of randomness whose seed is in the test's log.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := *streamSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-stream-seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func TestStreams(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		for _, parallel := range []int{1, 4, 16} {
			t.Run(strconv.Itoa(parallel), func(t *testing.T) {
				s := serve(t, options)
				files := scatter(200, 20_000)
				if parallel == DefaultParallel {
					files = attack()
					files["images/again.png"] = older
				}
				d := write(t, files)
				p := s.plan(t, d)
				planted := s.plant(t, p)
				report, err := s.push(t.Context(), t, p, d, Options{Parallel: parallel})
				if err != nil || report.Retries != 0 {
					t.Fatalf("report %+v, %v", report, err)
				}
				wantReport(t, report, p, 1, int64(len(older)))
				s.wantOnly(t, p, files, planted)
				transport := "exec websocket"
				if options.NoWebSocket {
					transport = "exec spdy"
				}
				if !slices.Contains(s.Requests(), transport) {
					t.Errorf("requests %q", s.Requests())
				}
				if err := s.volume.Remove(t.Context(), p, ""); err != nil {
					t.Error(err)
				}
				s.wantOnly(t, p, nil, planted)
			})
		}
	})
}
