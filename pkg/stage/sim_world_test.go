//go:build unix

package stage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

const simRoot = "/data/shared/" + Directory

// simLimits cut a few kilobytes as the standard ones cut a few gigabytes.
func simLimits() limits {
	return limits{
		rangeAbove: 4096, rangeBytes: 2048, shardBytes: 4096, shardBytesMin: 1024,
		shardFiles: 8, linkFiles: 6, shardDirs: 3, aim: 8, chunkBytes: 1024,
	}
}

// simData is a dataset on disk; plans take some of its files.
type simData struct {
	source   *dataset.Dataset
	manifest dataset.Manifest
	contents map[[sha256.Size]byte][]byte
}

// newSimData is made once for each test; it is read-only afterwards.
func newSimData(t *testing.T) *simData {
	t.Helper()
	d := newSimDice(1, 1)
	files := map[string]string{"labels.csv": "name,label\n", "empty": "", "a b/-x": "1", "copy": "copy", "images/copy": "copy"}
	for i := range 44 {
		dir := []string{"", "images/", "images/deep/er/", "masks/", "a b/"}[i%5]
		files[fmt.Sprintf("%sf%02d", dir, i)] = randomText(d, []int{0, 1, 511, 512, 513, 100 + d.n(900)}[min(d.n(12), 5)])
	}
	for i, size := range []int{4096, 4097, 6144, 9001, 12288} {
		text := []byte(randomText(d, size))
		if i > 1 {
			clear(text[2048:4096]) // a hole
		}
		files[fmt.Sprintf("big/%d", i)] = string(text)
	}
	dir := t.TempDir()
	data := &simData{contents: map[[sha256.Size]byte][]byte{}}
	for name, content := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		data.contents[sha256.Sum256([]byte(content))] = []byte(content)
	}
	data.source = open(t, dir)
	data.manifest = manifest(t, data.source)
	return data
}

func randomText(d *simDice, n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = byte('a' + d.n(4)) // compresses well
		if n%2 == 0 {
			text[i] = byte(d.n(256))
		}
	}
	return string(text)
}

// plan takes each file with a probability.
func (s *simData) plan(t testing.TB, d *simDice, share float64) Plan {
	t.Helper()
	var m dataset.Manifest
	for _, f := range s.manifest {
		if d.hits(share) {
			m = append(m, f)
		}
	}
	p, err := NewPlan("cats", m, simRoot)
	if err != nil {
		t.Fatal(err)
	}
	p.limits = simLimits()
	return p
}

// simWorld is one schedule.
type simWorld struct {
	t       testing.TB
	seed    uint64
	dice    *simDice
	data    *simData
	cluster *simCluster
	vol     *simVolume
	plans   []Plan // what is pushed
	verbose bool

	mu      sync.Mutex
	started time.Time
	known   map[string]Plan // all trees by id
	damaged bool            // something older is not what it says
}

func newSimWorld(t testing.TB, data *simData, seed uint64, verbose bool) *simWorld {
	w := &simWorld{
		t: t, seed: seed, dice: newSimDice(seed, 7), data: data, vol: newSimVolume(), verbose: verbose,
		known: map[string]Plan{}, started: time.Now(),
	}
	w.cluster = &simCluster{vol: w.vol, seed: seed, log: w.log}
	w.cluster.theme = []string{"", "", "S", "N", "L", "C", "R", "F", "P", "P", "G", "W", "X"}[w.dice.n(13)]
	w.vol.broken = w.fail
	w.vol.renamed = w.renamed
	_ = w.vol.mkdirAll(nil, simRoot)
	w.add(w.data.plan(t, w.dice, 0.8))
	w.add(w.data.plan(t, w.dice, 0.8))
	w.older()
	return w
}

func (w *simWorld) add(p Plan) {
	w.plans = append(w.plans, p)
	w.know(p)
}

func (w *simWorld) know(p Plan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known[p.TreeID] = p
}

func (w *simWorld) plan(tree string) (Plan, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, known := w.known[tree]
	return p, known
}

func (w *simWorld) log(format string, arguments ...any) {
	if w.verbose {
		w.t.Logf("%12s %s", time.Since(w.started).Round(time.Millisecond), fmt.Sprintf(format, arguments...))
	}
}

// fail is a broken promise.
func (w *simWorld) fail(format string, arguments ...any) {
	w.t.Helper()
	w.t.Errorf("seed %d, after %s: %s (go test ./pkg/stage -run 'TestSimulation$' -v -sim.seed=%d)",
		w.seed, time.Since(w.started), fmt.Sprintf(format, arguments...), w.seed)
}

// older puts on the volume what earlier pushes have left.
func (w *simWorld) older() {
	dir := simRoot + "/cats"
	for range w.dice.n(4) {
		p := w.data.plan(w.t, w.dice, []float64{0.2, 0.6, 0.95}[w.dice.n(3)])
		w.know(p)
		tree, work := p.Dir(), dir+"/."+p.TreeID+".push"
		unfinished := w.dice.hits(0.4)
		if unfinished {
			tree = work + "/tree"
		}
		if w.vol.find(nil, tree) != nil {
			continue
		}
		_ = w.vol.mkdirAll(nil, tree)
		sums := ""
		all := make([]int32, len(p.Manifest))
		for i, f := range p.Manifest {
			all[i] = int32(i)
			w.put(tree+"/"+f.Path, w.data.contents[f.SHA256])
			sums += string(sumsOf(p.Manifest, all[i:i+1]))
		}
		switch {
		case unfinished:
			_ = w.vol.mkdirAll(nil, work+"/done")
			w.put(work+"/done/"+digest([]byte(sums)), []byte(sums))
			if w.dice.hits(0.3) && len(p.Manifest) > 0 {
				w.damaged = true
				w.vol.remove(nil, tree+"/"+p.Manifest[w.dice.n(len(p.Manifest))].Path)
			}
		case w.dice.hits(0.2):
			w.damaged = true // no sums
		default:
			lines := slices.Sorted(strings.Lines(sums))
			w.put(tree+".sha256", []byte(strings.Join(lines, "")))
			if w.dice.hits(0.3) && len(p.Manifest) > 0 {
				w.damaged = true
				time.Sleep(3 * time.Second)
				f := p.Manifest[w.dice.n(len(p.Manifest))]
				w.put(tree+"/"+f.Path, bytes.Repeat([]byte("#"), int(f.Size)))
			}
		}
		if node := w.vol.find(nil, tree); !unfinished {
			w.vol.pin(node, 1)
		}
	}
	w.wreck()
}

// wreck puts something in the way of the tree.
func (w *simWorld) wreck() {
	tree := w.plans[0].Dir()
	if w.dice.hits(0.1) && w.vol.find(nil, tree) == nil {
		w.put(tree+"/labels.csv", []byte("not what the name says"))
	}
	if w.dice.hits(0.1) {
		w.otherRanges()
	}
}

// otherRanges leaves a file half-sent in ranges of another size, as another version of the plugin might.
func (w *simWorld) otherRanges() {
	const step = 1024
	p := w.plans[0]
	for i, f := range p.Manifest {
		if f.Size <= p.limits.rangeAbove {
			continue
		}
		content := w.data.contents[f.SHA256]
		big := p.Root + "/cats/." + p.TreeID + ".push/big/" + newBigFile(nil, p, int32(i)).id
		w.put(big+"/data", content)
		for at := 0; at < len(content); at += step {
			part := content[at:min(len(content), at+step)]
			w.put(fmt.Sprintf("%s/%d.%d.%s", big, at, len(part), digest(part)), nil)
		}
		return
	}
}

func (w *simWorld) put(name string, content []byte) {
	_ = w.vol.mkdirAll(nil, path.Dir(name))
	node, err := w.vol.open(nil, name, true)
	if err == nil {
		err = w.vol.writeAt(node, content, 0)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

var simTree = regexp.MustCompile(`^` + simRoot + `/cats/([0-9a-f]{16})$`)

// renamed watches the names of trees. A tree that is right stays pinned even while it is aside, so that nothing of it can be removed.
func (w *simWorld) renamed(from, to string, node *simInode) {
	if m := simTree.FindStringSubmatch(from); m != nil {
		w.log("%s is moved to %s", m[1], to)
	}
	m := simTree.FindStringSubmatch(to)
	if m == nil {
		return
	}
	w.log("%s is published", m[1])
	if bad := w.wrong(m[1], node); bad != "" {
		w.fail("a wrong tree is published: %s", bad)
	}
	sums, err := w.vol.walk(nil, to+".sha256")
	if err != nil || !bytes.Equal(sums.data, w.sums(m[1])) {
		w.fail("a tree is published without all its receipts")
	}
	if node.pinned == 0 {
		w.vol.pin(node, 1)
	}
}

// sums are what <tree>.sha256 must be.
func (w *simWorld) sums(tree string) []byte {
	p, _ := w.plan(tree)
	all := make([]int32, len(p.Manifest))
	for i := range all {
		all[i] = int32(i)
	}
	return []byte(strings.Join(slices.Sorted(strings.Lines(string(sumsOf(p.Manifest, all)))), ""))
}

// wrong says what a tree has that it should not have, or has not.
func (w *simWorld) wrong(tree string, node *simInode) string {
	p, known := w.plan(tree)
	if !known {
		return "a tree that nobody pushes: " + tree
	}
	want := map[string][]byte{}
	for _, f := range p.Manifest {
		want[f.Path] = w.data.contents[f.SHA256]
	}
	for _, f := range listFiles(nil, "", node) {
		content, wanted := want[f.path]
		if !wanted {
			return fmt.Sprintf("%q does not belong there", f.path)
		}
		if !bytes.Equal(content, f.data) {
			return fmt.Sprintf("%q has %d bytes that are not its own", f.path, len(f.data))
		}
		delete(want, f.path)
	}
	for name := range want {
		return fmt.Sprintf("%q is missing", name)
	}
	return ""
}

// client makes one push.
func (w *simWorld) client(name string, harsh float64) *simClient {
	c := &simClient{cluster: w.cluster, dice: newSimDice(w.seed, uint64(w.dice.n(1<<30))), harsh: harsh, name: name}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// push is one Transfer.
func (w *simWorld) push(c *simClient, p Plan, o Options) (Report, error) {
	defer c.cancel()
	watch := &progressWatch{world: w}
	o.Progress = watch.see
	o.Notify = func(line string) { w.log("%s says %s", c.name, line) }
	v := c.volume()
	w.log("%s pushes %s: %+v", c.name, p.TreeID, o)
	report, err := v.Transfer(c.ctx, p, w.data.source, o)
	w.log("%s is done: %v, %+v", c.name, err, report)
	return report, err
}
