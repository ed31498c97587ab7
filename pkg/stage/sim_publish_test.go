//go:build unix

package stage

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

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
	p.have(text)
	p.say("GOT", p.nonce)
	p.hushed.Store(false)
}

func (p *simProcess) have(text []byte) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(text)
	_ = z.Close()
	for piece := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(packed.Bytes())), 3000) {
		p.say("HAVE", p.nonce, string(piece))
	}
}

func (p *simProcess) outcome() {
	f := p.now
	if !isSum(f.id) || strings.Trim(f.a+f.b, "0123456789abcdef.") != "" {
		p.refuse("frame", f.verb)
	}
	p.settle()
	for range 10 {
		if p.vol.find(nil, p.work+"/lock/"+p.owner+"."+f.a) == nil {
			break
		}
		p.sleep(time.Second)
	}
	p.step()
	switch {
	case p.hasReceipt(f.id), f.b != "" && p.vol.find(nil, p.work+"/big/"+f.id+"/"+f.b) != nil:
		p.say("DONE", p.nonce, f.id)
	case f.b == "":
		var text []byte
		for _, name := range p.vol.names(nil, p.work+"/done") {
			if strings.HasPrefix(name, f.id+".") {
				sums, _ := p.vol.read(nil, p.work+"/done/"+name)
				text = append(text, sums...)
			}
		}
		p.have(text)
	}
	p.say("GOT", p.nonce)
}

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
	if p.published(f.id, f.a) {
		p.finish()
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
	claimed := p.work + "/tree-" + p.nonce
	if !p.claim(claimed) {
		if p.published(f.id, f.a) {
			p.finish()
		} else {
			p.drop("lost", p.work+" is gone")
		}
		return
	}
	if files, bytes := p.size(claimed); fmt.Sprintf("%d %d", files, bytes) != f.id+" "+f.a {
		p.drop("count", fmt.Sprintf("%d %d 0", files, bytes))
		p.step()
		_ = p.vol.rename(nil, claimed, p.work+"/tree")
		return
	}
	p.step()
	if err := p.appear(f, mine, claimed); err != nil && !p.published(f.id, f.a) {
		p.drop("write", err.Error())
		return
	}
	p.finish()
}

func (p *simProcess) claim(claimed string) bool {
	for _, name := range p.vol.names(nil, p.work) {
		if strings.HasPrefix(name, "tree-") {
			p.step()
			_ = p.vol.rename(nil, p.work+"/"+name, claimed)
		}
	}
	p.step()
	return p.vol.find(nil, claimed) != nil || p.vol.rename(nil, p.work+"/tree", claimed) == nil
}

func (p *simProcess) appear(f frameLine, sums, claimed string) error {
	p.step()
	if err := p.vol.rename(nil, sums, p.sums); err != nil {
		return err
	}
	p.step()
	if p.vol.rename(nil, claimed, p.final) == nil || p.published(f.id, f.a) {
		return nil
	}
	p.step()
	if p.vol.find(nil, claimed) == nil {
		return errSimNoEntry
	}
	p.clearName(f)
	p.step()
	return p.vol.rename(nil, claimed, p.final)
}

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
