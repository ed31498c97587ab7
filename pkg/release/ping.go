package release

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"k8s.io/client-go/transport"
)

const (
	pingTimeout = 15 * time.Second
	// maxPingBody bounds what is shown of a health report.
	maxPingBody = 2 << 10
)

// NotReadyError says that jobs-manager answers, and that it cannot take a
// submit now.
type NotReadyError struct {
	// Body is the beginning of its health report: foreign text.
	Body string
}

func (e *NotReadyError) Error() string {
	if e.Body == "" {
		return "jobs-manager answers that it is not ready (status 503); see its log"
	}
	return fmt.Sprintf("jobs-manager answers that it is not ready (status 503): %q; see its log", e.Body)
}

// Ping asks jobs-manager at baseURL, "http://127.0.0.1:40123", for its health.
// Any answer but 503 means that it serves: older ones do not know /healthz, and
// whether it wants a token is not public (contract cluster.md §2.3). It takes
// 15 seconds at most. The errors are *NotReadyError and those of the connection.
func Ping(ctx context.Context, baseURL string) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(baseURL, "/")+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("ask jobs-manager for its health: %w", err)
	}
	// No proxy of the environment may stand between us and our own forward, and
	// a redirect is an answer like any other. -v shows it like the requests to
	// the API server.
	direct := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{
		Transport:     transport.DebugWrappers(direct),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer direct.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("jobs-manager does not answer through the port-forward: %w (its log tells whether it is up and listens)", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusServiceUnavailable {
		return nil
	}
	// A report that breaks off is still worth showing.
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxPingBody))
	return &NotReadyError{Body: strings.TrimSpace(string(body))}
}
