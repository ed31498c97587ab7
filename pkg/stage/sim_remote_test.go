package stage

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// simBlock is the block of the model's dd.
const simBlock = 1 << 10

func (p *simProcess) worker() {
	if p.more[0] == "lead" {
		if p.look(p.more[1], p.more[2]) != "present" {
			p.join()
		}
	} else {
		p.join()
	}
	p.say("READY", p.nonce)
	for p.next() {
		p.alive()
		if p.now.verb == "Q" {
			break
		}
		p.frame()
	}
}

func (p *simProcess) frame() {
	f := p.now
	switch f.verb {
	case "S", "L", "C":
		p.shard()
	case "R":
		p.rangeOf()
	case "F":
		p.whole()
	case "G":
		p.give()
	case "P":
		p.publish()
	case "H":
		if p.member != "" {
			_ = p.write(nil, p.member, strconv.Itoa(p.serial)+f.id)
		}
	case "W":
		if p.published(f.id, f.a) {
			p.say("TREE", p.nonce, "present")
		} else {
			p.join()
		}
	case "K":
		if f.id == "" || strings.Trim(f.id, "0123456789abcdef-") != "" {
			p.refuse("frame", f.verb)
		}
		for _, name := range p.vol.names(nil, p.work+"/lock") {
			if strings.HasPrefix(name, f.id+".") {
				p.step()
				p.vol.remove(nil, p.work+"/lock/"+name)
			}
		}
		_ = p.vol.rmdir(nil, p.work+"/lock")
		p.join()
	case "X":
		p.settle()
		p.discard(tail1(p.work))
		p.join()
	default:
		p.refuse("frame", f.verb)
	}
}

func (p *simProcess) shard() {
	f := &p.now
	if !isSum(f.id) || !isNumber(f.c) || f.a == "" || strings.Trim(f.a, "0123456789,") != "" {
		p.refuse("frame", f.verb)
	}
	p.serial++
	f.in = fmt.Sprintf("%s/in-%s-%d", p.work, p.nonce, p.serial)
	p.step()
	if err := errors.Join(p.vol.mkdir(nil, f.in), p.vol.mkdir(nil, f.in+"/tree")); err != nil {
		p.refuse("write", err.Error())
	}
	if f.verb == "C" {
		if f.d == "" || f.d == "." || f.d == ".." || strings.Contains(f.d, "/") {
			p.refuse("frame", f.verb)
		}
		if strings.HasPrefix(f.d, ".") {
			f.d += "/tree"
		}
	}
	body := p.body(number(f.c))
	switch f.verb {
	case "S":
		f.report = p.extract(f.in, body)
	case "L":
		f.report = p.extract(p.dir, body)
	case "C":
		f.report = p.copy(body)
	}
	p.sealed()
	p.settle()
	p.background(p.check)
}

func decode(codec string, body []byte) ([]byte, error) {
	if codec != "gz" {
		return body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// extract is tar -x in a directory.
func (p *simProcess) extract(into string, body []byte) string {
	p.step()
	data, err := decode(p.now.b, body)
	report := ""
	if err != nil {
		report = "gzip: " + err.Error()
	}
	archive := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := archive.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				report += "tar: " + err.Error()
			}
			return report
		}
		name := into + "/" + h.Name
		if strings.Contains("/"+h.Name+"/", "/../") {
			return report + "tar: name not safe"
		}
		err = p.vol.mkdirAll(nil, path.Dir(name))
		switch {
		case err != nil:
		case h.Typeflag == tar.TypeLink:
			err = p.vol.link(nil, into+"/"+h.Linkname, name)
		case h.Typeflag == tar.TypeReg:
			content, short := io.ReadAll(archive)
			p.vol.remove(nil, name)
			node, failed := p.vol.open(nil, name, true)
			if err = errors.Join(failed, short); failed == nil {
				err = errors.Join(err, p.vol.writeAt(node, content, 0))
			}
		}
		if err != nil {
			report += "tar: " + h.Name + ": " + err.Error() + "\n"
		}
	}
}

// copy is a tar of the files of the sums, from another tree.
func (p *simProcess) copy(body []byte) string {
	f := &p.now
	sums, err := decode(f.b, body)
	if err := errors.Join(err, p.write(nil, f.in+"/sums", string(sums))); err != nil {
		return err.Error()
	}
	for _, line := range sumLines(sums) {
		content, err := p.vol.read(nil, p.dir+"/"+f.d+"/"+line.name)
		if err != nil {
			continue
		}
		name := f.in + "/tree/" + line.name
		if err := p.vol.mkdirAll(nil, path.Dir(name)); err != nil {
			return err.Error()
		}
		if err := p.write(nil, name, string(content)); err != nil {
			return err.Error()
		}
	}
	return ""
}

type sumLine struct{ sum, name string }

func sumLines(sums []byte) []sumLine {
	var all []sumLine
	for line := range strings.Lines(string(sums)) {
		line = strings.TrimSuffix(line, "\n")
		if len(line) > 68 {
			all = append(all, sumLine{sum: line[:64], name: line[68:]})
		}
	}
	return all
}

func (p *simProcess) deny(f frameLine, step, text string) {
	p.say("ERR", p.nonce, f.id, step, simHex(text))
	p.remove(f.in)
	panic(simExit{})
}

func (p *simProcess) check(f frameLine) {
	sums, err := p.vol.read(nil, f.in+"/sums")
	if err != nil || digest(sums) != f.id {
		text := f.report
		if text == "" {
			text = "the sums of the shard did not arrive whole"
		}
		p.deny(f, "unpack", text)
	}
	here := p.vol.find(nil, f.in+"/tree")
	if here == nil {
		p.deny(f, "lost", f.in+"/tree cannot be entered")
	}
	if f.verb != "L" {
		bad := ""
		for _, line := range sumLines(sums) {
			content, err := p.vol.read(here, line.name)
			if err != nil || digest(content) != line.sum {
				bad += line.name + ": FAILED\n"
			}
		}
		p.step()
		if bad != "" {
			if f.report != "" {
				p.deny(f, "unpack", f.report)
			}
			p.deny(f, "checksum", bad)
		}
	} else if f.report != "" {
		p.deny(f, "link", f.report)
	}
	if err := p.place(f, here, sumLines(sums)); err != nil {
		p.deny(f, "write", err.Error())
	}
	p.step()
	if err := p.vol.rename(here, "../sums", p.work+"/done/"+f.id); err != nil {
		p.deny(f, "write", err.Error())
	}
	p.say("OK", p.nonce, f.id)
	p.remove(f.in)
}

func (p *simProcess) place(f frameLine, here *simInode, lines []sumLine) error {
	from := 0
	for n := range strings.SplitSeq(f.a, ",") {
		group := lines[min(from, len(lines)):min(from+int(number(n)), len(lines))]
		to := "../../tree/"
		if len(group) > 0 {
			to += path.Dir(group[0].name)
		}
		p.step()
		if err := p.vol.mkdirAll(here, to); err != nil {
			return err
		}
		for _, line := range group {
			p.step()
			if err := p.vol.rename(here, line.name, to+"/"+path.Base(line.name)); err != nil {
				return err
			}
		}
		from += int(number(n))
	}
	return nil
}

// dd writes blocks to an open file, as they come.
func (p *simProcess) dd(name string, offset int64, data func() []byte) error {
	node, err := p.vol.open(nil, name, false)
	if err != nil {
		return err
	}
	for block := data(); len(block) > 0; block = data() {
		p.step()
		if err := p.vol.writeAt(node, block, offset); err != nil {
			for len(data()) > 0 { // the rest of the frame is read all the same
			}
			return err
		}
		offset += int64(len(block))
	}
	return nil
}

func (p *simProcess) rangeOf() {
	f := &p.now
	codec, size, _ := strings.Cut(f.d, ":")
	if !isSum(f.id) || !isNumber(f.a) || !isNumber(f.b) || !isSum(f.c) || !isNumber(size) {
		p.refuse("frame", f.verb)
	}
	f.in = p.work + "/big/" + f.id
	p.step()
	err := p.vol.mkdirAll(nil, f.in)
	if err == nil {
		_, err = p.vol.open(nil, f.in+"/data", false)
	}
	if err != nil {
		p.refuse("write", err.Error())
	}
	left := number(size)
	switch codec {
	case "raw":
		err = p.dd(f.in+"/data", number(f.a), func() []byte {
			block := p.body(min(left, simBlock))
			left -= int64(len(block))
			return block
		})
	case "gz":
		data, bad := decode("gz", p.body(left))
		if bad != nil && len(data) > 0 {
			data = data[:len(data)-1]
		}
		err = p.dd(f.in+"/data", number(f.a), func() []byte {
			block := data[:min(len(data), simBlock)]
			data = data[len(block):]
			return block
		})
	case "zero":
		one := []byte{0}
		err = p.dd(f.in+"/data", number(f.a)+number(f.b)-1, func() []byte {
			block := one
			one = nil
			return block
		})
	default:
		p.refuse("frame", f.verb)
	}
	if err != nil {
		p.refuse("write", err.Error())
	}
	p.sealed()
	p.settle()
	p.background(p.checkRange)
}

func (p *simProcess) checkRange(f frameLine) {
	p.step()
	content, _ := p.vol.read(nil, f.in+"/data")
	size := int64(len(content))
	from, to := min(number(f.a), size), min(number(f.a)+number(f.b), size)
	if digest(content[from:max(from, to)]) != f.c {
		p.say("ERR", p.nonce, f.id+"."+f.a, "checksum", simHex("the range at "+f.a+" differs"))
		return
	}
	p.step()
	if _, err := p.vol.open(nil, f.in+"/"+f.a+"."+f.b+"."+f.c, true); err != nil {
		p.say("ERR", p.nonce, f.id+"."+f.a, "write", simHex(err.Error()))
		return
	}
	p.say("OK", p.nonce, f.id+"."+f.a)
}

func (p *simProcess) whole() {
	f := &p.now
	line, whole := p.in.line()
	if !whole {
		p.refuse("cut", "the frame of "+f.id+" is incomplete")
	}
	name := strings.TrimPrefix(line[min(len(line), 66):], "./")
	if !isNumber(f.a) || !isNumber(f.b) || digest([]byte(line+"\n")) != f.id {
		p.refuse("frame", f.verb)
	}
	p.settle()
	f.in = p.work + "/big/" + f.id
	p.step()
	if p.vol.find(nil, p.work+"/done/"+f.id) == nil {
		receipts := 0
		for _, name := range p.vol.names(nil, f.in) {
			if name != "data" {
				receipts++
			}
		}
		content, err := p.vol.read(nil, f.in+"/data")
		p.step()
		if err != nil || strconv.Itoa(receipts) != f.b || strconv.Itoa(len(content)) != f.a {
			p.remove(f.in)
			p.say("ERR", p.nonce, f.id, "lost", simHex("ranges of a file are missing"))
			return
		}
		if err := p.assemble(f.in, line, name, f.id); err != nil {
			p.say("ERR", p.nonce, f.id, "write", simHex(err.Error()))
			return
		}
	}
	p.remove(f.in)
	p.say("OK", p.nonce, f.id)
}

func (p *simProcess) assemble(in, line, name, id string) error {
	if err := p.vol.mkdirAll(nil, path.Dir(p.work+"/tree/"+name)); err != nil {
		return err
	}
	if err := p.write(nil, in+"/sums", line+"\n"); err != nil {
		return err
	}
	p.step()
	if err := p.vol.rename(nil, in+"/data", p.work+"/tree/"+name); err != nil {
		return err
	}
	p.step()
	return p.vol.rename(nil, in+"/sums", p.work+"/done/"+id)
}

// receipts are all lines of the receipts of a work directory, in the order of the directory.
func (p *simProcess) receipts(work string) []byte {
	var text []byte
	for _, name := range p.vol.names(nil, work+"/done") {
		sums, _ := p.vol.read(nil, work+"/done/"+name)
		text = append(text, sums...)
	}
	return text
}

func (p *simProcess) give() {
	source := p.dir + "/" + p.now.id
	switch {
	case p.now.id == ".":
		source = p.work
	case !workName.MatchString(p.now.id) && !treeName.MatchString(p.now.id):
		p.refuse("frame", p.now.verb)
	}
	p.settle()
	p.hushed.Store(true)
	p.step()
	var text []byte
	if treeName.MatchString(p.now.id) {
		text = p.sumsOfTree(source)
	} else {
		text = p.receipts(source)
		if p.now.id == "." {
			for _, id := range p.vol.names(nil, source+"/big") {
				for _, name := range p.vol.names(nil, source+"/big/"+id) {
					if name != "data" {
						text = append(text, "big/"+id+"/"+name+"\n"...)
					}
				}
			}
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(text)
	_ = z.Close()
	for piece := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(packed.Bytes())), 3000) {
		p.say("HAVE", p.nonce, string(piece))
	}
	p.say("GOT", p.nonce)
	p.hushed.Store(false)
}

// sumsOfTree gives nothing when a file is newer than the sums.
func (p *simProcess) sumsOfTree(tree string) []byte {
	sums := p.vol.find(nil, tree+".sha256")
	if sums == nil || p.vol.find(nil, tree) == nil {
		return nil
	}
	for _, f := range p.vol.files(nil, tree) {
		if f.at.After(sums.mtime.Truncate(time.Second).Add(time.Second - 1)) {
			return nil
		}
	}
	text, _ := p.vol.read(nil, tree+".sha256")
	return text
}

func (p *simProcess) drop(step, text string) {
	p.say("ERR", p.nonce, "-", step, simHex(text))
}

func (p *simProcess) publish() {
	f := p.now
	if !isNumber(f.id) || !isNumber(f.a) || !isSum(f.b) {
		p.refuse("frame", f.verb)
	}
	p.settle()
	if p.vol.find(nil, p.work+"/tree") == nil {
		if p.published(f.id, f.a) {
			p.finish()
		} else {
			p.drop("lost", p.work+" is gone")
		}
		return
	}
	mine := p.work + "/in-" + p.nonce + "-sums"
	lines := slices.Sorted(strings.Lines(string(p.receipts(p.work))))
	made := "the receipts are not those of the manifest"
	if err := p.write(nil, mine, strings.Join(slices.Compact(lines), "")); err != nil {
		made = err.Error()
	}
	if sums, _ := p.vol.read(nil, mine); digest(sums) != f.b {
		p.drop("checksum", made)
		return
	}
	if files, bytes := p.size(p.work + "/tree"); fmt.Sprintf("%d %d", files, bytes) != f.id+" "+f.a {
		p.drop("count", fmt.Sprintf("%d %d 0", files, bytes))
		return
	}
	p.step()
	claimed := p.work + "/tree-" + p.nonce
	if err := p.vol.rename(nil, p.work+"/tree", claimed); err != nil {
		if p.published(f.id, f.a) {
			p.finish()
		} else {
			p.drop("lost", err.Error())
		}
		return
	}
	if !p.published(f.id, f.a) {
		p.clearName(f)
		if err := p.name(mine, claimed); err != nil && !p.published(f.id, f.a) {
			p.drop("write", err.Error())
			return
		}
	}
	p.finish()
}

func (p *simProcess) name(sums, tree string) error {
	p.step()
	if err := p.vol.rename(nil, sums, p.sums); err != nil {
		return err
	}
	p.step()
	return p.vol.rename(nil, tree, p.final)
}

// clearName takes away what is not what the name says, and puts it back when it has become that.
func (p *simProcess) clearName(f frameLine) {
	aside := p.dir + "/.trash-" + p.nonce + "-0"
	p.step()
	if p.vol.rename(nil, p.final, aside) != nil {
		return
	}
	if files, bytes := p.size(aside); fmt.Sprintf("%d %d", files, bytes) == f.id+" "+f.a {
		p.step()
		if p.vol.rename(nil, aside, p.final) == nil {
			return
		}
	}
	p.remove(aside)
}

func (p *simProcess) finish() {
	p.say("PUBLISHED", p.nonce, p.tree)
	p.discard(tail1(p.work))
}
