package stage

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

const (
	// maxSources bounds how many older trees are asked, the unfinished ones among them.
	maxSources = 8
	// maxSums bounds what one source may say, in bytes of text.
	maxSums = 256 << 20
	// own is the work directory of the plan itself.
	own = "."
)

// survey finds out which files of the manifest the volume has already.
type survey struct {
	plan    Plan
	m       dataset.Manifest
	there   []bool           // by file: verified in the work directory
	claimed []bool           // by file: there, or in a job of links
	big     map[string]int64 // sizes of the files that travel in ranges, by id
	ranges  map[string]map[int64]string
	links   map[int32]string     // the files that the source has, and its names for them
	bySum   map[[32]byte][]int32 // made with the first other source
	jobs    []*job               // of links
	files   int64                // there
	bytes   int64
}

func newSurvey(p Plan) *survey {
	m := p.Manifest
	big := map[string]int64{}
	for _, f := range m {
		if f.Size > p.limits.rangeAbove {
			big[digest(appendSum(nil, f))] = f.Size
		}
	}
	return &survey{
		plan: p, m: m, big: big, there: make([]bool, len(m)), claimed: make([]bool, len(m)),
		ranges: map[string]map[int64]string{}, links: map[int32]string{},
	}
}

// ask reads what a source has. A source that is not there any more, or talks nonsense, has nothing.
func (y *survey) ask(s *session, plan Plan, source string) error {
	_, err := s.listen(plan, "G "+source, func(line []byte) {
		if source == own {
			y.noteOwn(line)
		} else {
			y.noteOther(line)
		}
	})
	y.flush(source)
	return err
}

// listen sends a frame that is answered with lines of text, compressed, and hands them on; done tells whether DONE was among the answers.
// line is not called any more when it returns.
func (s *session) listen(plan Plan, frame string, line func([]byte)) (done bool, err error) {
	if err := s.head(frame); err != nil {
		return false, &SessionError{Err: err}
	}
	in, out := io.Pipe()
	read := make(chan struct{})
	go func() {
		defer close(read)
		eachLine(in, line)
		_ = in.Close()
	}()
	said := 0
	err = s.read(plan, func(a answer) (bool, error) {
		switch a.verb {
		case ansDone:
			done = true
		case ansHave:
			if said += len(a.field(0)); said > maxSums {
				return false, &SessionError{Err: errProtocol}
			}
			piece, err := base64.StdEncoding.DecodeString(a.field(0))
			if err == nil {
				_, _ = out.Write(piece) // closed where the reader has had enough
			}
		case ansGot:
			return true, nil
		}
		return false, nil
	})
	_ = out.Close()
	<-read
	return done, err
}

// eachLine unpacks text as far as it makes sense.
func eachLine(in io.Reader, line func([]byte)) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return
	}
	lines := bufio.NewScanner(io.LimitReader(z, maxSums))
	lines.Buffer(make([]byte, 0, 8192), maxLine+maxPath)
	for lines.Scan() {
		line(lines.Bytes())
	}
}

// noteOwn takes in a line of the work directory: a sum, or a range "big/<id>/<offset>.<length>.<sha256>".
func (y *survey) noteOwn(line []byte) {
	if rest, found := strings.CutPrefix(string(line), "big/"); found {
		id, receipt, _ := strings.Cut(rest, "/")
		at, what, _ := strings.Cut(receipt, ".")
		offset, err := strconv.ParseInt(at, 10, 64)
		size, wanted := y.big[id]
		if err != nil || !wanted || offset < 0 || offset >= size || offset%y.plan.limits.rangeBytes != 0 || len(what) > 100 {
			return
		}
		if y.ranges[id] == nil {
			y.ranges[id] = map[int64]string{}
		}
		y.ranges[id][offset] = strings.Clone(what)
		return
	}
	sum, name, ok := parseSum(line)
	if !ok {
		return
	}
	i, found := slices.BinarySearchFunc(y.m, name, func(f dataset.File, name string) int { return strings.Compare(f.Path, name) })
	if !found || y.m[i].SHA256 != sum || y.there[i] {
		return
	}
	y.there[i], y.claimed[i] = true, true
	y.files++
	y.bytes += y.m[i].Size
}

// noteOther takes in a sum of another tree: whatever has this content can be linked to the file.
func (y *survey) noteOther(line []byte) {
	sum, name, ok := parseSum(line)
	if !ok || checkPath(name) != nil {
		return
	}
	if y.bySum == nil {
		y.bySum = make(map[[32]byte][]int32, len(y.m))
		for i, f := range y.m {
			y.bySum[f.SHA256] = append(y.bySum[f.SHA256], int32(i))
		}
	}
	for _, i := range y.bySum[sum] {
		if !y.claimed[i] {
			y.claimed[i] = true
			y.links[i] = name
		}
	}
}

// flush makes jobs of what the source has.
func (y *survey) flush(source string) {
	if len(y.links) == 0 {
		return
	}
	var same, other []int32
	for i, name := range y.links {
		if name == y.m[i].Path {
			same = append(same, i)
		} else {
			other = append(other, i)
		}
	}
	y.link(frameNames, source, same)
	y.link(frameLinks, source, other)
	clear(y.links)
}

func (y *survey) link(kind byte, source string, files []int32) {
	slices.Sort(files)
	for _, part := range y.plan.cut(files, math.MaxInt64, y.plan.limits.linkFiles) {
		j := &job{kind: kind, source: treeOf(source), files: part, id: digest(sumsOf(y.m, part)), payload: sizeOf(y.m, part)}
		for _, i := range part {
			j.links = append(j.links, y.links[i])
		}
		y.jobs = append(y.jobs, j)
	}
}

// treeOf is where the files of a source lie, relative to the directory of the table.
func treeOf(source string) string {
	if strings.HasPrefix(source, ".") {
		return source + "/tree"
	}
	return source
}

// sourceOf is the inverse of treeOf.
func sourceOf(tree string) string { return strings.TrimSuffix(tree, "/tree") }

// parseSum reads "<sha256 in hex>  ./<path>".
func parseSum(line []byte) (sum [32]byte, name string, ok bool) {
	const prefix = 2*32 + len("  ./")
	if len(line) <= prefix || !bytes.Equal(line[64:prefix], []byte("  ./")) {
		return sum, "", false
	}
	if _, err := hex.Decode(sum[:], line[:64]); err != nil {
		return sum, "", false
	}
	return sum, string(line[prefix:]), true
}

// missing are the files that have to be sent, as indices.
func (y *survey) missing() []int32 {
	var files []int32
	for i := range y.m {
		if !y.claimed[i] {
			files = append(files, int32(i))
		}
	}
	return files
}

// survey asks the work directory of the plan, then others, as long as something is missing.
func (t *transfer) look(_ context.Context, s *session, p Probe) (*survey, error) {
	y := newSurvey(t.plan)
	if t.fresh {
		return y, nil
	}
	sources := make([]string, 0, 1+len(p.Older)+len(p.Leftovers))
	if p.resumable {
		sources = append(sources, own)
	}
	sources = append(sources, p.Older...)
	for _, l := range p.Leftovers {
		if workName.MatchString(l.Name) {
			sources = append(sources, l.Name)
		}
	}
	for _, source := range sources[:min(len(sources), maxSources)] {
		if !slices.Contains(y.claimed, false) {
			break
		}
		if err := y.ask(s, t.plan, source); err != nil {
			return nil, err
		}
	}
	return y, nil
}
