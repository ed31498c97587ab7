package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// platforms are those that .goreleaser.yaml builds for, as the names of the archives have them.
var platforms = [...]string{
	"darwin_amd64", "darwin_arm64",
	"linux_386", "linux_amd64", "linux_arm", "linux_arm64",
	"windows_amd64", "windows_arm64",
}

var (
	// No build metadata: a plus sign in a file's name does not survive the upload to GitHub.
	versionPattern = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)
	commitPattern  = regexp.MustCompile(`^[0-9a-f]{40,64}$`)
	sumPattern     = regexp.MustCompile(`^([0-9a-f]{64})  ([^/\\ ]+)$`)
)

// release is what a directory of archives says about itself.
type release struct {
	version string            // with its v
	base    string            // address of the directory that the archives are downloaded from
	sums    map[string]string // SHA-256 in hex, by the archive's name
}

// load reads the release in dir, and checks that each platform's archive is there and what it should be.
func load(dir string) (*release, error) {
	version, err := readVersion(filepath.Join(dir, "metadata.json"))
	if err != nil {
		return nil, err
	}
	r := &release{version: version, base: downloads + "/" + version}
	path := filepath.Join(dir, "SHA256SUMS")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if r.sums, err = parseSums(string(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(r.sums) > len(platforms) {
		return nil, fmt.Errorf("%s has %d files, but there are %d platforms", path, len(r.sums), len(platforms))
	}
	for _, platform := range platforms {
		if err := r.check(dir, platform); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func readVersion(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var metadata struct {
		Version string `json:"version"`
		Commit  string `json:"commit"`
	}
	if err := json.Unmarshal(text, &metadata); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if !versionPattern.MatchString(metadata.Version) {
		return "", fmt.Errorf("%s: version %q is not a semantic version without build metadata", path, metadata.Version)
	}
	// goreleaser goes on without, and then takes the time of the build for that of the commit.
	if !commitPattern.MatchString(metadata.Commit) {
		return "", fmt.Errorf("%s: %q is not a commit; run hack/dist.sh in a git repository", path, metadata.Commit)
	}
	return "v" + metadata.Version, nil
}

// parseSums reads lines as sha256sum writes them.
func parseSums(text string) (map[string]string, error) {
	sums := map[string]string{}
	for line := range strings.Lines(text) {
		fields := sumPattern.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if fields == nil {
			return nil, fmt.Errorf("line %q is not a SHA-256 sum, two spaces and a file's name", line)
		}
		if _, ok := sums[fields[2]]; ok {
			return nil, fmt.Errorf("file %q is there twice", fields[2])
		}
		sums[fields[2]] = fields[1]
	}
	return sums, nil
}

// archive is the name of a platform's archive.
func (r *release) archive(platform string) string {
	extension := ".tar.gz"
	if strings.HasPrefix(platform, "windows_") {
		extension = ".zip"
	}
	return "kubectl-tracebloc_" + r.version + "_" + platform + extension
}

// uri is where a platform's archive is downloaded from.
func (r *release) uri(platform string) string { return r.base + "/" + r.archive(platform) }

func (r *release) check(dir, platform string) error {
	name := r.archive(platform)
	want, ok := r.sums[name]
	if !ok {
		return fmt.Errorf("archive %q is not in SHA256SUMS; make dist builds it", name)
	}
	path := filepath.Join(dir, name)
	got, err := sum(path)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("archive %q has SHA-256 %s, but SHA256SUMS says %s; make dist builds it anew", name, got, want)
	}
	if err := checkContent(path, platform); err != nil {
		return fmt.Errorf("archive %q: %w", name, err)
	}
	return nil
}

func sum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}
