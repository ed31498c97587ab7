//go:build unix

package stage

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// look says what the volume has.
func (p *simProcess) look(files, bytes string) string {
	p.step()
	if err := p.vol.mkdirAll(nil, p.dir); err != nil {
		p.refuse("write", err.Error())
	}
	trial := p.dir + "/.new-" + p.nonce
	err := p.vol.mkdir(nil, trial)
	p.step()
	_ = p.vol.rmdir(nil, trial)
	if err != nil {
		p.refuse("write", err.Error())
	}
	p.say("SPACE", p.nonce, simHex("model 1000000000 0 900000000 10% /data/shared"))
	p.say("INODES", p.nonce, simHex("model 1000000000 0 900000000 10% /data/shared"))
	state := "absent"
	switch {
	case p.published(files, bytes):
		state = "present"
	case p.vol.find(nil, p.final) != nil:
		state = "damaged"
	}
	p.say("TREE", p.nonce, state)
	p.say("DEST", p.nonce, "absent")
	if text, err := p.vol.read(nil, p.record); err == nil {
		p.say("RECORD", p.nonce, simHex(string(text)))
	}
	for _, name := range p.vol.names(nil, p.dir) {
		switch {
		case name == p.tree+".sha256", name == tail1(p.work) && state != "present", name == tail1(trial):
		case strings.HasSuffix(name, ".sha256"):
			p.say("OLDER", p.nonce, strings.TrimSuffix(name, ".sha256"))
		case strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".push"):
			places := p.vol.names(nil, p.dir+"/"+name+"/lock")
			line := ""
			for _, place := range places[:min(len(places), 8)] {
				line += place + " "
			}
			p.say("WORK", p.nonce, name, line)
		case strings.HasPrefix(name, ".trash-"):
			p.say("WORK", p.nonce, name)
		}
	}
	for _, name := range p.vol.names(nil, p.dir) {
		if node := p.vol.find(nil, p.dir+"/"+name); strings.HasPrefix(name, ".new-") && node != nil && time.Since(node.mtime) > time.Hour {
			p.remove(p.dir + "/" + name)
		}
	}
	return state
}

// join makes the work directory and a place in its lock. Without files it does not look for the tree.
func (p *simProcess) join(files, bytes string) bool {
	place := p.work + "/lock/" + p.owner + "." + p.nonce
	alone := false
	for tries := 0; ; {
		p.step()
		for _, name := range []string{"done", "big", "tree"} {
			if err := p.vol.mkdirAll(nil, p.work+"/"+name); err != nil {
				p.refuse("write", err.Error())
			}
		}
		p.step()
		alone = p.vol.mkdir(nil, p.work+"/lock") == nil
		if !alone {
			names := p.vol.names(nil, p.work+"/lock")
			for _, name := range names {
				if !strings.HasPrefix(name, p.owner+".") {
					content, _ := p.vol.read(nil, p.work+"/lock/"+name)
					p.say("HELD", p.nonce, name, simHex(string(content)))
					return false
				}
			}
			if len(names) == 0 {
				if tries++; tries > 3 {
					_ = p.vol.rmdir(nil, p.work+"/lock")
				} else {
					p.sleep(time.Second)
				}
				continue
			}
		}
		p.step()
		_, err := p.vol.open(nil, place, true)
		if err == nil {
			break
		}
		if !alone {
			continue
		}
		p.refuse("write", err.Error())
	}
	if alone {
		for _, name := range p.vol.names(nil, p.work) {
			if strings.HasPrefix(name, "in-") {
				p.remove(p.work + "/" + name)
			}
			if strings.HasPrefix(name, "tree-") {
				p.step()
				_ = p.vol.rename(nil, p.work+"/"+name, p.work+"/tree")
			}
		}
	}
	p.member = place
	own := p.achieved()
	if alone && own == "" && files != "" && p.published(files, bytes) {
		p.say("TREE", p.nonce, "present")
	}
	p.say("LOCKED", p.nonce, own)
	return true
}

// achieved is "some" when there are receipts.
func (p *simProcess) achieved() string {
	for _, f := range append(p.vol.files(nil, p.work+"/done"), p.vol.files(nil, p.work+"/big")...) {
		if name := path.Base(f.path); name != "data" && name != "sums" {
			return "some"
		}
	}
	return ""
}

func (p *simProcess) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-p.ended:
	}
	p.step()
}

// left is the EXIT trap of a worker.
func (p *simProcess) left() {
	p.settle()
	for n := p.serial; n >= p.serial-1; n-- {
		p.remove(fmt.Sprintf("%s/in-%s-%d", p.work, p.nonce, n))
	}
	if p.member == "" {
		return
	}
	p.step()
	p.vol.remove(nil, p.member)
	p.member = ""
	if p.vol.rmdir(nil, p.work+"/lock") != nil || p.vol.find(nil, p.work) == nil {
		return
	}
	p.step()
	if p.achieved() == "" {
		p.discard(tail1(p.work))
		_ = p.vol.rmdir(nil, p.dir)
	}
}

func (p *simProcess) clean() {
	for _, entry := range p.more {
		name, owners, _ := strings.Cut(entry, ":")
		if !workName.MatchString(name) && !strings.HasPrefix(name, ".trash-") {
			p.refuse("argument", name)
		}
		busy := slices.ContainsFunc(p.vol.names(nil, p.dir+"/"+name+"/lock"), func(member string) bool {
			owner, _, _ := strings.Cut(member, ".")
			return !slices.Contains(strings.Split(owners, ":"), owner)
		})
		if !busy || strings.HasPrefix(name, ".trash-") {
			p.discard(name)
		}
	}
	_ = p.vol.rmdir(nil, p.dir)
	p.say("CLEANED", p.nonce)
}

func (p *simProcess) storeRecord() {
	fresh := p.dir + "/.new-" + p.nonce
	if err := errors.Join(p.vol.mkdirAll(nil, p.dir), p.write(nil, fresh, p.more[1]+"\n")); err != nil {
		p.vol.remove(nil, fresh)
		p.refuse("write", err.Error())
	}
	p.step()
	there, _ := p.vol.read(nil, p.record)
	if p.more[0] == anyKey && there == nil && p.vol.link(nil, fresh, p.record) == nil {
		p.vol.remove(nil, fresh)
		p.say("STORED", p.nonce)
		return
	}
	if there != nil && (p.more[0] == anyKey || !strings.Contains(string(there), `"key":"`+p.more[0]+`"`)) {
		p.vol.remove(nil, fresh)
		p.refuse("conflict", string(there))
	}
	p.step()
	if err := p.vol.rename(nil, fresh, p.record); err != nil {
		p.vol.remove(nil, fresh)
		p.refuse("write", err.Error())
	}
	p.say("STORED", p.nonce)
}

func (p *simProcess) removeTree() {
	there, _ := p.vol.read(nil, p.record)
	if p.more[0] != anyKey && there != nil && !strings.Contains(string(there), `"key":"`+p.more[0]+`"`) {
		p.refuse("conflict", string(there))
	}
	p.step()
	p.vol.remove(nil, p.sums)
	p.discard(p.tree)
	p.vol.remove(nil, p.record)
	_ = p.vol.rmdir(nil, p.dir)
	p.say("REMOVED", p.nonce)
}
