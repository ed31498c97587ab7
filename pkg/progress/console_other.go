//go:build !windows

package progress

// readsSequences reports whether the terminal obeys escape sequences.
func readsSequences(uintptr) bool { return true }
