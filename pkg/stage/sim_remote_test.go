//go:build unix

package stage

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// simBlock is the block of the model's dd.
func (p *simProcess) worker() {
	if p.more[0] == "lead" {
		if p.look(p.more[1], p.more[2]) != "present" {
			p.join(p.more[1], p.more[2])
		}
	} else {
		for _, gone := range p.more[1:] {
			if gone == "" || strings.Trim(gone, "0123456789abcdef-") != "" {
				p.refuse("argument", "owner "+gone)
			}
			p.evict(gone)
		}
		p.join("", "")
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
	case "S", "N", "L", "C":
		p.shard()
	case "R":
		p.rangeOf()
	case "F":
		p.whole()
	case "G":
		p.give()
	case "O":
		p.outcome()
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
			p.join(f.id, f.a)
		}
	case "K":
		if f.id == "" || strings.Trim(f.id, "0123456789abcdef-") != "" {
			p.refuse("frame", f.verb)
		}
		p.evict(f.id)
		_ = p.vol.rmdir(nil, p.work+"/lock")
		p.join("", "")
	case "X":
		p.settle()
		p.discard(tail1(p.work))
		p.join("", "")
	default:
		p.refuse("frame", f.verb)
	}
}

// evict takes away the places of an owner.
func (p *simProcess) evict(owner string) {
	for _, name := range p.vol.names(nil, p.work+"/lock") {
		if strings.HasPrefix(name, owner+".") {
			p.step()
			p.vol.remove(nil, p.work+"/lock/"+name)
		}
	}
}

func (p *simProcess) shard() {
	f := &p.now
	if !isSum(f.id) || !isNumber(f.c) || !isNumber(f.d) || f.a == "" || strings.Trim(f.a, "0123456789,") != "" {
		p.refuse("frame", f.verb)
	}
	p.serial++
	f.in = fmt.Sprintf("%s/in-%s-%d", p.work, p.nonce, p.serial)
	p.step()
	if err := errors.Join(p.vol.mkdir(nil, f.in), p.vol.mkdir(nil, f.in+"/tree")); err != nil {
		p.refuse("write", err.Error())
	}
	if f.verb == "C" || f.verb == "N" {
		if f.e == "" || f.e == "." || f.e == ".." || strings.Contains(f.e, "/") {
			p.refuse("frame", f.verb)
		}
		if strings.HasPrefix(f.e, ".") {
			f.e += "/tree"
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
	case "N":
		f.report = p.onlySums(body)
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
	if report := p.onlySums(body); report != "" {
		return report
	}
	sums, _ := p.vol.read(nil, f.in+"/sums")
	for _, line := range sumLines(sums) {
		content, err := p.vol.read(nil, p.dir+"/"+f.e+"/"+line.name)
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

// onlySums is a body that is no archive.
func (p *simProcess) onlySums(body []byte) string {
	sums, err := decode(p.now.b, body)
	if err := errors.Join(err, p.write(nil, p.now.in+"/sums", string(sums))); err != nil {
		return err.Error()
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
	switch f.verb {
	case "N":
		if err := p.spread(f, here, "../../../"+f.e+"/", p.link); err != nil {
			p.deny(f, "link", err.Error())
		}
	case "L":
		if f.report != "" {
			p.deny(f, "link", f.report)
		}
	default:
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
	}
	if f.verb != "N" {
		if err := p.place(f, here); err != nil {
			p.deny(f, "write", err.Error())
		}
	}
	p.step()
	if err := p.vol.rename(here, "../sums", p.work+"/done/"+f.id); err != nil {
		p.deny(f, "write", err.Error())
	}
	p.say("OK", p.nonce, f.id)
	p.remove(f.in)
}

// salvage keeps the files of a shard that came whole.
func (p *simProcess) salvage() {
	f := p.now
	sums, _ := p.vol.read(nil, f.in+"/sums")
	here := p.vol.find(nil, f.in+"/tree")
	if digest(sums) != f.id || here == nil {
		return
	}
	var kept []sumLine
	var text []byte
	for _, line := range slices.Sorted(strings.Lines(string(sums))) {
		l := sumLines([]byte(line))[0]
		if content, err := p.vol.read(here, l.name); err == nil && digest(content) == l.sum {
			kept, text = append(kept, l), append(text, line...)
		}
	}
	if len(kept) == 0 || p.write(here, "../kept", string(text)) != nil {
		return
	}
	p.step()
	if p.vol.rename(here, "../kept", "../sums") != nil {
		return
	}
	f.a = ""
	for i, n := 0, 0; i < len(kept); i++ {
		if n++; i+1 == len(kept) || path.Dir(kept[i].name) != path.Dir(kept[i+1].name) {
			f.a += strconv.Itoa(n) + ","
			n = 0
		}
	}
	if p.place(f, here) == nil {
		p.step()
		_ = p.vol.rename(here, "../sums", p.work+"/done/"+f.id+"."+p.nonce)
	}
}

func (p *simProcess) place(f frameLine, here *simInode) error {
	return p.spread(f, here, "", p.vol.rename)
}

// link is cp -l: what is in the way stays.
func (p *simProcess) link(here *simInode, from, to string) error {
	if p.vol.find(here, to) != nil {
		return errSimExists
	}
	return p.vol.link(here, from, to)
}

func (p *simProcess) spread(f frameLine, here *simInode, before string, do func(here *simInode, from, to string) error) error {
	from := 0
	for n := range strings.SplitSeq(strings.TrimSuffix(f.a, ","), ",") {
		sums, _ := p.vol.read(nil, f.in+"/sums") // its name may lead elsewhere by now
		lines := sumLines(sums)
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
			if err := do(here, before+line.name, to+"/"+path.Base(line.name)); err != nil {
				return err
			}
		}
		from += int(number(n))
	}
	return nil
}

// dd writes blocks to an open file, as they come.
// receipts are all lines of the receipts of a work directory, in the order of the directory.
// outcome tells what became of a job of another session.
// sumsOfTree gives nothing when a file is newer than the sums.
// claim takes the tree, from wherever another one was about to publish it.
// appear gives the tree its name.
// clearName takes away what is not what the name says, and puts it back when it has become that.
