package podio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestStreamsDetach(t *testing.T) {
	t.Parallel()
	_, abort := context.WithCancelCause(t.Context())
	in := strings.NewReader("hello")
	var out bytes.Buffer
	s := newStreams(abort, in, &out, nil)
	stdin, stdout, stderr := s.remote()
	if stderr != nil {
		t.Error("a stream that was not given is not nil")
	}
	if _, err := stdin.Read(make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Write([]byte("before")); err != nil {
		t.Fatal(err)
	}
	s.detach()
	if n, err := stdin.Read(make([]byte, 2)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("Read after detach: got %d and %v", n, err)
	}
	if n, err := stdout.Write([]byte("after")); n != 5 || err != nil {
		t.Errorf("Write after detach: got %d and %v", n, err)
	}
	if in.Len() != 3 || out.String() != "before" {
		t.Errorf("the caller's streams were used after detach: %d bytes left, got %q", in.Len(), &out)
	}
}
