package link

import (
	"fmt"
	"net"
	"net/url"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// ToCluster opens a link to the API server of a kubeconfig's current context, and writes a copy of that context to path whose
// server is the link. TLS is checked as before: the certificate still belongs to the server's own name. An empty kubeconfig means
// kubectl's own rules.
func ToCluster(kubeconfig, path string, shape Shape) (*Proxy, error) {
	config, cluster, err := current(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	server, err := url.Parse(cluster.Server)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: server: %w", err)
	}
	if cluster.ProxyURL != "" {
		return nil, fmt.Errorf("read the kubeconfig: proxy-url %q: a link reaches the API server directly; use a kubeconfig without it", cluster.ProxyURL)
	}
	port := server.Port()
	if port == "" {
		port = map[string]string{"http": "80"}[server.Scheme]
	}
	if port == "" {
		port = "443"
	}
	p, err := Listen(net.JoinHostPort(server.Hostname(), port), shape)
	if err != nil {
		return nil, err
	}
	if cluster.TLSServerName == "" && server.Scheme == "https" {
		cluster.TLSServerName = server.Hostname()
	}
	server.Host = p.Address()
	cluster.Server = server.String()
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("write the kubeconfig of a link: %w", err)
	}
	return p, nil
}

// current reads the kubeconfig with nothing but its current context in it, certificates included.
func current(kubeconfig string) (*clientcmdapi.Config, *clientcmdapi.Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	config, err := rules.Load()
	if err != nil {
		return nil, nil, err
	}
	if err := clientcmdapi.MinifyConfig(config); err != nil {
		return nil, nil, err
	}
	if err := clientcmdapi.FlattenConfig(config); err != nil {
		return nil, nil, err
	}
	cluster := config.Clusters[config.Contexts[config.CurrentContext].Cluster]
	return config, cluster, nil
}
