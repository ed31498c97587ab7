package stage

import (
	"net/url"
	"strings"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

func TestNewPlan(t *testing.T) {
	t.Parallel()
	file := func(paths ...string) dataset.Manifest {
		var m dataset.Manifest
		for _, p := range paths {
			m = append(m, dataset.File{Path: p, Size: 1})
		}
		return m
	}
	long := strings.Repeat("x", 255)
	for name, c := range map[string]struct {
		table, root string
		files       dataset.Manifest
		want        string // part of the error; "" is a plan
	}{
		"good":            {"cats", DefaultRoot, file("-", "a", "a/b", "images/x y"), ""},
		"no files":        {"cats", DefaultRoot, nil, ""},
		"longest":         {"cats", DefaultRoot, file(long), ""},
		"table":           {"a-b", DefaultRoot, nil, `table "a-b"`},
		"table up":        {"..", DefaultRoot, nil, `table ".."`},
		"root":            {"cats", "/data/shared", nil, Directory},
		"root up":         {"cats", "/data/../" + Directory, nil, Directory},
		"root relative":   {"cats", "data/" + Directory, nil, Directory},
		"empty":           {"cats", DefaultRoot, file(""), "clean path"},
		"absolute":        {"cats", DefaultRoot, file("/etc/passwd"), "clean path"},
		"up":              {"cats", DefaultRoot, file("../x"), "clean path"},
		"up within":       {"cats", DefaultRoot, file("a/../../x"), "clean path"},
		"dot":             {"cats", DefaultRoot, file("."), "clean path"},
		"double slash":    {"cats", DefaultRoot, file("a//b"), "clean path"},
		"line break":      {"cats", DefaultRoot, file("a\nb"), "control character"},
		"carriage return": {"cats", DefaultRoot, file("a\r"), "control character"},
		"nul":             {"cats", DefaultRoot, file("a\x00"), "control character"},
		"long component":  {"cats", DefaultRoot, file(long + "x"), "256 bytes"},
		"long path":       {"cats", DefaultRoot, file(strings.Repeat("d/", 1950) + "x"), "3901 bytes"},
		"twice":           {"cats", DefaultRoot, file("a", "a"), "once"},
		"unsorted":        {"cats", DefaultRoot, file("b", "a"), "sorted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := NewPlan(c.table, c.files, c.root)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			case c.want == "" && p.Dir() != "/data/shared/.tracebloc-staging/cats/"+c.files.TreeID():
				t.Errorf("directory %q", p.Dir())
			}
		})
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	p := Plan{Manifest: dataset.Manifest{{Path: "a"}, {Path: "b", Size: 1}, {Path: "d/e/c", Size: 4096}, {Path: "d/e/f", Size: 4097}}}
	bytes, inodes := p.Needs()
	if bytes != (0+1+1+2+2)*4096 || inodes != 4+2 {
		t.Errorf("needs %d bytes and %d inodes", bytes, inodes)
	}
}

func TestCheckSpace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		probe Probe
		want  string
	}{
		{Probe{FreeBytes: 4096, FreeInodes: 1}, ""},
		{Probe{FreeBytes: -1, FreeInodes: -1}, ""},
		{Probe{FreeBytes: 4095, FreeInodes: 1}, "has 4095 bytes free, the staged data needs 4096"},
		{Probe{FreeBytes: 4095, FreeInodes: 0}, "has 4095 bytes free, the staged data needs 4096"},
		{Probe{FreeBytes: -1, FreeInodes: 0}, "has 0 inodes free, the staged data needs 1"},
	} {
		err := c.probe.Check(4096, 1)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v", c.probe, err)
		}
	}
}

// TestCommandIsShort: the command travels in a URL, and there are proxies that refuse more than 8 KiB of it.
func TestCommandIsShort(t *testing.T) {
	t.Parallel()
	names := make([]string, cleanAtOnce)
	for i := range names {
		names[i] = ".trash-0123456789abcdef-123456789"
	}
	for name, arguments := range map[string][]string{
		"worker": {"lead", "2000000000", "1000000000000"},
		"record": {strings.Repeat("k", 63), strings.Repeat("%", 1000)},
		"remove": {strings.Repeat("k", 63)},
		"clean":  names,
	} {
		words := []string{name, DefaultRoot, strings.Repeat("t", 63), "0123456789abcdef", "11111111-aaaa-bbbb-cccc-000000000001", "0123456789abcdef"}
		query := url.Values{"command": command(append(words, arguments...)...)}
		if n := len(query.Encode()); n > 4096 {
			t.Errorf("the request for %s has %d bytes", name, n)
		}
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step, text string
		want       Reason
	}{
		{"write", "mkdir: can't create directory '/data/shared/x': No space left on device", NoSpace},
		{"unpack", "tar: write error: Disk quota exceeded", NoSpace},
		{"write", "mkdir: can't create directory '/data/shared/x': Read-only file system", ReadOnly},
		{"write", "mkdir: cannot create directory '/data/shared/.tracebloc-staging': Permission denied", Denied},
		{"write", "mkdir: can't create directory '/data/shared/x': Not a directory", InTheWay},
		{"base", "/data/shared is not a directory", InTheWay},
		{"write", "mv: unrecognized option: T", NoTool},
		{"checksum", "./No space left on device.jpg: FAILED", Mismatch},
		{"count", "3 5 0", Mismatch},
		{"tool", "sha256sum", NoTool},
		{"in-the-way", "x is a symbolic link", InTheWay},
		{"conflict", "{}", Conflict},
		{"lost", "gone", Lost},
		{"frame", "S", Lost},
		{"link", "tar: x: Cannot hard link to 'y': No space left on device", NoLink},
		{"unpack", "tar: ./x: Wrote only 512 of 10240 bytes", NoSpace},
		{"cut", "the archive is incomplete", Lost},
		{"unpack", "tar: short read", OtherFail},
		{"", "", OtherFail},
	} {
		if got := classify(c.step, c.text); got != c.want {
			t.Errorf("%s, %q: %q, want %q", c.step, c.text, got, c.want)
		}
	}
	for reason := range advice {
		if text := (&VolumeError{Reason: reason, Text: "x\x1b[31m"}).Error(); strings.Contains(text, "\x1b") || strings.Contains(text, ": :") {
			t.Errorf("%q: %q", reason, text)
		}
	}
}
