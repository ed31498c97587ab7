// Package podio talks to a running Pod: it executes commands in a container and forwards a port.
//
// It is the only package that knows of WebSocket and SPDY. Both calls go the way of kubectl: WebSocket first, SPDY where the server
// or something before it refuses the upgrade; KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false and KUBECTL_PORT_FORWARD_WEBSOCKETS=false
// choose SPDY at once.
package podio

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// Target names a container of a running Pod. An empty Container stands for the only container of the Pod.
type Target struct {
	Namespace string
	Pod       string
	Container string
}

// String returns "namespace/pod", followed by "/container" where one is named.
func (t Target) String() string {
	if t.Container == "" {
		return t.Namespace + "/" + t.Pod
	}
	return t.Namespace + "/" + t.Pod + "/" + t.Container
}

// Client opens exec sessions and port-forwards with the credentials of one rest.Config. It may be used concurrently; every session has
// a connection of its own.
type Client struct {
	config *rest.Config
	rest   *rest.RESTClient
	spdy   bool
}

// New returns a Client for the cluster of config, which is copied. The WarningHandler of config also gets the warnings of sessions. Its
// Timeout bounds none.
func New(config *rest.Config) (*Client, error) {
	core := rest.CopyConfig(config)
	core.APIPath = "/api"
	core.GroupVersion = &corev1.SchemeGroupVersion
	core.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	client, err := rest.RESTClientFor(core)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to the cluster: %w", err)
	}
	return &Client{config: rest.CopyConfig(config), rest: client}, nil
}

// SPDY returns a Client whose exec sessions are SPDY from the start. A session in which the command does not read for a minute ends over
// WebSocket, and goes on over SPDY.
func (c *Client) SPDY() *Client {
	plain := *c
	plain.spdy = true
	return &plain
}
