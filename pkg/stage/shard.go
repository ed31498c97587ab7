package stage

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// limits say how a transfer is cut into jobs. They are the same for everybody, or equal data would be cut in different ways.
type limits struct {
	// A file above rangeAbove bytes travels in ranges of rangeBytes.
	rangeAbove, rangeBytes int64
	// A shard has at most shardBytes, and little work is cut into shards of no less than shardBytesMin, so that the sessions share it.
	shardBytes, shardBytesMin int64
	// A shard has at most shardFiles, one of links linkFiles, and either shardDirs directories: each costs some commands in the Pod.
	shardFiles, linkFiles, shardDirs int
	// aim is how many shards a transfer should have at least, where their sizes allow it: a cut costs one of each session at most, so
	// that three cuts of the default sessions cost less than a tenth.
	aim int
	// chunkBytes is how much of a file is read at once.
	chunkBytes int
}

func standardLimits() limits {
	return limits{
		rangeAbove: 16 << 20, rangeBytes: 8 << 20,
		shardBytes: 16 << 20, shardBytesMin: 2 << 20,
		shardFiles: 4000, linkFiles: 5000, shardDirs: 64,
		aim: 128, chunkBytes: 256 << 10,
	}
}

// sumsOf are the lines of the given files, as sha256sum -c reads them. The leading "./" keeps a file called "-" from meaning stdin, and
// a name that begins with a backslash from meaning an escape.
func sumsOf(m dataset.Manifest, files []int32) []byte {
	b := make([]byte, 0, 96*len(files))
	for _, i := range files {
		b = appendSum(b, m[i])
	}
	return b
}

func appendSum(b []byte, f dataset.File) []byte {
	b = hex.AppendEncode(b, f.SHA256[:])
	b = append(b, "  ./"...)
	b = append(b, f.Path...)
	return append(b, '\n')
}

// digest is the sha256 of text in hex, as sha256sum prints it.
func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// sortedSums is the digest of all lines of the manifest, sorted bytewise: what the receipts must amount to.
func sortedSums(m dataset.Manifest) string {
	order := make([]int32, len(m))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(slices.Compare(m[a].SHA256[:], m[b].SHA256[:]), strings.Compare(m[a].Path, m[b].Path))
	})
	h := sha256.New()
	line := make([]byte, 0, 256)
	for _, i := range order {
		line = appendSum(line[:0], m[i])
		_, _ = h.Write(line) // never fails (hash.Hash)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// job is a piece of work for a session.
type job struct {
	kind byte // of frame
	// files are indices into the manifest: those of a shard, or the one big file.
	files []int32
	// id names the job in frames and receipts: the sha256 of its sums.
	id      string
	payload int64    // bytes of files
	source  string   // the tree that has the files, relative to the directory of the table
	links   []string // the paths in source, of a shard of links
	big     *bigFile
	number  int // of a range

	wire   int64 // bytes that traveled, when it was sent last
	denied int   // how often the volume has refused it
}

// The kinds of frames that are jobs; script/worker.sh has the grammar.
const (
	frameShard = 'S'
	frameNames = 'N'
	frameLinks = 'L'
	frameCopy  = 'C'
	frameRange = 'R'
	frameWhole = 'F'
)

// flight is how many bytes of files travel with the job.
func (j *job) flight() int64 {
	if j.kind == frameShard || j.kind == frameRange {
		return j.payload
	}
	return 0
}

// key is what the acknowledgment of the job names.
func (j *job) key() string {
	if j.kind == frameRange {
		return j.id + "." + strconv.FormatInt(j.big.offset(j.number), 10)
	}
	return j.id
}

// shards cuts files, which are indices into the manifest in its order, into jobs; what travels in ranges is left out. It is a pure
// function: equal input, equal shards.
func (p Plan) shards(files []int32) []*job {
	m, l := p.Manifest, p.limits
	files = slices.DeleteFunc(slices.Clone(files), func(i int32) bool { return m[i].Size > l.rangeAbove })
	limit := min(l.shardBytes, max(l.shardBytesMin, sizeOf(m, files)/int64(l.aim)))
	most := min(l.shardFiles, max(l.shardFiles/16, (len(files)+l.aim-1)/l.aim))
	parts := p.cut(files, limit, most)
	all := make([]*job, len(parts))
	for n, part := range parts {
		all[n] = shardOf(m, part)
	}
	return all
}

// cut brings files of one directory together, which a manifest that is sorted by path does not do, and cuts what it gets into parts of
// no more than limit bytes, most files and shardDirs directories; a single file may be larger. It reorders files.
func (p Plan) cut(files []int32, limit int64, most int) [][]int32 {
	m := p.Manifest
	slices.SortStableFunc(files, func(a, b int32) int { return strings.Compare(path.Dir(m[a].Path), path.Dir(m[b].Path)) })
	var parts [][]int32
	from, size, dirs := 0, int64(0), 0
	for n, i := range files {
		opens := n == from || path.Dir(m[i].Path) != path.Dir(m[files[n-1]].Path)
		if n > from && (size+m[i].Size > limit || n-from >= most || opens && dirs >= p.limits.shardDirs) {
			parts = append(parts, files[from:n:n])
			from, size, dirs, opens = n, 0, 0, true
		}
		if opens {
			dirs++
		}
		size += m[i].Size
	}
	if from < len(files) {
		parts = append(parts, files[from:])
	}
	return parts
}

func sizeOf(m dataset.Manifest, files []int32) (total int64) {
	for _, i := range files {
		total += m[i].Size
	}
	return total
}

// groups says how many files in a row share a directory: "320" or "100,220".
func groups(m dataset.Manifest, files []int32) string {
	var b []byte
	n := 0
	for k, i := range files {
		if k > 0 && path.Dir(m[i].Path) != path.Dir(m[files[k-1]].Path) {
			b = append(strconv.AppendInt(b, int64(n), 10), ',')
			n = 0
		}
		n++
	}
	return string(strconv.AppendInt(b, int64(n), 10))
}
