package krew

import "testing"

// The manifest passes krew's own validator, which installs every platform, and manifests that are wrong in one thing do not.
func TestValidator(t *testing.T) {
	path, err := validator()
	if err != nil {
		t.Fatal(err)
	}
	p := here(t)
	arm := "arch: arm64"
	for name, test := range map[string]struct {
		changes []string
		refusal string
	}{
		"as it is":                  {nil, ""},
		"another sum":               {[]string{p.SHA256, wrongSum}, "checksum does not match"},
		"no such archive":           {[]string{p.archive(), "nothing.tar.gz"}, "failed to install"},
		"two for one platform":      {[]string{arm, "arch: amd64"}, "overlapping"},
		"no platform that there is": {[]string{arm, "arch: vax"}, "doesn't match any supported platforms"},
		"no version":                {[]string{"version: " + dist.manifest.Spec.Version, "version: latest"}, "validation error"},
		"no such executable":        {[]string{"bin: kubectl-tracebloc\n", "bin: kubectl-nothing\n"}, "failed to install"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			r := l.run(t, path, "-manifest", l.manifest(t, test.changes...))
			if test.refusal == "" {
				r.succeeds(t, "all 8 spec.platforms installed fine")
			} else {
				r.fails(t, test.refusal)
			}
		})
	}
}
