// Command install puts a tracebloc client release with stand-ins for its private images into the cluster of the current
// kubeconfig, or takes it away with --uninstall. It can be repeated.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		_, _ = fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, log io.Writer) error {
	var o release.Options
	flags := flag.NewFlagSet("install", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.StringVar(&o.Namespace, "namespace", "tracebloc", "the `namespace` of the release; it is made where it is missing")
	flags.StringVar(&o.Name, "release", "", "the `name` of the Helm release (default: the namespace)")
	flags.BoolVar(&o.Restricted, "restricted", false, "make the namespace enforce the restricted Pod Security Standard")
	flags.StringVar(&o.StorageClass, "storage-class", "standard", "the `class` of the volumes")
	accessMode := flags.String("access-mode", string(corev1.ReadWriteOnce), "the access `mode` of client-pvc")
	uninstall := flags.Bool("uninstall", false, "remove the release with its namespace and volumes")
	timeout := flags.Duration("timeout", 5*time.Minute, "how long to wait until the release is ready, or gone")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	o.AccessMode = corev1.PersistentVolumeAccessMode(*accessMode)
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w (set KUBECONFIG)", err)
	}
	if *uninstall {
		ctx, cancel := context.WithTimeout(ctx, *timeout)
		defer cancel()
		return remove(ctx, config, o, log)
	}
	dir, err := release.ModuleDir(ctx)
	if err != nil {
		return err
	}
	if o.Images, err = release.Images(ctx, config, dir, log); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	r, err := release.Install(ctx, config, o, log)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(log, "release %q is ready in namespace %q\n", r.Options.Name, r.Options.Namespace)
	return nil
}

func remove(ctx context.Context, config *rest.Config, o release.Options, log io.Writer) error {
	r, err := release.Connect(config, o)
	if err != nil {
		return err
	}
	if err := r.Uninstall(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(log, "release %q is gone from namespace %q\n", r.Options.Name, r.Options.Namespace)
	return nil
}
