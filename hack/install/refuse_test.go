//go:build unix

package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFlagsThatAreWrong(t *testing.T) {
	server := newServer(t)
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--frobnicate"}, `unknown argument "--frobnicate"`},
		{[]string{"extra"}, `unknown argument "extra"`},
		{[]string{"--dry-run=client"}, `unknown argument "--dry-run=client"`},
		{[]string{"\x1b]0;x\a"}, `unknown argument "]0;x"`},
		{[]string{"--version"}, "flag --version needs a value"},
		{[]string{"--version", ""}, "flag --version needs a value"},
		{[]string{"--version="}, "flag --version needs a value"},
		{[]string{"--prefix", "--dry-run"}, "flag --prefix needs a value"},
		{[]string{"--base-url="}, "flag --base-url needs a value"},
		{[]string{"--version", "latest"}, `version "vlatest" is not of the form v1.2.3`},
		{[]string{"--version", "1.2"}, `version "v1.2" is not of the form v1.2.3`},
		{[]string{"--version", "v1.2.3/../../x"}, `version "v1.2.3/../../x" is not of the form v1.2.3`},
		{[]string{"--version", "v1.2.3\nv1.2.3"}, "is not of the form v1.2.3"},
		{[]string{"--version", "v1.2.3 "}, "is not of the form v1.2.3"},
		{[]string{"--version", "$(id)"}, "is not of the form v1.2.3"},
		{[]string{"--prefix", "a\nb"}, "control characters"},
		{[]string{"--base-url", "ftp://example.com"}, "must begin with https://"},
		{[]string{"--base-url", "file:///tmp"}, "must begin with https://"},
		{[]string{"--base-url", "https://"}, "must begin with https://"},
		{[]string{"--base-url", "https://example.com/a b"}, "characters that a URL has not"},
		{[]string{"--base-url", "https://example.com/$(id)"}, "characters that a URL has not"},
		{[]string{"--base-url", "https://example.com/?x="}, "characters that a URL has not"},
	} {
		for _, sh := range shells(t) {
			m := newMachine(t, sh, usual)
			m.env = []string{"TRACEBLOC_BASE_URL=" + server.base()}
			got := m.run(t, tc.args...)
			got.want(t, 2, tc.want)
			if strings.ContainsAny(got.stderr, "\x1b\a") {
				t.Errorf("%q reached the terminal: %q", tc.args, got.stderr)
			}
		}
	}
	if asked := server.asked(); len(asked) > 0 {
		t.Errorf("the server was asked: %q", asked)
	}
}

// What the archive is held against may be wrong in many ways; none of them installs anything.
func TestSums(t *testing.T) {
	const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
	for _, tc := range []struct {
		name  string
		spoil func(s *server, archive string)
		code  int
		want  string
	}{
		{"archive exchanged", func(s *server, archive string) {
			s.set(version, archive, string(pack("linux_amd64", plugin("v6.6.6"))))
		}, 1, "has the SHA256"},
		{"archive cut", func(s *server, archive string) {
			s.set(version, archive, string(s.file(version + "/" + archive)[:200]))
		}, 1, "has the SHA256"},
		{"archive empty", func(s *server, archive string) { s.set(version, archive, "") }, 1, ""},
		{"wrong sum", func(s *server, archive string) { s.set(version, "SHA256SUMS", zeros+"  "+archive+"\n") }, 1, "try again, and do not use it if this stays"},
		{"no sum", func(s *server, archive string) { s.set(version, "SHA256SUMS", zeros+"  x"+archive+"\n") }, 1, "has no sum for " + archive(version)},
		{"sum of a longer name", func(s *server, archive string) {
			s.set(version, "SHA256SUMS", strings.ReplaceAll(string(s.file(version+"/SHA256SUMS")), ".tar.gz\n", ".tar.gz.sbom.json\n"))
		}, 1, "has no sum for " + archive(version)},
		{"two sums", func(s *server, archive string) {
			s.set(version, "SHA256SUMS", string(s.file(version+"/SHA256SUMS"))+zeros+"  "+archive+"\n")
		}, 1, "has no sum for"},
		{"no archive", func(s *server, archive string) { s.remove(archive) }, 1, "cannot download"},
		{"no sums", func(s *server, _ string) { s.remove("SHA256SUMS") }, 1, "cannot download"},
		{"not an archive", func(s *server, archive string) { s.replace(archive, "hello") }, 3, "tar cannot unpack"},
		{"does not run", func(s *server, _ string) { s.release(version, "#!/bin/sh\necho no such syscall >&2\nexit 1\n") }, 3, "does not run on this machine"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := newServer(t)
			tc.spoil(server, archive(version))
			each(t, shells(t), func(t *testing.T, sh shell) {
				m := newMachine(t, sh, usual)
				write(t, filepath.Join(m.home, "old/bin/kubectl-tracebloc"), plugin("v1.0.0"))
				before := m.tree(t)
				got := m.run(t, "--base-url", server.base(), "--prefix", filepath.Join(m.home, "old"))
				got.want(t, tc.code, tc.want)
				if got.stdout != "" {
					t.Errorf("stdout is %q", got.stdout)
				}
				if diff := cmp.Diff(before, m.tree(t)); diff != "" {
					t.Errorf("files changed (-before +after):\n%s", diff)
				}
			})
		})
	}
}

// A tool that writes sums is asked for, whichever there is; without one nothing is even downloaded.
func TestToolsForSums(t *testing.T) {
	server := newServer(t)
	for _, tc := range []struct {
		tools string
		want  string
	}{
		{"shasum openssl", "shasum"},
		{"openssl", "openssl"},
		{"sha256sum shasum openssl", "sha256sum"},
	} {
		each(t, openShells(t), func(t *testing.T, sh shell) {
			m := newMachine(t, sh, basics+" curl "+tc.tools)
			dry := m.run(t, "--dry-run", "--base-url", server.base(), "--prefix", m.home)
			if dry.want(t, 0); !strings.Contains(dry.stdout, "with "+tc.want+"\n") {
				t.Errorf("stdout lacks %s:\n%s", tc.want, dry.stdout)
			}
			m.run(t, "--base-url", server.base(), "--prefix", m.home).want(t, 0)
			wantInstalled(t, filepath.Join(m.home, "bin"), version)
			m.run(t, "--base-url", server.base()+"/spoiled", "--prefix", m.home).want(t, 1)
		})
	}
	t.Run("none", func(t *testing.T) {
		lonely := newServer(t)
		for _, sh := range openShells(t) {
			m := newMachine(t, sh, basics+" curl")
			m.run(t, "--base-url", lonely.base(), "--prefix", filepath.Join(m.home, "p")).want(t, 3,
				"none of sha256sum, shasum and openssl is on the PATH")
			wantUntouched(t, filepath.Join(m.home, "p"))
		}
		if asked := lonely.asked(); len(asked) > 0 {
			t.Errorf("the server was asked: %q", asked)
		}
	})
}

// Every tool has to notice a wrong sum, also one that fails.
func TestToolsForSumsRefuse(t *testing.T) {
	server := newServer(t)
	server.set(version, archive(version), string(pack("linux_amd64", plugin("v6.6.6"))))
	for _, name := range []string{"sha256sum", "shasum", "openssl"} {
		for _, sh := range openShells(t) {
			m := newMachine(t, sh, basics+" curl "+name)
			m.run(t, "--base-url", server.base(), "--prefix", filepath.Join(m.home, "p")).want(t, 1, "has the SHA256")
			m.fake(t, name, "exit 1")
			m.run(t, "--base-url", server.base(), "--prefix", filepath.Join(m.home, "p")).want(t, 3, name+" failed")
			wantUntouched(t, filepath.Join(m.home, "p"))
		}
	}
}

func TestToolsThatAreMissing(t *testing.T) {
	for _, tc := range []struct{ tools, want string }{
		{basics + " sha256sum", "neither curl nor wget is on the PATH"},
		{strings.ReplaceAll(usual, " tar ", " "), "tar is not on the PATH"},
	} {
		for _, sh := range openShells(t) {
			newMachine(t, sh, tc.tools).run(t, "--version", version).want(t, 3, tc.want)
		}
	}
}

// A prefix that was asked for is used or refused, never exchanged for another.
func TestDirectoriesThatCannotBeWritten(t *testing.T) {
	server := newServer(t)
	each(t, shells(t), func(t *testing.T, sh shell) {
		m := newMachine(t, sh, usual)
		write(t, filepath.Join(m.root, "file"), "")
		if err := os.Mkdir(filepath.Join(m.root, "closed"), 0o555); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(m.home, "taken/bin/kubectl_complete-tracebloc"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(m.home, "taken/bin"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("nowhere", filepath.Join(m.root, "dangling")); err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() == 0 {
			m.become(t, 65534)
		}
		before := m.tree(t)
		for _, tc := range []struct{ prefix, want string }{
			{filepath.Join(m.root, "file"), "is not a directory"},
			{filepath.Join(m.root, "file/deeper/still"), "is not a directory"},
			{filepath.Join(m.root, "closed"), "is not writable for you"},
			{filepath.Join(m.root, "closed/deeper/still"), "is not writable for you"},
			{filepath.Join(m.root, "dangling"), "is not a directory"},
			{filepath.Join(m.home, "taken"), `kubectl_complete-tracebloc" is a directory; move it away`},
		} {
			m.run(t, "--base-url", server.base(), "--prefix", tc.prefix).want(t, 3, "cannot install into \""+tc.prefix+"/bin\"", tc.want)
			m.run(t, "--dry-run", "--base-url", server.base(), "--prefix", tc.prefix).want(t, 3, tc.want)
		}
		c := m.command(t, "", "--base-url", server.base(), "--prefix", m.home)
		c.Env = append(c.Env, "TMPDIR="+filepath.Join(m.root, "closed"))
		m.finish(t, c).want(t, 3, "set TMPDIR")
		if diff := cmp.Diff(before, m.tree(t)); diff != "" {
			t.Errorf("files changed (-before +after):\n%s", diff)
		}
	})
	if asked := server.asked(); len(asked) > 0 {
		t.Errorf("the server was asked: %q", asked)
	}
}
