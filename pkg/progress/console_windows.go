package progress

import "syscall"

// readsSequences reports whether the console obeys escape sequences.
func readsSequences(fd uintptr) bool {
	console := syscall.Handle(fd)
	return allowSequences(
		func() (uint32, error) {
			var mode uint32
			err := syscall.GetConsoleMode(console, &mode)
			return mode, err
		},
		func(mode uint32) error {
			set := syscall.NewLazyDLL("kernel32.dll").NewProc("SetConsoleMode")
			if done, _, err := set.Call(fd, uintptr(mode)); done == 0 {
				return err
			}
			return nil
		})
}
