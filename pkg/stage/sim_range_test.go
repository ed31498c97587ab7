//go:build unix

package stage

import (
	"path"
	"strconv"
	"strings"
)

const simBlock = 1 << 10

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
	f.in = p.work + "/big/" + f.id
	p.settle()
	p.background(func(f frameLine) { p.joinRanges(f, line, name) })
}

func (p *simProcess) hasReceipt(id string) bool { return p.vol.find(nil, p.work+"/done/"+id) != nil }

func (p *simProcess) joinRanges(f frameLine, line, name string) {
	p.step()
	if !p.hasReceipt(f.id) && !p.complete(f, line[:64]) && !p.hasReceipt(f.id) {
		p.remove(f.in)
		p.say("ERR", p.nonce, f.id, "lost", simHex("ranges of a file are missing"))
		return
	}
	if !p.hasReceipt(f.id) {
		if err := p.assemble(f.in, line, name, f.id); err != nil && !p.hasReceipt(f.id) {
			p.say("ERR", p.nonce, f.id, "write", simHex(err.Error()))
			return
		}
	}
	p.remove(f.in)
	p.say("OK", p.nonce, f.id)
}

func (p *simProcess) complete(f frameLine, sum string) bool {
	receipts := 0
	for _, name := range p.vol.names(nil, f.in) {
		if name != "data" && name != "sums" {
			receipts++
		}
	}
	p.step()
	content, err := p.vol.read(nil, f.in+"/data")
	return err == nil && strconv.Itoa(receipts) == f.b && strconv.Itoa(len(content)) == f.a && (f.c != "check" || digest(content) == sum)
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
