package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	webSocket = "WebSocket"
	spdy      = "SPDY"
)

// way is how both tools reach a cluster.
type way struct {
	transport  string
	kubeconfig string // of a link; empty for KUBECONFIG
}

// environ is the environment of a tool that goes this way.
func (w way) environ() []string {
	env := append(os.Environ(), fmt.Sprintf("KUBECTL_REMOTE_COMMAND_WEBSOCKETS=%t", w.transport != spdy))
	if w.kubeconfig != "" {
		env = append(env, "KUBECONFIG="+w.kubeconfig)
	}
	return env
}

// pushed is what one push says of itself, and what was seen of it.
type pushed struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Status struct {
		Staging struct {
			Reused          bool    `json:"reused"`
			SentBytes       int64   `json:"sentBytes"`
			Files           int64   `json:"files"`
			Bytes           int64   `json:"bytes"`
			TakenOverFiles  int64   `json:"takenOverFiles"`
			CompressedBytes int64   `json:"compressedBytes"`
			Retries         int     `json:"retries"`
			Seconds         float64 `json:"seconds"`
		} `json:"staging"`
		Durations map[string]float64 `json:"durations"`
	} `json:"status"`
	whole    float64 // seconds of the whole command
	cpu      float64 // seconds of all cores
	resident int64   // bytes at most
}

// push stages a dataset and submits it to a release whose ingestor cannot start, so that nothing else uses the machine. The
// run goes at once, the staged tree stays.
func (b *bench) push(ctx context.Context, p *place, w way, d dataset, table string) (pushed, error) {
	var got pushed
	var out, errOut bytes.Buffer
	c := exec.CommandContext(ctx, b.o.plugin, "push", d.dir, "-n", p.namespace(), "--task", d.task, "--table", table, "--detach", "--quiet", "-o", "json")
	c.Env, c.Stdout, c.Stderr = w.environ(), &out, &errOut
	if err := p.settle(ctx); err != nil {
		return got, err
	}
	started := time.Now()
	if err := c.Run(); err != nil {
		return got, fmt.Errorf("push of %s: %w: %s", d.name, err, strings.TrimSpace(errOut.String()))
	}
	got.whole, got.cpu, got.resident = time.Since(started).Seconds(), cpuSeconds(c), maxResident(c.ProcessState)
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		return got, fmt.Errorf("push of %s: read its object: %w", d.name, err)
	}
	if got.resident > b.peak.resident {
		b.peak = peak{resident: got.resident, row: d.name}
	}
	return got, p.endRun(ctx, got.Metadata.Name)
}

// table is a name that no push had before: nothing is there to be taken over.
func (b *bench) table() string {
	b.pushes++
	return fmt.Sprintf("bench_%d", b.pushes)
}

// copied is what one kubectl cp took.
type copied struct {
	whole, cpu float64 // seconds
}

// copyTarget is where kubectl cp copies to, on the volume.
const copyTarget = "bench-copy"

// copy copies a dataset by kubectl cp, sees that all of it arrived, since its exit code does not tell, and removes it.
func (b *bench) copy(ctx context.Context, p *place, w way, d dataset) (copied, error) {
	got, err := b.copyOnly(ctx, p, w, d)
	if err != nil {
		return got, err
	}
	there, err := p.count(ctx, copyTarget)
	if err != nil {
		return got, err
	}
	files, size, err := treeSize(d.dir)
	if err != nil {
		return got, err
	}
	if want := fmt.Sprintf("%d files, %d bytes", files, size); there != want {
		return got, fmt.Errorf("kubectl cp of %s: %s arrived of %s", d.name, there, want)
	}
	return got, p.erase(ctx, copyTarget)
}

func (b *bench) copyOnly(ctx context.Context, p *place, w way, d dataset) (copied, error) {
	var errOut bytes.Buffer
	c := exec.CommandContext(ctx, "kubectl", "cp", d.dir, p.namespace()+"/"+p.pod+":/data/shared/"+copyTarget)
	c.Env, c.Stderr = w.environ(), &errOut
	if err := p.settle(ctx); err != nil {
		return copied{}, err
	}
	started := time.Now()
	if err := c.Run(); err != nil {
		return copied{}, fmt.Errorf("kubectl cp of %s: %w: %s", d.name, err, strings.TrimSpace(errOut.String()))
	}
	return copied{whole: time.Since(started).Seconds(), cpu: cpuSeconds(c)}, nil
}

// pair is one round of both tools, in turns the one and the other first, so that the machine's moods meet both alike.
func (b *bench) pair(ctx context.Context, p *place, w way, d dataset, round int, keep string) (pushed, copied, error) {
	var push pushed
	var cp copied
	steps := []func() (err error){
		func() (err error) { cp, err = b.copy(ctx, p, w, d); return err },
		func() (err error) { push, err = b.push(ctx, p, w, d, keep); return err },
	}
	if round%2 == 1 {
		steps[0], steps[1] = steps[1], steps[0]
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return push, cp, err
		}
	}
	return push, cp, nil
}
