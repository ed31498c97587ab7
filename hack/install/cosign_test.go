//go:build unix

package install

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeCosign notes its arguments, one a line and an empty one behind each call, and what it was to verify.
func fakeCosign(t testing.TB, m *machine, verdict string) {
	t.Helper()
	m.fake(t, "cosign", `all=$*
printf '%s\n' "$@" '' >>"`+m.home+`/calls"
while [ $# -gt 1 ]; do [ "$1" != --bundle ] || cat "$2" >"`+m.home+`/bundle"; shift; done
cat "$1" >"`+m.home+`/signed"
`+verdict)
}

// calls returns the arguments of every call of cosign, with TMP for the directory of the run.
func calls(t testing.TB, m *machine) [][]string {
	t.Helper()
	var all [][]string
	for call := range strings.SplitSeq(strings.TrimSuffix(read(t, filepath.Join(m.home, "calls")), "\n\n"), "\n\n") {
		args := strings.Split(call, "\n")
		for i, arg := range args {
			if strings.HasPrefix(arg, m.tmp+"/") {
				args[i] = "TMP/" + filepath.Base(arg)
			}
		}
		all = append(all, args)
	}
	return all
}

var (
	identity = "https://github.com/tracebloc/kubectl-tracebloc/.github/workflows/release.yaml@refs/tags/" + version
	question = []string{
		"--bundle", "TMP/SHA256SUMS.sigstore.json", "--certificate-oidc-issuer", "https://token.actions.githubusercontent.com",
		"--certificate-identity", identity, "TMP/SHA256SUMS",
	}
	newer = append([]string{"verify-blob"}, question...)
	older = append([]string{"verify-blob", "--new-bundle-format"}, question...)
)

func TestSignature(t *testing.T) {
	for _, tc := range []struct {
		name    string
		verdict string
		args    []string
		code    int
		want    string
		calls   [][]string
	}{
		{name: "good", verdict: "echo Verified OK >&2", want: "is signed by the release workflow", calls: [][]string{newer}},
		{
			name: "good, by cosign 2.4", verdict: `case $all in *--new-bundle-format*) ;; *) exit 1 ;; esac`, want: "is signed by the release workflow",
			calls: [][]string{newer, older},
		},
		{
			name: "bad", verdict: `printf 'none of the expected \033[31midentities\n' >&2; exit 1`, code: 1,
			want: "none of the expected [31midentities\nerror: cosign refuses the signature of SHA256SUMS of v1.2.3; nothing was installed", calls: [][]string{newer, older},
		},
		{name: "killed", verdict: "kill -9 $$", code: 1, want: "nothing was installed", calls: [][]string{newer, older}},
		{name: "reads stdin", verdict: "cat", want: "is signed", calls: [][]string{newer}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			each(t, shells(t), func(t *testing.T, sh shell) {
				server := newServer(t)
				m := newMachine(t, sh, usual)
				fakeCosign(t, m, tc.verdict)
				m.env = []string{"TRACEBLOC_BASE_URL=" + server.base()}
				m.finish(t, m.command(t, script(t), "--prefix", filepath.Join(m.home, "p"))).want(t, tc.code, tc.want)
				if diff := cmp.Diff(tc.calls, calls(t, m)); diff != "" {
					t.Errorf("calls of cosign (-want +got):\n%s", diff)
				}
				if got := read(t, filepath.Join(m.home, "bundle")); got != bundle {
					t.Errorf("the bundle is %q", got)
				}
				if got := read(t, filepath.Join(m.home, "signed")); got != string(server.file(version+"/SHA256SUMS")) {
					t.Errorf("verified was %q", got)
				}
				if tc.code == 0 {
					wantInstalled(t, filepath.Join(m.home, "p/bin"), version)
					return
				}
				wantUntouched(t, filepath.Join(m.home, "p"))
				if slices.Contains(server.asked(), "GET /releases/download/v1.2.3/"+archive(version)) {
					t.Error("the archive was downloaded before its signature was verified")
				}
			})
		})
	}
}

// A mirror, or somebody on the way, must not get around the signature by leaving it out.
func TestSignatureThatIsMissing(t *testing.T) {
	server := newServer(t)
	server.remove("SHA256SUMS.sigstore.json")
	each(t, shells(t), func(t *testing.T, sh shell) {
		m := newMachine(t, sh, usual)
		fakeCosign(t, m, "")
		args := []string{"--base-url", server.base(), "--prefix", filepath.Join(m.home, "p")}
		m.run(t, args...).want(t, 1, "cannot download the signature of SHA256SUMS of v1.2.3", "--skip-signature does without")
		wantUntouched(t, filepath.Join(m.home, "p"))
		dry := m.run(t, append(args, "--dry-run")...)
		if dry.want(t, 0); !strings.Contains(dry.stdout, "would verify its signature with cosign\n") {
			t.Errorf("stdout does not speak of cosign:\n%s", dry.stdout)
		}
		m.run(t, append(args, "--skip-signature")...).want(t, 0)
		wantInstalled(t, filepath.Join(m.home, "p/bin"), version)
		wantUntouched(t, filepath.Join(m.home, "calls"))
	})
}
