//go:build unix

package stage

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// progressWatch holds the callbacks to what is promised of them.
type progressWatch struct {
	world *simWorld
	busy  atomic.Bool
	last  Progress
}

func (p *progressWatch) see(now Progress) {
	if !p.busy.CompareAndSwap(false, true) {
		p.world.fail("calls of Progress overlap")
	}
	if now.Sent < p.last.Sent || now.Retries < p.last.Retries {
		p.world.fail("progress goes back from %+v to %+v", p.last, now)
	}
	p.last = now
	p.busy.Store(false)
}

// run plays the schedule: some pushes with all that can go wrong, and a last one without.
func (w *simWorld) run() {
	var pushes sync.WaitGroup
	for range 1 + w.dice.n(5) {
		w.vol.mu.Lock()
		w.vol.capacity = 1 << 50
		if w.dice.hits(0.15) {
			w.vol.capacity = w.vol.used + int64(w.dice.n(80<<10))
		}
		w.vol.mu.Unlock()
		w.round(&pushes)
	}
	w.last(&pushes)
	w.cluster.end()
	w.checkVolume()
}

// round is one push, or two at once. It ends when they have, or were killed.
func (w *simWorld) round(pushes *sync.WaitGroup) {
	var over sync.WaitGroup
	for range 1 + w.dice.n(13)/10 {
		c := w.client("client "+string(rune('A'+w.dice.n(26))), []float64{0.1, 0.3, 0.5, 0.7}[w.dice.n(4)])
		p := w.plans[w.dice.n(14)/10]
		o := w.options()
		delay, leave := w.dice.upTo(30*time.Second), w.dice.hits(0.3)
		dead := make(chan struct{})
		w.plague(c)
		over.Add(1)
		var once sync.Once
		release := func() { once.Do(over.Done) }
		pushes.Go(func() {
			defer release()
			time.Sleep(delay)
			w.attempt(c, p, o, leave)
			close(dead)
		})
		pushes.Go(func() {
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				select {
				case <-dead:
					return
				case <-tick.C:
					if c.isDead() {
						release()
						return
					}
				}
			}
		})
	}
	over.Wait()
}

func (w *simWorld) options() Options {
	return Options{
		Parallel: 1 + w.dice.n(6),
		Compress: []Compress{CompressAuto, CompressNever, CompressAlways}[w.dice.n(3)],
	}
}

// plague decides what happens to the client and its Pods from outside.
func (w *simWorld) plague(c *simClient) {
	if w.dice.hits(0.3) {
		c.killAt = 1 + w.dice.n(1<<w.dice.n(18))
	}
	for range w.dice.n(12) / 8 {
		at := w.dice.upTo(90 * time.Second)
		what := w.dice.n(3)
		w.cluster.running.Go(func() {
			time.Sleep(at)
			switch what {
			case 0:
				c.kill()
			case 1:
				c.interrupt()
			case 2:
				c.deletePod()
			}
		})
	}
}

// interrupt is Ctrl-C.
func (c *simClient) interrupt() {
	c.cluster.log("%s is interrupted", c.name)
	c.cancel()
}

// attempt is a push that may fail.
func (w *simWorld) attempt(c *simClient, p Plan, o Options, leave bool) {
	report, err := w.push(c, p, o)
	if c.isDead() {
		return
	}
	if err == nil {
		w.checkReport(c, p, report)
	}
	if !leave {
		c.deletePod()
	}
}

// last is a push without faults: it must succeed, and send no more than is missing.
func (w *simWorld) last(pushes *sync.WaitGroup) {
	w.cluster.calm.Store(true)
	w.vol.mu.Lock()
	w.vol.capacity = 1 << 50
	w.vol.mu.Unlock()
	quiet := w.dice.hits(0.6)
	if quiet {
		pushes.Wait()
		time.Sleep(20 * time.Minute)
		if alive := w.cluster.alive(); len(alive) > 0 {
			w.fail("pods live on without a client: %v", alive)
		}
	}
	p := w.plans[0]
	missing, known := w.missing(p)
	c := w.client("the last", 0)
	report, err := w.push(c, p, w.options())
	switch {
	case err != nil:
		w.fail("a push without faults failed: %v", err)
	default:
		w.checkReport(c, p, report)
		if quiet && known && report.Bytes > missing {
			w.fail("%d bytes were sent, and %d were missing", report.Bytes, missing)
		}
	}
	c.deletePod()
	pushes.Wait()
	if quiet && err == nil && !report.AlreadyPublished {
		w.checkTidy(p)
	}
}

func (w *simWorld) checkReport(c *simClient, p Plan, r Report) {
	node := w.vol.find(nil, p.Dir())
	if node == nil {
		w.fail("%s returned nil, and there is no tree", c.name)
		return
	}
	if bad := w.wrong(p.TreeID, node); bad != "" {
		w.fail("%s returned nil, and the tree is wrong: %s", c.name, bad)
	}
	if r.AlreadyPublished {
		return
	}
	files, bytes := int64(len(p.Manifest)), p.Manifest.Bytes()
	if r.Files+r.TakenOverFiles != files || r.Bytes+r.TakenOverBytes != bytes ||
		r.Files != r.TotalFiles || r.Bytes != r.TotalBytes || r.InFlight != 0 || r.TreeFiles != files || r.TreeBytes != bytes {
		w.fail("%s of %d files, %d bytes: the numbers do not fit: %+v", c.name, files, bytes, r)
	}
}

// checkTidy: nothing is left of the push, nor of those before.
func (w *simWorld) checkTidy(p Plan) {
	for _, name := range w.vol.names(nil, p.Root+"/"+p.Table) {
		if strings.HasPrefix(name, ".") && !strings.HasPrefix(name, ".new-") { // what a killed look leaves goes after an hour
			w.fail("%q is left: %q", name, w.vol.names(nil, p.Root+"/"+p.Table+"/"+name))
		}
	}
}

// checkVolume is done when no process is left.
func (w *simWorld) checkVolume() {
	dir := simRoot + "/cats"
	if node := w.vol.find(nil, w.plans[0].Dir()); node == nil {
		w.fail("the tree of the last push is gone")
	}
	for _, name := range w.vol.names(nil, dir) {
		node := w.vol.find(nil, dir+"/"+name)
		if !treeName.MatchString(name) || node.pinned == 0 {
			continue
		}
		p, _ := w.plan(name)
		if w.damaged && p.TreeID != w.plans[0].TreeID && p.TreeID != w.plans[1].TreeID {
			continue
		}
		if bad := w.wrong(name, node); bad != "" {
			w.fail("tree %s: %s", name, bad)
		}
	}
}

// missing is how many bytes no receipt of the volume has. It is not known where something is not what its receipts say.
func (w *simWorld) missing(p Plan) (bytes int64, known bool) {
	dir := simRoot + "/cats"
	have := map[string]bool{} // by sum, and for the work directory of the plan by sum and path
	ranges := map[string]int64{}
	sources := 0
	for _, name := range w.vol.names(nil, dir) {
		switch tree, published := strings.CutSuffix(name, ".sha256"); {
		case published && tree != p.TreeID:
			sources++
			text, _ := w.vol.read(nil, dir+"/"+name)
			for _, line := range sumLines(text) {
				have[line.sum] = true
			}
		case workName.MatchString(name):
			sources++
			own := name == "."+p.TreeID+".push"
			for _, f := range w.vol.files(nil, dir+"/"+name+"/done") {
				for _, line := range sumLines(f.data) {
					if own {
						have[line.sum+line.name] = true
					} else {
						have[line.sum] = true
					}
				}
			}
			if own {
				w.rangesThere(dir+"/"+name+"/big", ranges)
			}
		}
	}
	for i, f := range p.Manifest {
		sum := string(appendSum(nil, f))
		if have[sum[:64]] || have[sum[:64]+f.Path] {
			continue
		}
		bytes += f.Size - ranges[newBigFile(nil, p, int32(i)).id]
	}
	return bytes, !w.damaged && sources < maxSources
}

// rangesThere counts the bytes of the ranges that have receipts, where their data is still there and nothing else.
func (w *simWorld) rangesThere(big string, ranges map[string]int64) {
	for _, id := range w.vol.names(nil, big) {
		if w.vol.find(nil, big+"/"+id+"/data") == nil {
			continue
		}
		there := int64(0)
		for _, name := range w.vol.names(nil, big+"/"+id) {
			parts := strings.Split(name, ".")
			switch {
			case len(parts) == 3 && number(parts[0])%simLimits().rangeBytes == 0 && there >= 0:
				there += number(parts[1])
			case len(parts) == 3:
				there = -1 << 40 // ranges of another size: the file is sent again
			}
		}
		ranges[id] = max(0, there)
	}
}
