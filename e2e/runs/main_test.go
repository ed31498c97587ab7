package runs

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/manifests"
)

// sideBySide is how many tests run at once: they wait for the cluster most of the time, some for minutes.
const sideBySide = 10

// cluster is what all tests of this package share; it is filled once, by TestMain.
var cluster struct {
	config *rest.Config
	images manifests.Images
}

func TestMain(m *testing.M) {
	flag.Parse()
	err := prepare(context.Background())
	if given := false; err == nil {
		flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
		if !given {
			err = flag.Set("test.parallel", strconv.Itoa(sideBySide))
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the end-to-end tests need a cluster and the built plugin (make e2e brings both):", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func prepare(ctx context.Context) error {
	path, err := exec.LookPath("kubectl-tracebloc")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "testing", path)
	if cluster.config, err = clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")); err != nil {
		return err
	}
	cluster.config.QPS, cluster.config.Burst = 200, 400
	cluster.images, err = release.Images(ctx, cluster.config, "..", os.Stderr)
	return err
}
