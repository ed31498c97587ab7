//go:build unix

package preflight

import "syscall"

// makeSpecial makes what is neither a file nor a directory nor a link.
func makeSpecial(path string) error { return syscall.Mkfifo(path, 0o644) }
