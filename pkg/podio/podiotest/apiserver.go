//go:build unix

package podiotest

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/proxy"
	translator "k8s.io/apiserver/pkg/util/proxy"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/streaming/pkg/httpstream/wsstream"
)

// handler serves the two subresources as the API server does: WebSocket requests of the newer protocols are translated to SPDY, all
// others go to the node as they are.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/namespaces/{namespace}/pods/{pod}/exec", s.serveExec)
	mux.HandleFunc("/api/v1/namespaces/{namespace}/pods/{pod}/portforward", s.servePortForward)
	return mux
}

func (s *Server) serveExec(w http.ResponseWriter, req *http.Request) {
	s.record("exec", wsstream.IsWebSocketRequest(req))
	if err := s.admit(req); err != nil {
		writeStatus(w, err)
		return
	}
	options := execOptions(req.URL.Query())
	if s.options.Container != "" && options.Container != "" && options.Container != s.options.Container {
		writeStatus(w, apierrors.NewBadRequest("container "+options.Container+" is not valid for pod "+req.PathValue("pod")))
		return
	}
	response, err := s.cri.GetExec(&runtimeapi.ExecRequest{
		ContainerId: "container", Cmd: options.Command, Stdin: options.Stdin, Stdout: options.Stdout, Stderr: options.Stderr, Tty: options.TTY,
	})
	if err != nil {
		writeStatus(w, err)
		return
	}
	location, err := url.Parse(response.Url)
	if err != nil {
		writeStatus(w, err)
		return
	}
	transport := &http.Transport{}
	var handler http.Handler = proxy.NewUpgradeAwareHandler(location, transport, false, true, responder{})
	if !s.options.NoWebSocket {
		streams := translator.Options{Stdin: options.Stdin, Stdout: options.Stdout, Stderr: options.Stderr, Tty: options.TTY}
		handler = translator.NewTranslatingHandler(handler,
			translator.NewStreamTranslatorHandler(location, transport, 0, streams), wsstream.IsWebSocketRequestWithStreamCloseProtocol)
	}
	handler.ServeHTTP(w, req)
}

// execOptions reads the parameters of an exec request. client-go can only write them.
func execOptions(query url.Values) corev1.PodExecOptions {
	set := func(name string) bool { return query.Get(name) == "true" }
	return corev1.PodExecOptions{
		Container: query.Get("container"), Command: query["command"],
		Stdin: set("stdin"), Stdout: set("stdout"), Stderr: set("stderr"), TTY: set("tty"),
	}
}

func (s *Server) servePortForward(w http.ResponseWriter, req *http.Request) {
	s.record("portforward", wsstream.IsWebSocketRequest(req))
	if err := s.admit(req); err != nil {
		writeStatus(w, err)
		return
	}
	response, err := s.cri.GetPortForward(&runtimeapi.PortForwardRequest{PodSandboxId: req.PathValue("pod")})
	if err != nil {
		writeStatus(w, err)
		return
	}
	location, err := url.Parse(response.Url)
	if err != nil {
		writeStatus(w, err)
		return
	}
	var handler http.Handler = proxy.NewUpgradeAwareHandler(location, &http.Transport{}, false, true, responder{})
	if !s.options.NoWebSocket {
		handler = translator.NewTranslatingHandler(handler,
			translator.NewTunnelingHandler(handler), wsstream.IsWebSocketRequestWithTunnelingProtocol)
	}
	handler.ServeHTTP(w, req)
}

// admit refuses what the test wants refused, and Pods that do not exist.
func (s *Server) admit(req *http.Request) error {
	if s.options.Refuse != nil {
		if status := s.options.Refuse(req); status != nil {
			return &apierrors.StatusError{ErrStatus: *status}
		}
	}
	namespace, pod := req.PathValue("namespace"), req.PathValue("pod")
	if s.deleted.Load() || (s.options.Namespace != "" && namespace != s.options.Namespace) || (s.options.Pod != "" && pod != s.options.Pod) {
		return apierrors.NewNotFound(corev1.Resource("pods"), pod)
	}
	return nil
}

// responder writes the errors of the proxy as the API server does.
type responder struct{}

func (responder) Error(w http.ResponseWriter, _ *http.Request, err error) { writeStatus(w, err) }

// writeStatus answers with the Status of err, and with 500 for an error that has none.
func writeStatus(w http.ResponseWriter, err error) {
	var api apierrors.APIStatus
	if !errors.As(err, &api) {
		api = apierrors.NewInternalError(err)
	}
	status := api.Status()
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(status.Code))
	_ = json.NewEncoder(w).Encode(status) // the client may have gone
}
