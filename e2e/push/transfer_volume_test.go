package push

import (
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/tracebloc/kubectl-tracebloc/e2e/link"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
)

// Volumes that are full, broken or in the way: a push says which and what to do, and works when it is put right. The node takes the Pods
// of this release only while it has the label.
func testVolumes(t *testing.T) {
	l := openLab(t, "volume", release.Options{NodeSelector: map[string]string{"e2e-volume-" + rand.String(5): "yes"}})
	for _, volume := range []struct {
		name    string
		options string // of a tmpfs
		script  string // run in it, with the directory of the table as $1
		repair  string // the same, and that of another file system where it is empty
		texts   []string
	}{
		{"too small", "size=20m", "", "", []string{"bytes free", "needs 25174016", "free some"}},
		{"few inodes", "size=200m,nr_inodes=20", "", "", []string{"inodes free", "needs 26", "free some"}},
		{"read-only", "ro", "", "", []string{"read-only"}},
		{"not writable", "size=200m", "chmod 0755 .", "chmod 0777 .", []string{"permission denied", "writable for the user"}},
		{"table not writable", "size=200m", `mkdir -p "$1" && chmod -R 0755 .tracebloc-staging`, "chmod -R 0777 .tracebloc-staging", []string{"permission denied", "writable for the user"}},
		{"file in the way", "size=200m", `mkdir -p "${1%/*}" && touch "$1" && chmod -R 0777 .`, `rm "$1"`, []string{"cannot be used", "File exists", "move it away"}},
		{"link in the way", "size=200m", `mkdir -p "${1%/*}" elsewhere && ln -s ../elsewhere "$1" && chmod -R 0777 .`, `[ -z "$(ls -A elsewhere)" ] && rm "$1"`, []string{"symbolic link", "move it away"}},
		{"link for the staging directory", "size=200m", `mkdir elsewhere && ln -s elsewhere .tracebloc-staging && chmod -R 0777 .`, `[ -z "$(ls -A elsewhere)" ] && rm .tracebloc-staging`, []string{"symbolic link", "move it away"}},
	} {
		t.Run(volume.name, func(t *testing.T) {
			table := "volume_" + strings.NewReplacer(" ", "_", "-", "_").Replace(volume.name)
			dir := photos(t, filepath.Join(t.TempDir(), table), 90, 24, 1<<20)
			unmount := l.mount(t, volume.options)
			l.inDisk(t, volume.script, table)
			r := l.push(t, dir).expect(t, 7, volume.texts...)
			o := r.object(t)
			if o.Status.Step != "stage" || o.Status.Job != "" || r.staged(t).SentBytes != 0 {
				t.Errorf("got %+v", o.Status)
			}
			l.onlyTrees(t, table)
			lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
			t.Log(lines[len(lines)-1])
			if volume.repair == "" {
				unmount()
			} else {
				l.inDisk(t, volume.repair, table)
			}
			l.good(t, dir)
		})
	}
	t.Run("filled meanwhile", func(t *testing.T) { testFilled(t, l) })
	t.Run("no node", func(t *testing.T) { testNoNode(t, l) })
}

// Something else takes the space in the middle of a transfer.
func testFilled(t *testing.T, l *lab) {
	l.mount(t, "size=60m")
	dir := photos(t, filepath.Join(t.TempDir(), "filled"), 91, 40, 1<<20)
	first := l.remember(t, l.good(t, photos(t, filepath.Join(t.TempDir(), "filled"), 92, 2, 1<<20)).Path)
	c, _ := l.halfway(t, dir, link.Shape{Rate: 8 << 20}, 60)
	l.inDisk(t, "dd if=/dev/zero of=filler bs=64k 2>/dev/null || :", "filled")
	r := c.wait().expect(t, 7, "no space is left", "free some")
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	t.Log(lines[len(lines)-1])
	l.nothingLeft(t, "filled")
	l.onlyTrees(t, "filled", first.path)
	l.untouched(t, first)

	l.inDisk(t, "rm filler", "filled")
	s := l.good(t, dir)
	if s.TakenOverBytes == 0 {
		t.Errorf("nothing was taken over: %+v", s)
	}
	l.untouched(t, first)
}

// mount lays an empty file system in memory over the disk: later Pods get that. It goes with the test at the latest.
func (l *lab) mount(t *testing.T, options string) (unmount func()) {
	t.Helper()
	l.sh(t, `mount -t tmpfs -o "mode=0777,$2" tmpfs "$1"`, l.disk, options)
	mounted := true
	unmount = func() {
		if mounted {
			l.sh(t, `umount -l "$1"`, l.disk)
		}
		mounted = false
	}
	t.Cleanup(unmount)
	return unmount
}

// inDisk runs a script in the disk. $1 is the staging directory of the table.
func (l *lab) inDisk(t *testing.T, script, table string) {
	t.Helper()
	l.sh(t, `cd "$1" && script=$2 && set -- "$3" && eval "$script"`, l.disk, script, l.root(table))
}
