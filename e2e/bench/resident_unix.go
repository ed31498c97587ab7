//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// maxResident is the most memory in bytes that an ended process had resident at once. A process starts as a copy of its
// parent, so that the parent, this program, must stay smaller than what it measures.
func maxResident(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(usage.Maxrss) //nolint:unconvert // the type of the field differs between systems
	}
	return int64(usage.Maxrss) * 1024 //nolint:unconvert // the type of the field differs between systems
}
