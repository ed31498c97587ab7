//go:build unix

package podio

import (
	"io"
	"strings"
	"testing"

	"k8s.io/streaming/pkg/httpstream"
)

// textStream is a stream that has something to read.
type textStream struct {
	httpstream.Stream
	io.Reader
}

func (s textStream) Read(p []byte) (int, error) { return s.Reader.Read(p) }

func TestErrorStream(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		in   io.Reader
		want []string
	}{
		"no error":    {strings.NewReader(""), nil},
		"error":       {strings.NewReader("connection refused"), []string{"connection refused"}},
		"endless one": {endless{}, []string{strings.Repeat("\x00", maxPortMessage)}},
	} {
		var got []string
		stream := &errorStream{Stream: textStream{Reader: test.in}, report: func(message string) { got = append(got, message) }}
		if _, err := io.ReadAll(stream); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(test.want) || (len(got) == 1 && got[0] != test.want[0]) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
