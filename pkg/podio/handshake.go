package podio

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
)

// maxRefusal bounds what is read of the body of a refusal, in bytes.
const maxRefusal = 64 << 10

// handshake keeps how the last attempt to upgrade a connection ended. client-go turns it into text: a 403 of the API server could not be
// told from a proxy's 502, and the text of a failed dial has the whole URL in it, with every word of the command.
type handshake struct {
	// warn gets the warnings of the API server, which client-go looks for in the answers to all other requests; nil drops them.
	warn rest.WarningHandler

	mu  sync.Mutex
	err error
}

// watch is a transport.WrapperFunc.
func (h *handshake) watch(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		failure := err
		if err == nil && h.warn != nil {
			warnings, _ := utilnet.ParseWarningHeaders(resp.Header["Warning"]) // those that cannot be read are dropped, as by client-go
			for _, w := range warnings {
				h.warn.HandleWarningHeader(w.Code, w.Agent, w.Text)
			}
		}
		if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
			failure = readRefusal(req, resp)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.err = failure
		return resp, err
	})
}

// refusal returns why the last attempt did not end with an upgraded connection, as an *apierrors.StatusError where the server answered,
// and nil when it did.
func (h *handshake) refusal() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var status *apierrors.StatusError
	if errors.As(h.err, &status) {
		return status
	}
	return h.err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// readRefusal turns an answer that is not an upgrade into an error and leaves the body readable for client-go.
func readRefusal(req *http.Request, resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	if err != nil {
		return err
	}
	return parseRefusal(req.Method, resp.StatusCode, body)
}

// parseRefusal returns an *apierrors.StatusError: the Status in body where it is one, else one made of the code and the text.
func parseRefusal(method string, code int, body []byte) error {
	var status metav1.Status
	if json.Unmarshal(body, &status) == nil && status.Kind == "Status" && status.Status == metav1.StatusFailure && status.Message != "" {
		return &apierrors.StatusError{ErrStatus: status}
	}
	text := strings.TrimSpace(string(body))
	refusal := apierrors.NewGenericServerResponse(code, method, schema.GroupResource{Resource: "pods"}, "", text, 0, true)
	if text != "" {
		// The node answers in plain text (`container not found ("stage")`), and the general words for its code hide that.
		refusal.ErrStatus.Message = text
	}
	return refusal
}
