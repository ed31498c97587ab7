package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// limit is what this machine can do at most, whatever the tool.
type limit struct{ what, value string }

// limits measures the machine, and the Pod's own tools.
func (b *bench) limits(ctx context.Context) ([]limit, error) {
	big, err := b.bigFile()
	if err != nil {
		return nil, err
	}
	many, err := b.manyFiles(b.sizes.files, b.sizes.fileSize)
	if err != nil {
		return nil, err
	}
	var limits []limit
	times := series{}
	for _, m := range []struct {
		what string
		d    dataset
		run  func(dataset) error
	}{
		{"tar | tar on this machine, " + filesOf(b), many, b.tarTar},
		{"tar | tar on this machine, one file of " + size(b.sizes.big), big, b.tarTar},
		{"sha256sum on this machine, one file of " + size(b.sizes.big), big, func(d dataset) error { return runCommand(sha256sum(d.dir)) }},
	} {
		for range b.o.rounds {
			if err := times.add(m.what, func() error { return m.run(m.d) }); err != nil {
				return nil, err
			}
		}
		limits = append(limits, b.limit(m.what, m.d, times.median(m.what)))
	}
	inPod, err := b.podLimits(ctx, big)
	return append(limits, inPod...), err
}

func filesOf(b *bench) string {
	return fmt.Sprintf("%d files of %s", b.sizes.files, size(b.sizes.fileSize))
}

func (b *bench) limit(what string, d dataset, spent float64) limit {
	_, bytes, err := treeSize(d.dir)
	if err != nil {
		return limit{what, err.Error()}
	}
	return limit{what, fmt.Sprintf("%.2f s, %.0f MiB/s", spent, mib(bytes)/max(spent, 0.001))}
}

// tarTar copies a dataset as cheaply as a shell can, to the same disk.
func (b *bench) tarTar(d dataset) error {
	to := filepath.Join(b.dir, "tar-tar")
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	err := runCommand(exec.Command("sh", "-c", `tar -C "$0" -cf - . | tar -C "$1" -xf -`, d.dir, to))
	if e := os.RemoveAll(to); err == nil {
		err = e
	}
	return err
}

// podLimits measures busybox in a Pod, on a file of the volume. The time of an exec that does nothing is taken off.
func (b *bench) podLimits(ctx context.Context, d dataset) ([]limit, error) {
	const name = "bench-limit"
	file := "/data/shared/" + name
	p := b.cloud.main
	if err := runCommand(exec.CommandContext(ctx, "kubectl", "cp", noisePath(d.dir, 0), p.namespace()+"/"+p.pod+":"+file)); err != nil {
		return nil, err
	}
	times := series{}
	for range b.o.rounds {
		for what, script := range map[string]string{"nothing": ":", "sha256sum": `sha256sum "$1"`, "dd": `dd if="$1" of="$1.copy" bs=1M 2>/dev/null; sync`} {
			if err := times.add(what, func() error { _, err := p.shell(ctx, nil, script, file); return err }); err != nil {
				return nil, err
			}
		}
	}
	nothing := times.median("nothing")
	return []limit{
		{"an exec that does nothing, kubectl's start included", fmt.Sprintf("%.2f s", nothing)},
		b.limit("busybox sha256sum in a Pod, one file of "+size(b.sizes.big), d, times.median("sha256sum")-nothing),
		b.limit("busybox dd and sync in a Pod, one file of "+size(b.sizes.big), d, times.median("dd")-nothing),
	}, p.erase(ctx, name, name+".copy")
}
