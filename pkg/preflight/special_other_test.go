//go:build !unix

package preflight

import "net"

// makeSpecial makes what is neither a file nor a directory nor a link: a socket that nobody listens on.
func makeSpecial(path string) error {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	listener.SetUnlinkOnClose(false)
	return listener.Close()
}
