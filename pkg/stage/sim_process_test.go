//go:build unix

package stage

import (
	"bytes"
	"encoding/hex"
	"path"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// simFeed is the stdin of a process: what it has not read yet.
type simFeed struct {
	mu      sync.Mutex
	changed sync.Cond
	data    []byte
	room    int // what it holds at most
	ended   bool
}

func newSimFeed(room int) *simFeed {
	f := &simFeed{room: max(1, room)}
	f.changed.L = &f.mu
	return f
}

// give waits for room. It returns false when the feed has ended.
func (f *simFeed) give(data []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(data) > 0 {
		for len(f.data) >= f.room && !f.ended {
			f.changed.Wait()
		}
		if f.ended {
			return false
		}
		n := min(len(data), f.room-len(f.data))
		f.data = append(f.data, data[:n]...)
		data = data[n:]
		f.changed.Broadcast()
	}
	return true
}

// end is the end of stdin; the last bytes of what was accepted may be lost with the connection.
func (f *simFeed) end(lost int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.ended = true
		f.data = f.data[:max(0, len(f.data)-lost)]
		f.changed.Broadcast()
	}
}

// take waits for at least one byte, and gives at most n; nothing is the end.
func (f *simFeed) take(n int) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.data) == 0 && !f.ended {
		f.changed.Wait()
	}
	part := bytes.Clone(f.data[:min(n, len(f.data))])
	f.data = f.data[len(part):]
	f.changed.Broadcast()
	return part
}

// line reads a line without its break; without one it is no line.
func (f *simFeed) line() (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var line []byte
	for {
		for len(f.data) == 0 && !f.ended {
			f.changed.Wait()
		}
		if len(f.data) == 0 {
			return string(line), false
		}
		at := bytes.IndexByte(f.data, '\n')
		if at >= 0 {
			line = append(line, f.data[:at]...)
			f.data = f.data[at+1:]
		} else {
			line, f.data = append(line, f.data...), f.data[:0]
		}
		f.changed.Broadcast()
		if at >= 0 {
			return string(line), true
		}
	}
}

// simProcess is one session of the script, step by step what script/*.sh do.
type simProcess struct {
	vol   *simVolume
	in    *simFeed
	out   func(line string) bool          // false is a broken pipe
	pace  func(verb string) time.Duration // how long the next step takes, in the work on a frame
	ended <-chan struct{}                 // with the Pod

	task, root, table, tree, owner, nonce string
	more                                  []string

	dir, final, record, sums, work string

	done      chan struct{} // closed at the end of the shell; checks may still run
	running   sync.WaitGroup
	pulse     atomic.Int64 // grows; negative when the file is gone
	hushed    atomic.Bool
	member    string
	serial    int
	discarded int
	checker   chan struct{}
	code      int
	now       frameLine
	doing     atomic.Value // the verb of now
}

// frameLine is a frame's head as the shell has it in its variables.
type frameLine struct {
	verb, id, a, b, c, d, e string
	report                  string
	in                      string
}

type simExit struct{}

// newSimProcess takes the arguments of a session, without those that start the shell.
func newSimProcess(vol *simVolume, words []string, in *simFeed, out func(string) bool) *simProcess {
	p := &simProcess{
		vol: vol, in: in, out: out, pace: func(string) time.Duration { return 0 }, done: make(chan struct{}),
		task: words[0], root: words[1], table: words[2], tree: words[3], owner: words[4], nonce: words[5], more: words[6:],
	}
	p.dir = p.root + "/" + p.table
	p.final = p.dir + "/" + p.tree
	p.record, p.sums = p.final+".run", p.final+".sha256"
	p.work = p.dir + "/." + p.tree + ".push"
	return p
}

// run is the whole script.
func (p *simProcess) run() {
	defer close(p.done)
	p.alive()
	p.running.Go(p.beat)
	if p.trapped(func() {
		switch p.task {
		case "worker":
			p.worker()
		case "clean":
			p.clean()
		case "record":
			p.storeRecord()
		case "remove":
			p.removeTree()
		}
	}) {
		p.code = 1
	}
	// The EXIT trap.
	p.trapped(func() {
		if p.task == "worker" {
			p.left()
		}
	})
	p.pulse.Store(-1)
}

// trapped tells whether the shell has left by exit.
func (p *simProcess) trapped(do func()) (exited bool) {
	defer func() {
		if e := recover(); e != nil {
			if _, exited = e.(simExit); !exited {
				panic(e)
			}
		}
	}()
	do()
	return false
}

// step is where time passes and a Pod may end: before each thing that others can see.
func (p *simProcess) step() {
	verb, _ := p.doing.Load().(string)
	if d := p.pace(verb); d > 0 {
		select {
		case <-time.After(d):
		case <-p.ended:
		}
	}
	select {
	case <-p.ended:
		runtime.Goexit()
	default:
	}
}

func (p *simProcess) alive() { p.pulse.Add(1) }

func (p *simProcess) beat() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.ended:
			return
		case <-p.done:
			return
		case <-tick.C:
			if !p.hushed.Load() && !p.out("T "+p.nonce) {
				return
			}
		}
	}
}

func (p *simProcess) say(words ...string) {
	p.step()
	if !p.out(strings.Join(words, " ")) {
		panic(simExit{}) // SIGPIPE
	}
}

func simHex(text string) string {
	return hex.EncodeToString([]byte(strings.TrimRight(text[:min(len(text), 1024)], "\n")))
}

// refuse says no, and reads what the client still sends.
func (p *simProcess) refuse(step, text string) {
	p.say("ERR", p.nonce, "-", step, simHex(text))
	for len(p.in.take(1<<20)) > 0 {
	}
	panic(simExit{})
}

func (p *simProcess) next() bool {
	head, whole := p.in.line()
	if !whole {
		return false
	}
	again, whole := p.in.line()
	p.step()
	if !whole {
		return false
	}
	if head != again {
		p.refuse("cut", "a frame does not begin as it should")
	}
	words := append(strings.Fields(head), make([]string, 7)...)
	p.doing.Store(words[0])
	p.now = frameLine{verb: words[0], id: words[1], a: words[2], b: words[3], c: words[4], d: words[5], e: words[6]}
	return true
}

func isSum(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// body reads exactly that much of stdin, or what there is.
func (p *simProcess) body(n int64) []byte {
	var all []byte
	for int64(len(all)) < n {
		part := p.in.take(int(min(n-int64(len(all)), 1<<20)))
		if len(part) == 0 {
			break
		}
		all = append(all, part...)
	}
	return all
}

func (p *simProcess) sealed() {
	line, whole := p.in.line()
	if !whole || line != "E "+p.now.id {
		p.settle()
		if p.now.verb == "S" {
			p.salvage()
		}
		p.refuse("cut", "the frame of "+p.now.id+" is incomplete")
	}
}

func (p *simProcess) settle() {
	if p.checker != nil {
		<-p.checker
		p.checker = nil
	}
}

// background runs a check beside the main loop.
func (p *simProcess) background(check func(f frameLine)) {
	f, done := p.now, make(chan struct{})
	p.checker = done
	p.running.Go(func() {
		defer close(done)
		p.trapped(func() { check(f) })
	})
}

// remove is rm -rf: not one step.
func (p *simProcess) remove(name string) {
	node := p.vol.find(nil, name)
	if node == nil {
		return
	}
	if node.kids == nil {
		p.step()
		p.vol.remove(nil, name)
		return
	}
	p.empty(node)
	_ = p.vol.rmdir(nil, name) // fails where somebody has put something in meanwhile
}

func (p *simProcess) empty(node *simInode) {
	for _, name := range p.vol.names(node, "") {
		if kid := p.vol.find(node, name); kid != nil && kid.kids != nil {
			p.empty(kid)
			_ = p.vol.rmdir(node, name)
		}
		p.vol.remove(node, name)
	}
	p.step()
}

func (p *simProcess) discard(name string) {
	if strings.HasPrefix(name, ".trash-") {
		p.remove(p.dir + "/" + name)
		return
	}
	if p.vol.find(nil, p.dir+"/"+name) == nil {
		return
	}
	p.discarded++
	trash := p.dir + "/.trash-" + p.nonce + "-" + strconv.Itoa(p.discarded)
	p.step()
	if p.vol.rename(nil, p.dir+"/"+name, trash) == nil {
		p.remove(trash)
	}
}

// size is what the script's size prints.
func (p *simProcess) size(name string) (files, bytes int64) {
	p.step()
	for _, f := range p.vol.files(nil, name) {
		files++
		bytes += int64(len(f.data))
	}
	return files, bytes
}

func (p *simProcess) published(files, bytes string) bool {
	node := p.vol.find(nil, p.final)
	if node == nil || node.kids == nil {
		return false
	}
	n, total := p.size(p.final)
	return strconv.FormatInt(n, 10) == files && strconv.FormatInt(total, 10) == bytes
}

// write makes a file with a text, as > does.
func (p *simProcess) write(base *simInode, name, text string) error {
	p.step()
	node, err := p.vol.open(base, name, true)
	if err != nil {
		return err
	}
	p.step()
	return p.vol.writeAt(node, []byte(text), 0)
}

func tail1(name string) string { return path.Base(name) }
