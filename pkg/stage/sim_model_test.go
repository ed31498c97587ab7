//go:build unix

package stage

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

const (
	modelOwner = "00000001-aaaa"
	otherOwner = "00000002-bbbb"
)

// modelSession is one session of a frame script: the words of its task, and what it reads.
type modelSession struct {
	words []string
	stdin string
	// put are files that appear before it; "" is removed.
	put map[string]string
}

// frames makes what a worker writes.
type frames struct {
	t    *testing.T
	plan Plan
	data *simData
}

func (f frames) head(line string, more ...string) string {
	return strings.Join(append([]string{line, line}, more...), "\n") + "\n"
}

// shard is the frame of files, and its id.
func (f frames) shard(packed bool, files ...int32) (frame, id string) {
	var body bytes.Buffer
	id = digest(sumsOf(f.plan.Manifest, files))
	codec := "raw"
	var out io.Writer = &body
	if packed {
		codec = "gz"
		z := gzip.NewWriter(&body)
		defer func() { _ = z.Close() }()
		out = z
	}
	if err := packShard(f.t.Context(), f.plan.Manifest, files, f.data.source, out, make([]byte, 512)); err != nil {
		f.t.Fatal(err)
	}
	if z, ok := out.(*gzip.Writer); ok {
		_ = z.Close()
	}
	return f.sealed(fmt.Sprintf("S %s %s %s %d 1", id, groups(f.plan.Manifest, files), codec, body.Len()), id, body.String()), id
}

func (f frames) sealed(head, id, body string) string { return f.head(head) + body + "E " + id + "\n" }

// links takes files from a source, under the names that they have there.
func (f frames) links(nonce string, serial int, source string, files ...int32) string {
	j := &job{files: files, source: source}
	for _, i := range files {
		j.links = append(j.links, f.plan.Manifest[i].Path)
	}
	var body bytes.Buffer
	if err := packLinks(f.plan.Manifest, j, fmt.Sprintf(".%s.push/in-%s-%d", f.plan.TreeID, nonce, serial), &body); err != nil {
		f.t.Fatal(err)
	}
	id := digest(sumsOf(f.plan.Manifest, files))
	return f.sealed(fmt.Sprintf("L %s %s raw %d 1", id, groups(f.plan.Manifest, files), body.Len()), id, body.String())
}

func (f frames) copies(source string, files ...int32) string {
	sums := string(sumsOf(f.plan.Manifest, files))
	id := digest([]byte(sums))
	return f.sealed(fmt.Sprintf("C %s %s raw %d 1 %s", id, groups(f.plan.Manifest, files), len(sums), source), id, sums)
}

// ranges are all ranges of a big file.
func (f frames) ranges(index int32, codec string) string {
	b := newBigFile(f.data.source, f.plan, index)
	content := f.data.contents[f.plan.Manifest[index].SHA256]
	text := ""
	for n := range b.ranges() {
		part := content[b.offset(n):][:b.length(n)]
		body, kind := string(part), codec
		switch {
		case codec == "zero" && isZero(part):
			body = ""
		case codec == "zero":
			kind = "raw"
		case codec == "gz":
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			_, _ = z.Write(part)
			_ = z.Close()
			body = packed.String()
		}
		head := fmt.Sprintf("R %s %d %d %s %s:%d", b.id, b.offset(n), len(part), digest(part), kind, len(body))
		text += f.sealed(head, b.id, body)
	}
	return text
}

func (f frames) whole(index int32, more string) string {
	b := newBigFile(f.data.source, f.plan, index)
	return f.head(fmt.Sprintf("F %s %d %d%s", b.id, b.file.Size, b.ranges(), more), b.line)
}

func (f frames) publish() string {
	return f.head("P " + strings.Join(f.plan.totals(), " ") + " " + sortedSums(f.plan.Manifest))
}

// everything sends all files.
func (f frames) everything() string {
	text := ""
	var small []int32
	for i, file := range f.plan.Manifest {
		if file.Size > f.plan.limits.rangeAbove {
			text += f.ranges(int32(i), []string{"raw", "gz", "zero"}[i%3]) + f.whole(int32(i), "")
		} else {
			small = append(small, int32(i))
		}
	}
	for n, part := range f.plan.cut(small, 4096, 8) {
		frame, _ := f.shard(n%2 == 0, part...)
		text += frame
	}
	return text
}

func (f frames) lead(stdin string) modelSession {
	return modelSession{words: append([]string{"worker", "lead"}, f.plan.totals()...), stdin: stdin}
}

func join(stdin string) modelSession {
	return modelSession{words: []string{"worker", "join"}, stdin: stdin}
}

// spoiled changes a byte in the middle.
func spoiled(text string) string {
	b := []byte(text)
	b[len(b)/2] ^= 1
	return string(b)
}

// modelCases are frame scripts: the usual way, and everything that is refused.
func modelCases(f frames) map[string][]modelSession {
	big := int32(slices.IndexFunc(f.plan.Manifest, func(x dataset.File) bool { return x.Size > f.plan.limits.rangeAbove }))
	whole := newBigFile(nil, f.plan, big)
	bigID, receipt := whole.id, fmt.Sprintf("0.%d.%s", whole.length(0), digest(f.data.contents[whole.file.SHA256][:whole.length(0)]))
	first, id := f.shard(false, 1, 2, 3)
	older := strings.Repeat("0", 16)
	work := "." + f.plan.TreeID + ".push/"
	tree := map[string]string{older + ".sha256": ""}
	sums := ""
	for _, i := range []int32{1, 2, 3} {
		tree[older+"/"+f.plan.Manifest[i].Path] = string(f.data.contents[f.plan.Manifest[i].SHA256])
		sums += string(sumsOf(f.plan.Manifest, []int32{i}))
	}
	tree[older+".sha256"] = sums
	torn := map[string]string{older + ".sha256": sums}
	other := map[string]string{work + "lock/" + otherOwner + ".cc": "x", work + "tree/x": "y"}
	return map[string][]modelSession{
		"publish":         {f.lead(f.everything() + f.publish())},
		"publish again":   {f.lead(f.everything() + f.publish() + f.publish()), f.lead(""), join(f.publish())},
		"in two":          {f.lead(f.everything()), f.lead(f.head("G .") + f.publish())},
		"too early":       {f.lead(first + f.publish())},
		"nothing":         {f.lead(""), f.lead(f.head("Q"))},
		"cut in the body": {f.lead(first[:len(first)/2])},
		"cut in the head": {f.lead(first[:20]), f.lead(f.head("G ."))},
		"cut in the seal": {f.lead(first[:len(first)-3])},
		"spoiled body":    {f.lead(spoiled(first) + first)},
		"spoiled range":   {f.lead(spoiled(f.ranges(big, "raw")))},
		"heads differ":    {f.lead("H\nh\n")},
		"no frame":        {f.lead(f.head("Z"))},
		"empty line":      {f.lead("\n\n")},
		"wrong sums":      {f.lead(f.sealed("S "+strings.Repeat("a", 64)+" 1 raw 3 1", strings.Repeat("a", 64), "abc") + first)},
		"no groups":       {f.lead(f.sealed("S "+id+" x raw 3 1", id, "abc"))},
		"twice":           {f.lead(first + first), f.lead(first)},
		"ranges again":    {f.lead(f.ranges(big, "gz")), f.lead(f.head("G .") + f.ranges(big, "raw") + f.whole(big, " check") + f.whole(big, ""))},
		"whole too early": {f.lead(f.whole(big, "")), f.lead(f.ranges(big, "zero") + f.whole(big, ""))},
		"damaged range": {
			f.lead(f.ranges(big, "raw")),
			{words: f.lead("").words, stdin: f.whole(big, " check"), put: map[string]string{work + "big/" + newBigFile(nil, f.plan, big).id + "/data": strings.Repeat("x", int(f.plan.Manifest[big].Size))}},
		},
		"links":              {{words: f.lead("").words, put: tree, stdin: f.head("G "+older) + f.links("a1", 1, older, 1, 2, 3)}},
		"links into nothing": {{words: f.lead("").words, put: torn, stdin: f.head("G "+older) + f.links("a1", 1, older, 1, 2, 3) + f.copies(older, 1, 2, 3) + first}},
		"copies":             {{words: f.lead("").words, put: tree, stdin: f.copies(older, 1, 2, 3)}},
		"copies of nothing":  {f.lead(f.copies(older, 1, 2, 3))},
		"copies from above":  {f.lead(f.copies("..", 1, 2, 3))},
		"sums from above":    {f.lead(f.head("G ../../x"))},
		"outcomes": {
			f.lead(first + f.ranges(big, "raw") + f.head("O "+id+" ff") + f.head("O "+strings.Repeat("b", 64)+" ff") + f.head("O x ff")), join(f.head("O " + bigID + " a1 " + receipt)),
		},
		"salvaged":           {f.lead(first[:len(first)-1200]), f.lead(f.head("O "+id+" a1") + f.head("G .") + f.everything() + f.publish())},
		"evicted":            {{words: []string{"worker", "join", otherOwner}, put: other, stdin: first}, {words: []string{"worker", "join", "*"}}},
		"held":               {{words: f.lead("").words, put: other, stdin: f.head("W "+strings.Join(f.plan.totals(), " ")) + f.head("K "+otherOwner) + first}},
		"held, joined":       {{words: []string{"worker", "join"}, put: other}},
		"kill nobody":        {f.lead(f.head("K *"))},
		"thrown away":        {f.lead(first + f.head("X") + f.head("G .")), f.lead(f.head("G ."))},
		"signs of life":      {f.lead(f.head("H") + f.head("H"))},
		"damaged tree":       {{words: f.lead("").words, put: map[string]string{f.plan.TreeID + "/x": "y"}, stdin: f.everything() + f.publish()}},
		"a claimed tree":     {f.lead(f.everything()), {words: f.lead("").words, put: map[string]string{work + "in-9-1/tree/x": "y"}, stdin: f.publish()}},
		"something too much": {f.lead(f.everything()), {words: f.lead("").words, put: map[string]string{work + "tree/too much": "y"}, stdin: f.publish()}},
		"something missing": {
			f.lead(f.everything()),
			{words: f.lead("").words, put: map[string]string{work + "tree/" + f.plan.Manifest[0].Path: ""}, stdin: f.publish()},
		},
		"record": {
			f.lead(f.everything() + f.publish()),
			{words: []string{"record", "-", `{"key":"a"}`}},
			{words: []string{"record", "-", `{"key":"b"}`}},
			{words: []string{"record", "a", `{"key":"b"}`}},
			f.lead(""),
			{words: []string{"remove", "a"}},
			{words: []string{"remove", "b"}},
		},
		"left behind":       {f.lead(f.everything() + f.publish()), {words: f.lead("").words, put: map[string]string{work + "lock/" + otherOwner + ".1": "x"}}},
		"clean":             {f.lead(first), {words: []string{"clean", "." + f.plan.TreeID + ".push", ".trash-ab-1"}, put: map[string]string{".trash-ab-1/x": "y"}}},
		"clean what is not": {{words: []string{"clean", "x"}, put: map[string]string{"x": "y"}}},
		"what others left": {
			{words: f.lead("").words, put: map[string]string{".aaaaaaaaaaaaaaaa.push/lock/" + otherOwner + ".1": "x", ".trash-ab-1/x": "y", "bbbbbbbbbbbbbbbb.sha256": "z", older + "/x": "y"}},
		},
	}
}

// TestModel holds the model of the other side against the script: the same frames get the same answers, and leave the same files.
func TestModel(t *testing.T) {
	t.Parallel()
	data := newSimData(t)
	for name := range modelCases(frames{t, data.plan(t, newSimDice(3, 3), 0.6), data}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, busybox(t, busyboxes(t)[0]))
			f := frames{t, data.plan(t, newSimDice(3, 3), 0.6), data}
			f.plan.Root = l.root()
			vol := newSimVolume()
			vol.broken = t.Errorf
			_ = vol.mkdirAll(nil, l.root())
			for n, s := range modelCases(f)[name] {
				compareSession(t, l, vol, f, fmt.Sprintf("a%d", n+1), s)
			}
		})
	}
}

func compareSession(t *testing.T, l *local, vol *simVolume, f frames, nonce string, s modelSession) {
	t.Helper()
	dir := filepath.Join(l.root(), f.plan.Table)
	for name, content := range s.put {
		putBoth(t, vol, filepath.Join(dir, name), content)
	}
	words := append([]string{s.words[0], f.plan.Root, f.plan.Table, f.plan.TreeID, modelOwner, nonce}, s.words[1:]...)
	var real, model bytes.Buffer
	_ = l.Exec(t.Context(), podio.Target{}, command(words...), strings.NewReader(s.stdin), &real, io.Discard)
	feed := newSimFeed(1 << 30)
	feed.give([]byte(s.stdin))
	feed.end(0)
	lines := make(chan string, 1000)
	p := newSimProcess(vol, words, feed, func(line string) bool { lines <- line; return true })
	p.run()
	p.running.Wait()
	close(lines)
	for line := range lines {
		model.WriteString(line + "\n")
	}
	if diff := cmp.Diff(meaning(nonce, real.String()), meaning(nonce, model.String())); diff != "" {
		t.Errorf("session %s: answers (-script +model):\n%s\nthe script said\n%s", nonce, diff, real.String())
	}
	there := map[string]string{}
	for _, file := range vol.files(nil, dir) {
		there[file.path] = brief(string(file.data))
	}
	left := map[string]string{}
	for name, content := range contents(t, dir) {
		left[name] = brief(content)
	}
	if diff := cmp.Diff(left, there); diff != "" {
		t.Errorf("session %s: files (-script +model):\n%s", nonce, diff)
	}
}

// brief keeps a difference readable.
func brief(content string) string {
	return fmt.Sprintf("%d bytes, %.12s", len(content), digest([]byte(content)))
}

// putBoth makes a file on both sides, or removes it.
func putBoth(t *testing.T, vol *simVolume, name, content string) {
	t.Helper()
	if content == "" {
		vol.remove(nil, name)
		_ = os.Remove(name)
		return
	}
	_ = vol.mkdirAll(nil, filepath.Dir(name))
	if node, err := vol.open(nil, name, true); err != nil || vol.writeAt(node, []byte(content), 0) != nil {
		t.Fatal(name, err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// meaning is what the answers of a session say, without what differs between machines.
func meaning(nonce, output string) []string {
	var all []string
	var packed []byte
	for line := range strings.Lines(output) {
		a, ok := parseAnswer(nonce, strings.TrimSuffix(line, "\n"))
		if !ok {
			continue
		}
		text := a.verb
		switch a.verb {
		case ansBeat, ansSpace, ansInodes, ansDest:
			continue
		case ansHave:
			piece, _ := base64.StdEncoding.DecodeString(a.field(0))
			packed = append(packed, piece...)
			continue
		case ansError:
			text += " " + a.field(0) + " " + strings.Replace(a.field(1), "unpack", "checksum", 1) // tools differ in what they notice
		case ansRecord:
			text += " " + a.text(0)
		default:
			text += " " + strings.TrimSpace(strings.Join(a.fields, " "))
		}
		all = append(all, text)
	}
	for line := range strings.Lines(unpacked(packed)) {
		all = append(all, "HAVE "+line)
	}
	slices.Sort(all)
	return all
}

func unpacked(packed []byte) string {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return ""
	}
	all, _ := io.ReadAll(z)
	return string(all)
}
