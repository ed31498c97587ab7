//go:build unix

package stage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

// simDice is a source of chance for several goroutines.
type simDice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func newSimDice(seed, stream uint64) *simDice {
	return &simDice{r: rand.New(rand.NewPCG(seed, stream))}
}

func (d *simDice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(max(1, n))
}

// hits is true with a probability.
func (d *simDice) hits(probability float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.Float64() < probability
}

// upTo is a duration; short ones are likelier.
func (d *simDice) upTo(most time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	x := d.r.Float64()
	return time.Duration(x * x * float64(most))
}

// simCluster is the volume and the Pods that have it.
type simCluster struct {
	vol   *simVolume
	seed  uint64
	calm  atomic.Bool // no new faults
	theme string      // the frames in the work on which most goes wrong
	log   func(format string, arguments ...any)

	mu      sync.Mutex
	pods    []*simPod
	running sync.WaitGroup
}

// simPod is a stage Pod.
type simPod struct {
	cluster   *simCluster
	uid, name string
	ended     chan struct{}

	mu        sync.Mutex
	over      bool
	processes []*simProcess
}

func (c *simCluster) newPod() *simPod {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.pods) + 1
	p := &simPod{cluster: c, uid: fmt.Sprintf("%08d-aaaa-bbbb", n), name: fmt.Sprintf("pod-%d", n), ended: make(chan struct{})}
	c.pods = append(c.pods, p)
	c.running.Go(p.live)
	return p
}

func (c *simCluster) pod(name string) *simPod {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.pods {
		if p.name == name {
			return p
		}
	}
	return nil
}

// alive are the Pods whose processes may be at work, by UID.
func (c *simCluster) alive() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := map[string]string{}
	for _, p := range c.pods {
		if !p.isOver() {
			names[p.uid] = p.name
		}
	}
	return names
}

// end ends all Pods, and waits for their processes.
func (c *simCluster) end() {
	c.mu.Lock()
	pods := c.pods
	c.mu.Unlock()
	for _, p := range pods {
		p.kill()
	}
	c.running.Wait()
}

// live is script/lifetime.sh.
func (p *simPod) live() {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	empty, still, last := 0, 0, ""
	for {
		select {
		case <-p.ended:
			return
		case <-tick.C:
		}
		now := p.pulses()
		empty, still = empty+1, still+1
		if now != "" {
			empty = 0
		}
		if now != last {
			still = 0
		}
		if last = now; empty >= 4 || still >= 120 {
			p.cluster.log("%s ends by itself", p.name)
			p.kill()
			return
		}
	}
}

func (p *simPod) pulses() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := ""
	for _, each := range p.processes {
		if n := each.pulse.Load(); n >= 0 {
			text += fmt.Sprintf("%s %d\n", each.nonce, n)
		}
	}
	return text
}

func (p *simPod) isOver() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over
}

// kill ends the Pod and all that runs in it at once.
func (p *simPod) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.over = true
	close(p.ended)
	for _, each := range p.processes {
		each.in.end(0)
	}
}

// start runs a session.
func (p *simPod) start(words []string, in *simFeed, out func(string) bool, pace func(string) time.Duration) *simProcess {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return nil
	}
	process := newSimProcess(p.cluster.vol, words, in, out)
	process.ended, process.pace = p.ended, pace
	p.processes = append(p.processes, process)
	p.cluster.running.Go(func() {
		process.running.Go(process.run)
		process.running.Wait()
	})
	return process
}

var errSimGone = errors.New("pods not found")

// check is Volume.Check: sometimes nobody can tell.
func (c *simClient) check(ctx context.Context, pod *simPod) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case c.dice.hits(c.harsh / 4):
		return errors.New("the server is currently unable to handle the request")
	case pod.isOver():
		return &GoneError{Namespace: "ns", Pod: pod.name, Reason: "it was deleted"}
	}
	return nil
}

// simClient is one push: a Volume, and the connections that it makes.
type simClient struct {
	cluster *simCluster
	dice    *simDice
	harsh   float64 // how likely a session has a fault
	name    string

	mu     sync.Mutex
	dead   bool // the process was killed
	pod    *simPod
	links  []*simLink
	opened int
	moved  int
	killAt int // bytes that were sent
	ctx    context.Context
	cancel context.CancelFunc
}

func (c *simClient) volume() *Volume {
	v := c.volumeOf(c.cluster.newPod())
	v.Renew = func(ctx context.Context) (*Volume, error) {
		c.mu.Lock()
		old, dead := c.pod, c.dead
		c.mu.Unlock()
		if ctx.Err() != nil || dead || c.dice.hits(c.harsh/8) {
			return nil, errors.New("the stage pod cannot be created")
		}
		old.kill()
		return c.volumeOf(c.cluster.newPod()), nil
	}
	return v
}

func (c *simClient) volumeOf(pod *simPod) *Volume {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pod = pod
	return &Volume{
		Exec: c, Target: podio.Target{Namespace: "ns", Pod: pod.name, Container: Container}, Owner: pod.uid,
		Check: func(ctx context.Context) error { return c.check(ctx, pod) },
		Owners: func(context.Context) (map[string]string, error) {
			if c.dice.hits(c.harsh / 8) {
				return nil, errors.New("the server is currently unable to handle the request")
			}
			return c.cluster.alive(), nil
		},
	}
}

// kill is kill -9: nothing of the client is left, and what it had sent is on its way.
func (c *simClient) kill() {
	c.mu.Lock()
	links, cancel := c.links, c.cancel
	already := c.dead
	c.dead = true
	c.mu.Unlock()
	if already {
		return
	}
	c.cluster.log("%s is killed", c.name)
	for _, l := range links {
		l.sever(errSimCut)
	}
	cancel()
}

func (c *simClient) isDead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// deletePod is what a drain does.
func (c *simClient) deletePod() {
	c.mu.Lock()
	pod := c.pod
	c.mu.Unlock()
	if pod != nil {
		c.cluster.log("%s of %s is deleted", pod.name, c.name)
		pod.kill()
	}
}

// short is a line of a session for the log.
func short(line string) string {
	words := strings.Split(line, " ")
	for i, word := range words {
		words[i] = word[:min(len(word), 12)]
	}
	return strings.Join(words, " ")
}
