package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Set is the archives of everything that runs in a stand-in release.
type Set struct {
	JobsManager, PodsMonitor, Ingestor, MySQL, Busybox Archive
}

// All lists the archives in a stable order.
func (s Set) All() []Archive {
	return []Archive{s.Busybox, s.MySQL, s.JobsManager, s.PodsMonitor, s.Ingestor}
}

// References of the images, as the chart names them.
const (
	refJobsManager = "docker.io/tracebloc/jobs-manager:prod"
	refPodsMonitor = "docker.io/tracebloc/pods-monitor:prod"
	refIngestor    = "ghcr.io/tracebloc/ingestor:0.8"
	refMySQL       = "docker.io/tracebloc/mysql-client:prod"
	refBusybox     = "docker.io/library/busybox:1.35"
)

// Build makes the archives that cache does not hold. moduleDir is the directory of the e2e module; what is done goes to log.
func Build(ctx context.Context, cache Cache, moduleDir string, log io.Writer) (Set, error) {
	var set Set
	bin, err := os.MkdirTemp("", "standin-*")
	if err != nil {
		return set, err
	}
	defer func() { _ = os.RemoveAll(bin) }()
	if err := goBuild(ctx, moduleDir, bin); err != nil {
		return set, err
	}
	manager, ingestor := filepath.Join(bin, "jobsmanager"), filepath.Join(bin, "ingestor")
	for _, img := range []struct {
		into  *Archive
		name  string
		image Image
	}{
		{&set.JobsManager, "jobs-manager", Image{Ref: refJobsManager, Entrypoint: []string{"/jobs-manager"}, User: "1001:1001",
			Files: []File{{Path: "jobs-manager", Mode: 0o755, Source: manager}}}},
		{&set.PodsMonitor, "pods-monitor", Image{Ref: refPodsMonitor, Entrypoint: []string{"/jobs-manager", "idle"}, User: "1001:1001",
			Files: []File{{Path: "jobs-manager", Mode: 0o755, Source: manager}}}},
		{&set.Ingestor, "ingestor", Image{Ref: refIngestor, Entrypoint: []string{"/ingestor"}, User: "65534:65534",
			Files: []File{{Path: "ingestor", Mode: 0o755, Source: ingestor}, {Path: "tmp", Mode: 0o1777, Dir: true}}}},
	} {
		key, err := hashImage(img.image)
		if err != nil {
			return set, err
		}
		if *img.into, err = cache.get(ctx, img.name, key, img.image.Ref, log, func(context.Context) (Image, func(), error) { return img.image, func() {}, nil }); err != nil {
			return set, err
		}
	}
	if set.Busybox, err = cache.get(ctx, "busybox", busyboxKey(), refBusybox, log, busyboxImage); err != nil {
		return set, err
	}
	set.MySQL, err = cache.get(ctx, "mysql-client", mysqlKey(), refMySQL, log, mysqlImage)
	return set, err
}

// get takes the archive from the cache, or assembles the image and stores it. assemble returns what removes its scratch files.
func (c Cache) get(ctx context.Context, name, key, ref string, log io.Writer, assemble func(context.Context) (Image, func(), error)) (Archive, error) {
	path := c.path(name, key)
	if a, ok := c.lookup(ref, path); ok {
		return a, nil
	}
	_, _ = fmt.Fprintf(log, "building image %s\n", ref)
	img, done, err := assemble(ctx)
	if err != nil {
		return Archive{}, fmt.Errorf("build image %q: %w", ref, err)
	}
	defer done()
	a, err := c.store(img, path)
	if err != nil {
		return Archive{}, fmt.Errorf("build image %q: %w", ref, err)
	}
	return a, nil
}

// goBuild builds the two programs into dir, without anything of this machine or moment in them.
func goBuild(ctx context.Context, moduleDir, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", dir+string(filepath.Separator), "./release/jobsmanager", "./release/ingestor")
	cmd.Dir = moduleDir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the stand-ins in %q: %w: %s", moduleDir, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// hashImage is the content key of an image whose files exist already.
func hashImage(img Image) (string, error) {
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%q %q %q %q %q\n", img.Ref, img.Entrypoint, img.Cmd, img.Env, img.User)
	for _, f := range withParents(img.Files) {
		_, _ = fmt.Fprintf(sum, "%q %o %q %q\n", f.Path, f.Mode, f.Link, f.Data)
		if f.Source == "" {
			continue
		}
		src, err := os.Open(f.Source)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(sum, src)
		_ = src.Close()
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
