//go:build unix

package podiotest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tools are the applets that are linked: what a shell script about files can want. All of busybox would be three times as many links
// for every Server.
const tools = `[ ash awk base64 basename cat chgrp chmod chown cmp cp cpio cut date dd df diff dirname du echo egrep env expr
	fallocate false find fold grep gunzip gzip head hexdump hostname id kill link ln ls md5sum mkdir mkfifo mktemp mv
	nproc od paste printf ps pwd readlink realpath rev rm rmdir sed seq setsid sh sha1sum sha256sum sha512sum shred shuf
	sleep sort stat stty sync tac tail tar tee test time timeout touch tr true truncate tty uname uniq unlink usleep wc
	which xargs xxd yes zcat`

// applets returns a new directory with a link to busybox for every one of tools. busybox 1.35 of Debian 12 has them all.
func applets(t testing.TB) string {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("these tests need busybox: apt-get install busybox-static (%v)", err)
	}
	dir := t.TempDir()
	for _, name := range strings.Fields(tools) {
		if err := os.Symlink(busybox, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
