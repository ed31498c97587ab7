//go:build unix

package podiotest

import "testing"

// EachTransport runs test twice, as a parallel subtest for WebSocket and one for SPDY, with the Options that lead there.
func EachTransport(t *testing.T, test func(t *testing.T, options Options)) {
	t.Helper()
	for _, transport := range []struct {
		name    string
		options Options
	}{
		{"websocket", Options{}},
		{"spdy", Options{NoWebSocket: true}},
	} {
		t.Run(transport.name, func(t *testing.T) {
			t.Parallel()
			test(t, transport.options)
		})
	}
}
