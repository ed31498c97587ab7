package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

var errEnded = errors.New("it ended before it was ready")

// Forward opens a port of a Pod on 127.0.0.1. The forward lives until done is called or ctx ends.
func (r *Release) Forward(ctx context.Context, pod string, port int) (address string, done func(), err error) {
	url := r.Client.CoreV1().RESTClient().Post().Resource("pods").Namespace(r.Options.Namespace).Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(r.Config)
	if err != nil {
		return "", nil, fmt.Errorf("forward to Pod %q: %w", pod, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	ready := make(chan struct{})
	dialer := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	pf, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf(":%d", port)}, ready, io.Discard, io.Discard)
	if err != nil {
		cancel()
		return "", nil, fmt.Errorf("forward to Pod %q: %w", pod, err)
	}
	var failure error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		failure = pf.ForwardPorts()
	}()
	select {
	case <-ended:
		cancel()
		return "", nil, fmt.Errorf("forward to Pod %q: %w", pod, errors.Join(failure, errEnded))
	case <-ready:
	}
	done = func() {
		cancel()
		<-ended
	}
	ports, err := pf.GetPorts()
	if err != nil {
		done()
		return "", nil, fmt.Errorf("forward to Pod %q: %w", pod, err)
	}
	return fmt.Sprintf("127.0.0.1:%d", ports[0].Local), done, nil
}

// ReadyPod is the name of a Ready Pod with the label app=APP: manager, mysql-client or requests-proxy.
func (r *Release) ReadyPod(ctx context.Context, app string) (string, error) {
	pods, err := r.Client.CoreV1().Pods(r.Options.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + app})
	if err != nil {
		return "", fmt.Errorf("find the Pod of %q: %w", app, err)
	}
	for _, p := range pods.Items {
		if p.DeletionTimestamp != nil {
			continue
		}
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return p.Name, nil
			}
		}
	}
	return "", fmt.Errorf("find the Pod of %q in namespace %q: none is Ready", app, r.Options.Namespace)
}
