package stage

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// randomPlan is a plan of some files of which nothing exists but their records.
func randomPlan(t testing.TB, r *rand.Rand) Plan {
	t.Helper()
	names := map[string]dataset.File{}
	for range r.IntN(600) {
		f := dataset.File{Path: fmt.Sprintf("%d", r.IntN(1000)), Size: r.Int64N(3000)}
		for range r.IntN(4) {
			f.Path = fmt.Sprintf("d%d/%s", r.IntN(6), f.Path)
		}
		if r.IntN(20) == 0 {
			f.Size = r.Int64N(1 << 20)
		}
		f.SHA256[0], f.SHA256[1] = byte(r.Uint32()), byte(r.Uint32())
		names[f.Path] = f
	}
	var m dataset.Manifest
	for _, f := range names {
		if _, taken := names[path.Dir(f.Path)]; !taken {
			m = append(m, f)
		}
	}
	m.Sort()
	p, err := NewPlan("cats", m, DefaultRoot)
	if err != nil {
		t.Fatal(err)
	}
	p.limits = limits{
		rangeAbove: 1 + r.Int64N(1<<19), rangeBytes: 1 << 16,
		shardBytes: 1 + r.Int64N(1<<17), shardBytesMin: 1 + r.Int64N(1<<12),
		shardFiles: 16 + r.IntN(200), linkFiles: 1 + r.IntN(100), shardDirs: 1 + r.IntN(10),
		aim: 1 + r.IntN(64), chunkBytes: 1 << 10,
	}
	return p
}

func allOf(p Plan) []int32 {
	all := make([]int32, len(p.Manifest))
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// TestShards: every small file is in one shard, no shard is larger than allowed, and equal input gives equal shards.
func TestShards(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 300 {
		p := randomPlan(t, r)
		files := allOf(p)
		before := slices.Clone(files)
		jobs := p.shards(files)
		if !slices.Equal(before, files) {
			t.Fatal("the argument was changed")
		}
		if diff := cmp.Diff(keysOf(jobs), keysOf(p.shards(files))); diff != "" {
			t.Fatalf("seed %d, round %d: two calls differ:\n%s", seed, round, diff)
		}
		var seen []int32
		for _, j := range jobs {
			seen = append(seen, j.files...)
			checkShard(t, p, j)
		}
		slices.Sort(seen)
		want := slices.DeleteFunc(files, func(i int32) bool { return p.Manifest[i].Size > p.limits.rangeAbove })
		if !slices.Equal(want, seen) {
			t.Fatalf("seed %d, round %d: files %v, want %v", seed, round, seen, want)
		}
	}
}

func checkShard(t *testing.T, p Plan, j *job) {
	t.Helper()
	dirs := map[string]bool{}
	size := int64(0)
	for _, i := range j.files {
		dirs[path.Dir(p.Manifest[i].Path)] = true
		size += p.Manifest[i].Size
	}
	if len(j.files) > 1 && size > max(p.limits.shardBytes, 1) || len(j.files) > p.limits.shardFiles || len(dirs) > p.limits.shardDirs || len(j.files) == 0 {
		t.Errorf("a shard of %d files, %d bytes and %d directories; limits %+v", len(j.files), size, len(dirs), p.limits)
	}
	if j.payload != size || j.id != digest(sumsOf(p.Manifest, j.files)) || j.kind != frameShard {
		t.Errorf("job %+v", j)
	}
	checkGroups(t, p, j.files)
}

// checkGroups: the numbers of files in a row add up, and each row is of one directory.
func checkGroups(t *testing.T, p Plan, files []int32) {
	t.Helper()
	at := 0
	previous := ""
	for text := range strings.SplitSeq(groups(p.Manifest, files), ",") {
		n := 0
		if _, err := fmt.Sscan(text, &n); err != nil || n < 1 || at+n > len(files) {
			t.Fatalf("groups %q of %d files", groups(p.Manifest, files), len(files))
		}
		dir := path.Dir(p.Manifest[files[at]].Path)
		for _, i := range files[at : at+n] {
			if path.Dir(p.Manifest[i].Path) != dir {
				t.Fatalf("a group of %q has %q", dir, p.Manifest[i].Path)
			}
		}
		if dir == previous {
			t.Errorf("two groups of %q", dir)
		}
		previous, at = dir, at+n
	}
	if at != len(files) {
		t.Errorf("groups of %d files, want %d", at, len(files))
	}
}

func keysOf(jobs []*job) []string {
	var all []string
	for _, j := range jobs {
		all = append(all, j.key())
	}
	return all
}

// TestStandardShards: the usual limits are those of the protocol.
func TestStandardShards(t *testing.T) {
	t.Parallel()
	var m dataset.Manifest
	for i := range 30_000 {
		m = append(m, dataset.File{Path: fmt.Sprintf("images/%05d.png", i), Size: 50 << 10})
	}
	p, err := NewPlan("cats", m, DefaultRoot)
	if err != nil {
		t.Fatal(err)
	}
	jobs := p.shards(allOf(p))
	for _, j := range jobs {
		if j.payload > 16<<20 || len(j.files) > 4000 {
			t.Errorf("%d files, %d bytes", len(j.files), j.payload)
		}
	}
	if len(jobs) < standardLimits().aim {
		t.Errorf("%d shards", len(jobs))
	}
}

// TestSortedSums: what the receipts of all shards amount to, however they were cut and in whatever order they came.
func TestSortedSums(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		p := randomPlan(t, r)
		var lines []string
		for _, i := range allOf(p) {
			lines = append(lines, string(appendSum(nil, p.Manifest[i])))
		}
		r.Shuffle(len(lines), func(a, b int) { lines[a], lines[b] = lines[b], lines[a] })
		slices.Sort(lines)
		if want := digest([]byte(strings.Join(lines, ""))); sortedSums(p.Manifest) != want {
			t.Fatalf("got %s, want %s", sortedSums(p.Manifest), want)
		}
	}
}
