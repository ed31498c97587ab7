package cmd

import (
	"errors"
	"fmt"
	"net/http"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	appsv1 "k8s.io/client-go/kubernetes/typed/apps/v1"
	authenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	batchv1 "k8s.io/client-go/kubernetes/typed/batch/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// clients is client-go's own clients of the API groups that the plugin asks, and of no others: kubernetes.NewForConfig links the code of
// all of them, a tenth of the binary. A group that is missing here has a nil client.
type clients struct {
	kubernetes.Interface // nil: for the rest of the interface

	discovery      *discovery.DiscoveryClient
	apps           *appsv1.AppsV1Client
	authentication *authenticationv1.AuthenticationV1Client
	authorization  *authorizationv1.AuthorizationV1Client
	batch          *batchv1.BatchV1Client
	core           *corev1.CoreV1Client
}

// newClients does what kubernetes.NewForConfig does: all groups share one HTTP client, and one limit of requests.
func newClients(config *rest.Config) (kubernetes.Interface, error) {
	config = rest.CopyConfig(config)
	if config.UserAgent == "" {
		config.UserAgent = rest.DefaultKubernetesUserAgent()
	}
	if config.RateLimiter == nil && config.QPS > 0 {
		if config.Burst <= 0 {
			return nil, fmt.Errorf("burst is %d where QPS is %g; it must be greater than 0", config.Burst, config.QPS)
		}
		config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(config.QPS, config.Burst)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	c := &clients{}
	if err := c.open(config, client); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *clients) open(config *rest.Config, client *http.Client) error {
	errs := make([]error, 6)
	c.discovery, errs[0] = discovery.NewDiscoveryClientForConfigAndClient(config, client)
	c.apps, errs[1] = appsv1.NewForConfigAndClient(config, client)
	c.authentication, errs[2] = authenticationv1.NewForConfigAndClient(config, client)
	c.authorization, errs[3] = authorizationv1.NewForConfigAndClient(config, client)
	c.batch, errs[4] = batchv1.NewForConfigAndClient(config, client)
	c.core, errs[5] = corev1.NewForConfigAndClient(config, client)
	return errors.Join(errs...)
}

func (c *clients) Discovery() discovery.DiscoveryInterfaces { return c.discovery }
func (c *clients) AppsV1() appsv1.AppsV1Interface           { return c.apps }
func (c *clients) AuthenticationV1() authenticationv1.AuthenticationV1Interface {
	return c.authentication
}
func (c *clients) AuthorizationV1() authorizationv1.AuthorizationV1Interface { return c.authorization }
func (c *clients) BatchV1() batchv1.BatchV1Interface                         { return c.batch }
func (c *clients) CoreV1() corev1.CoreV1Interface                            { return c.core }
