package podio

import (
	"io"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"
)

// maxPortMessage bounds the node's text about a connection, in bytes. client-go would read it without a limit.
const maxPortMessage = 4 << 10

// watchedDialer reports what the node says on the error stream of a forwarded connection. client-go only logs it.
type watchedDialer struct {
	httpstream.Dialer
	report func(message string)
}

func (d *watchedDialer) Dial(protocols ...string) (httpstream.Connection, string, error) {
	conn, protocol, err := d.Dialer.Dial(protocols...)
	if err != nil {
		return nil, "", err
	}
	return &watchedConnection{Connection: conn, report: d.report}, protocol, nil
}

type watchedConnection struct {
	httpstream.Connection
	report func(message string)
}

func (c *watchedConnection) CreateStream(headers http.Header) (httpstream.Stream, error) {
	stream, err := c.Connection.CreateStream(headers)
	if err != nil || headers.Get(corev1.StreamType) != corev1.StreamTypeError {
		return stream, err
	}
	return &errorStream{Stream: stream, report: c.report}, nil
}

// RemoveStreams gives the connection back the streams that it knows.
func (c *watchedConnection) RemoveStreams(streams ...httpstream.Stream) {
	known := make([]httpstream.Stream, 0, len(streams))
	for _, stream := range streams {
		if wrapped, ok := stream.(*errorStream); ok {
			stream = wrapped.Stream
		}
		known = append(known, stream)
	}
	c.Connection.RemoveStreams(known...)
}

// errorStream reports its text when it ends, before client-go learns of the end and closes the local connection: whoever sees that
// connection end finds the reason in Forward.Err.
type errorStream struct {
	httpstream.Stream
	report func(message string)
	text   strings.Builder
}

func (s *errorStream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	s.text.Write(p[:n])
	if err == nil && s.text.Len() >= maxPortMessage {
		err = io.EOF
	}
	if err != nil && s.text.Len() > 0 {
		s.report(s.text.String()[:min(s.text.Len(), maxPortMessage)])
		s.text.Reset()
	}
	return n, err
}
