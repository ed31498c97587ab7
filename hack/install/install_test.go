//go:build unix

package install

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// archive is that of the machine that the test runs on.
func archive(version string) string { return archiveOf(version, runtime.GOOS+"_"+runtime.GOARCH) }

func TestInstall(t *testing.T) {
	server := newServer(t)
	server.release("v1.3.0-rc.1", plugin("v1.3.0-rc.1"))
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"newest", nil, version},
		{"version", []string{"--version", "v1.2.3"}, version},
		{"without v", []string{"--version=1.2.3"}, version},
		{"prerelease", []string{"--version", "1.3.0-rc.1"}, "v1.3.0-rc.1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			each(t, shells(t), func(t *testing.T, sh shell) {
				m := newMachine(t, sh, usual)
				got := m.run(t, append([]string{"--base-url", server.base() + "/", "--prefix", filepath.Join(m.home, "a/b")}, tc.args...)...)
				got.want(t, 0, "Now run: kubectl tracebloc --help", "kubectl is not on the PATH", "cosign is not on the PATH")
				dir := filepath.Join(m.home, "a/b/bin")
				wantInstalled(t, dir, tc.want)
				if want := "installed kubectl-tracebloc " + tc.want + " as \"" + dir + "/kubectl-tracebloc\"\n"; got.stdout != want {
					t.Errorf("stdout is %q, want %q", got.stdout, want)
				}
			})
		})
	}
}

func TestPipedIntoTheShell(t *testing.T) {
	server := newServer(t)
	each(t, shells(t), func(t *testing.T, sh shell) {
		m := newMachine(t, sh, usual)
		m.env = []string{"TRACEBLOC_BASE_URL=" + server.base()}
		m.finish(t, m.command(t, script(t), "--prefix", m.home)).want(t, 0)
		wantInstalled(t, filepath.Join(m.home, "bin"), version)
	})
}

func TestHostileDirectory(t *testing.T) {
	server := newServer(t)
	const name = `a b'c"d$(touch pwned)` + "`touch pwned`" + `$HOME*\e\'é;&`
	each(t, shells(t), func(t *testing.T, sh shell) {
		m := newMachine(t, sh, usual)
		got := m.run(t, "--base-url", server.base(), "--prefix", name)
		got.want(t, 0)
		dir := filepath.Join(m.home, name, "bin")
		wantInstalled(t, dir, version)
		for file := range m.tree(t) {
			if strings.Contains(file, "pwned") && !strings.Contains(file, "touch") {
				t.Errorf("something was executed: %s", file)
			}
		}
		// The advice is what people paste.
		advice := got.stderr[strings.Index(got.stderr, "  export PATH="):]
		advice, _, _ = strings.Cut(advice, "\n")
		for _, path := range []struct{ before, after string }{{"", dir}, {"/x:/y", dir + ":/x:/y"}} {
			for _, sh := range shells(t) {
				c := exec.CommandContext(t.Context(), sh.argv[0], append(sh.argv[1:len(sh.argv):len(sh.argv)], "-c", advice+"\nprintf %s \"$PATH\"")...)
				c.Env, c.Dir = []string{"PATH=" + path.before}, m.home
				out, err := c.Output()
				if err != nil || string(out) != path.after {
					t.Errorf("%s, PATH=%s: %s\ngives %q, %v; want %q", sh.name, path.before, advice, out, err, path.after)
				}
			}
		}
		if want := `fish_add_path '` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(dir) + "'\n"; !strings.Contains(got.stderr, want) {
			t.Errorf("stderr lacks %s:\n%s", want, got.stderr)
		}
	})
}

func TestPath(t *testing.T) {
	server := newServer(t)
	each(t, shells(t), func(t *testing.T, sh shell) {
		m := newMachine(t, sh, usual)
		m.fake(t, "kubectl", "")
		prefix, other := filepath.Join(m.home, "ours"), filepath.Join(m.home, "other")
		write(t, filepath.Join(other, "kubectl-tracebloc"), plugin("v0.9.0"))
		for _, tc := range []struct {
			path      string
			wantAdded bool // there is advice how to get onto the PATH
			wantOther bool // there is a warning about the other copy
		}{
			{path: "", wantAdded: true},
			{path: ":" + prefix + "/bin"},
			{path: ":" + prefix + "/bin/:" + other},
			{path: ":" + other + ":" + prefix + "/bin", wantOther: true},
			{path: ":" + other, wantAdded: true, wantOther: true},
			{path: "::" + prefix + "/binary", wantAdded: true},
		} {
			c := m.command(t, "", "--base-url", server.base(), "--prefix", prefix)
			c.Env = append(c.Env, "PATH="+m.bin+tc.path)
			got := m.finish(t, c)
			got.want(t, 0)
			if added := strings.Contains(got.stderr, "export PATH="); added != tc.wantAdded {
				t.Errorf("PATH %s: advice is %v, want %v:\n%s", tc.path, added, tc.wantAdded, got.stderr)
			}
			if warned := strings.Contains(got.stderr, `kubectl finds "`+other+`/kubectl-tracebloc" first`); warned != tc.wantOther {
				t.Errorf("PATH %s: warning is %v, want %v:\n%s", tc.path, warned, tc.wantOther, got.stderr)
			}
			if strings.Contains(got.stderr, "kubectl is not on the PATH") {
				t.Errorf("kubectl was not found:\n%s", got.stderr)
			}
		}
		m.run(t, "--base-url", server.base(), "--prefix", prefix+":2").want(t, 0, "cannot be on a PATH")
	})
}

func TestUpgradeWhileAnOlderOneRuns(t *testing.T) {
	server := newServer(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	each(t, shells(t), func(t *testing.T, sh shell) {
		m := newMachine(t, sh, usual)
		target := filepath.Join(m.home, "bin/kubectl-tracebloc")
		write(t, target, read(t, self))
		write(t, filepath.Join(m.home, "bin/kubectl_complete-tracebloc"), "old")
		older := exec.CommandContext(t.Context(), target, "wait")
		stdin, err := older.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := older.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := older.Start(); err != nil {
			t.Fatal(err)
		}
		out := bufio.NewReader(stdout)
		if line, err := out.ReadString('\n'); err != nil || line != "waiting\n" {
			t.Fatalf("the older plugin says %q, %v", line, err)
		}
		m.run(t, "--base-url", server.base(), "--prefix", m.home).want(t, 0)
		wantInstalled(t, filepath.Join(m.home, "bin"), version)
		if err := stdin.Close(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(out); err != nil || string(rest) != "Client Version: v1.2.3\n" {
			t.Errorf("the older plugin goes on with %q, %v", rest, err)
		}
		if err := older.Wait(); err != nil {
			t.Errorf("the older plugin was disturbed: %v", err)
		}
	})
}

func TestDryRun(t *testing.T) {
	server := newServer(t)
	each(t, shells(t), func(t *testing.T, sh shell) {
		m := newMachine(t, sh, usual)
		dir := filepath.Join(m.home, "bin")
		write(t, filepath.Join(dir, "kubectl-tracebloc"), plugin("v1.0.0"))
		before := m.tree(t)
		got := m.run(t, "--dry-run", "--base-url", server.base(), "--prefix", m.home)
		got.want(t, 0)
		want := `would replace "` + dir + `/kubectl-tracebloc"
would install "` + dir + `/kubectl_complete-tracebloc"
would download "` + server.base() + "/download/v1.2.3/" + archive(version) + `" with curl
would verify its SHA256 with sha256sum
would not verify its signature
`
		if diff := cmp.Diff(want, got.stdout); diff != "" {
			t.Errorf("stdout (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(before, m.tree(t)); diff != "" {
			t.Errorf("a dry run changed files (-before +after):\n%s", diff)
		}
	})
	t.Cleanup(func() {
		for _, request := range server.asked() {
			if !slices.Contains([]string{"HEAD /releases/latest", "HEAD /releases/tag/v1.2.3"}, request) {
				t.Errorf("a dry run asked for %s", request)
			}
		}
	})
}

func TestDryRunWithAVersionAsksNobody(t *testing.T) {
	each(t, shells(t), func(t *testing.T, sh shell) {
		m := newMachine(t, sh, usual)
		m.fake(t, "curl", `echo "curl $*" >>"`+m.root+`/called"`)
		got := m.run(t, "--dry-run", "--version=1.2.3", "--prefix=/opt/x")
		got.want(t, 0)
		if want := `"https://github.com/tracebloc/kubectl-tracebloc/releases/download/v1.2.3/` + archive(version) + `"`; !strings.Contains(got.stdout, want) {
			t.Errorf("stdout lacks %s:\n%s", want, got.stdout)
		}
		wantUntouched(t, filepath.Join(m.root, "called"))
	})
}

// Without a prefix: /usr/local/bin for whoever may write there, the user's own directory for the others.
func TestDefaultDirectory(t *testing.T) {
	for _, sh := range shells(t) {
		m := newMachine(t, sh, usual)
		if os.Geteuid() == 0 {
			m.become(t, 65534)
		}
		probe := m.command(t, `test -w /usr/local/bin && echo yes || echo no`)
		probe.Env = append(probe.Env, "PATH="+os.Getenv("PATH"))
		want := map[string]string{"yes\n": "/usr/local/bin", "no\n": m.home + "/.local/bin"}[m.finish(t, probe).stdout]
		got := m.run(t, "--dry-run", "--version", version)
		got.want(t, 0)
		if want = `would install "` + want + `/kubectl-tracebloc"`; !strings.Contains(got.stdout, want) {
			t.Errorf("%s: stdout lacks %s:\n%s", sh.name, want, got.stdout)
		}
	}
}

func TestPlatforms(t *testing.T) {
	for _, tc := range []struct {
		uname, sysctl string
		archive       string // or else
		refusal       string
	}{
		{uname: "Linux x86_64", archive: "linux_amd64"},
		{uname: "Linux amd64", archive: "linux_amd64"},
		{uname: "Linux aarch64", archive: "linux_arm64"},
		{uname: "Linux armv6l", archive: "linux_arm"},
		{uname: "Linux armv7l", archive: "linux_arm"},
		{uname: "Linux armv8l", archive: "linux_arm"},
		{uname: "Linux armhf", archive: "linux_arm"},
		{uname: "Linux i386", archive: "linux_386"},
		{uname: "Linux i686", archive: "linux_386"},
		{uname: "Darwin arm64", archive: "darwin_arm64"},
		{uname: "Darwin x86_64", sysctl: "echo 0", archive: "darwin_amd64"},
		{uname: "Darwin x86_64", sysctl: "exit 1", archive: "darwin_amd64"},
		{uname: "Darwin x86_64", sysctl: `[ "$*" = "-n sysctl.proc_translated" ] && echo 1`, archive: "darwin_arm64"},
		{uname: "Darwin i386", refusal: `nothing for "Darwin i386"`},
		{uname: "Linux riscv64", refusal: `nothing for "Linux riscv64", and krew takes the plugin from the same releases; build it from source`},
		{uname: "Linux armv5tel", refusal: `nothing for "Linux armv5tel"`},
		{uname: "FreeBSD amd64", refusal: `nothing for "FreeBSD amd64"`},
		{uname: "MINGW64_NT-10.0-22631 x86_64", refusal: "use install.ps1 in PowerShell, or kubectl krew install tracebloc"},
	} {
		for _, sh := range openShells(t) {
			m := newMachine(t, sh, usual)
			system, machine, _ := strings.Cut(tc.uname, " ")
			m.fake(t, "uname", `case $1 in -s) echo `+system+` ;; -m) echo `+machine+` ;; esac`)
			m.fake(t, "sysctl", tc.sysctl)
			got := m.run(t, "--dry-run", "--version", version, "--prefix", m.home)
			if tc.refusal != "" {
				got.want(t, 3, tc.refusal)
				continue
			}
			got.want(t, 0)
			if want := "/v1.2.3/kubectl-tracebloc_v1.2.3_" + tc.archive + ".tar.gz\""; !strings.Contains(got.stdout, want) {
				t.Errorf("%s under %s: stdout lacks %s:\n%s", tc.uname, sh.name, want, got.stdout)
			}
		}
	}
}
