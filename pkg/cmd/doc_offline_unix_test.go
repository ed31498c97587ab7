//go:build unix

package cmd

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/hack/pages"
)

// pluginOnly is a kubectl that finds the plugin as the real one does, and has no cluster.
const pluginOnly = `#!/bin/sh
[ "$1" = tracebloc ] || { echo "there is no cluster for: kubectl $*" >&2; exit 97; }
shift
exec ` + binary + ` "$@"
`

// Every command line of the pages that needs no cluster does what the page shows, typed into a shell in the order of the page. The
// plugin is this test's own binary.
func TestOfflineCommands(t *testing.T) {
	ran := 0
	for _, page := range documentation(t) {
		lines := slices.DeleteFunc(page.Lines(), func(line pages.Line) bool {
			class, err := pages.Classify(line)
			return err != nil || class != pages.Offline
		})
		if len(lines) == 0 {
			continue
		}
		ran += len(lines)
		t.Run(page.Name, func(t *testing.T) {
			t.Parallel()
			world, err := pages.NewWorld("../..", t.TempDir(), pluginOnly, lines)
			if err != nil {
				t.Fatal(err)
			}
			env := append(world.Env, "KUBECONFIG="+filepath.Join(world.Dir, "no-kubeconfig"))
			steps, err := pages.Run(t.Context(), world.Dir, env, lines)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range steps {
				if err := step.Check(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if ran < 20 {
		t.Errorf("only %d lines need no cluster: the pages are not read as they are meant", ran)
	}
}
