package cmd

import (
	"fmt"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubeconfigs with auth-provider: oidc
	"k8s.io/client-go/rest"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

// cluster is the way to the cluster that the kubeconfig and the flags name.
type cluster struct {
	namespace string
	client    kubernetes.Interface
	streams   *podio.Client
}

// connect reads the kubeconfig; it makes no request.
func connect(getter genericclioptions.RESTClientGetter) (cluster, error) {
	namespace, _, err := getter.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return cluster{}, fmt.Errorf("read the kubeconfig: %w (kubectl config get-contexts lists the contexts)", err)
	}
	config, err := getter.ToRESTConfig()
	if err != nil {
		return cluster{}, fmt.Errorf("read the kubeconfig: %w (kubectl config get-contexts lists the contexts)", err)
	}
	// client-go's default of five requests a second would make the permission
	// checks take longer than everything else.
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = 50, 100
	client, err := newClients(config)
	if err != nil {
		return cluster{}, fmt.Errorf("use the kubeconfig: %w", err)
	}
	streams, err := podio.New(config)
	if err != nil {
		return cluster{}, fmt.Errorf("use the kubeconfig: %w", err)
	}
	return cluster{namespace: namespace, client: client, streams: streams}, nil
}
