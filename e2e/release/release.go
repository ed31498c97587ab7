// Package release installs the shape of a tracebloc client release into a real cluster, with honest stand-ins for its
// private images, and gives tests a hold on it: rows of the database, the shared volume, faults, submits by hand.
package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/images"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/manifests"
)

// Options shape a release, see manifests.Options.
type Options = manifests.Options

// AuthzEntry is one line of the authz policy.
type AuthzEntry = manifests.AuthzEntry

// Release is an installed release.
type Release struct {
	Options Options
	Config  *rest.Config
	Client  kubernetes.Interface
}

// Connect takes hold of a release that Install has put into the cluster before; nothing is looked up.
func Connect(config *rest.Config, options Options) (*Release, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &Release{Options: options.Default(), Config: config, Client: client}, nil
}

// ModuleDir is the directory of the e2e module, when the working directory is inside it, as with go run and go test.
func ModuleDir(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the e2e module: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if filepath.Base(mod) != "go.mod" {
		return "", errors.New("find the e2e module: run in the e2e directory")
	}
	return filepath.Dir(mod), nil
}

// Images builds the images that the cache lacks, loads those that the cluster lacks, and returns their references.
// moduleDir is the directory of the e2e module; what is done goes to log.
func Images(ctx context.Context, config *rest.Config, moduleDir string, log io.Writer) (manifests.Images, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return manifests.Images{}, fmt.Errorf("make a client: %w", err)
	}
	cache, err := images.DefaultCache()
	if err != nil {
		return manifests.Images{}, err
	}
	set, err := images.Build(ctx, cache, moduleDir, log)
	if err != nil {
		return manifests.Images{}, err
	}
	if err := images.Load(ctx, client, moduleDir, set.All(), log); err != nil {
		return manifests.Images{}, err
	}
	return references(set), nil
}

// references are what the Pods name: tags, as the chart does, and digests for the two images that the chart pins.
func references(set images.Set) manifests.Images {
	var digests []string
	for _, a := range set.All() {
		digests = append(digests, a.Digest)
	}
	sum := sha256.Sum256([]byte(strings.Join(digests, " ")))
	repository := set.Ingestor.Repository()
	return manifests.Images{
		JobsManager:        set.JobsManager.Ref,
		PodsMonitor:        set.PodsMonitor.Ref,
		MySQL:              set.MySQL.Repository() + "@" + set.MySQL.Digest,
		Busybox:            set.Busybox.Ref,
		IngestorRepository: repository,
		IngestorTag:        strings.TrimPrefix(set.Ingestor.Ref, repository+":"),
		IngestorDigest:     set.Ingestor.Digest,
		ID:                 hex.EncodeToString(sum[:8]),
	}
}

// Install applies the release and waits until it is ready; with replicas 0 or the HTTP server off, as far as it gets.
// It can be repeated: what is there already stays, and is changed where options differ. options.Images must be set.
func Install(ctx context.Context, config *rest.Config, options Options, log io.Writer) (*Release, error) {
	if options.Images.JobsManager == "" {
		return nil, errors.New("install the release: no images (call release.Images first)")
	}
	r, err := Connect(config, options)
	if err != nil {
		return nil, err
	}
	if r.Options.APIServer == "" {
		if r.Options.APIServer, err = apiServer(ctx, r.Client); err != nil {
			return nil, err
		}
	}
	objects, err := manifests.Objects(r.Options)
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(log, "installing release %q in namespace %q: %d objects\n", r.Options.Name, r.Options.Namespace, len(objects))
	if err := apply(ctx, config, objects); err != nil {
		return nil, fmt.Errorf("install release %q: %w", r.Options.Name, err)
	}
	if err := r.waitReady(ctx, log); err != nil {
		return nil, fmt.Errorf("install release %q: %w", r.Options.Name, err)
	}
	return r, nil
}

// apiServer is where Pods reach the API server in a cluster without Service addresses: its own endpoint. In a cluster that
// has DNS, Service addresses work, and the result is empty.
func apiServer(ctx context.Context, client kubernetes.Interface) (string, error) {
	_, err := client.CoreV1().Services(metav1.NamespaceSystem).Get(ctx, "kube-dns", metav1.GetOptions{})
	if err == nil {
		return "", nil
	}
	if !apierrors.IsNotFound(err) {
		return "", fmt.Errorf("look for the cluster's DNS: %w", err)
	}
	slices, err := client.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=kubernetes"})
	if err != nil {
		return "", fmt.Errorf("find the API server's endpoint: %w", err)
	}
	for _, s := range slices.Items {
		for _, e := range s.Endpoints {
			for _, p := range s.Ports {
				if len(e.Addresses) > 0 && p.Port != nil {
					return net.JoinHostPort(e.Addresses[0], strconv.Itoa(int(*p.Port))), nil
				}
			}
		}
	}
	return "", errors.New("find the API server's endpoint: the EndpointSlice of default/kubernetes is empty")
}
