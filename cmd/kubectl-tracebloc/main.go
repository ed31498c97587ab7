// kubectl-tracebloc is the kubectl plugin that takes a dataset from a laptop to
// an ingested table on a tracebloc client release.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/pkg/cmd"
)

// version is set by the linker in released builds.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// After the first signal the handler is gone, so that a second one ends the
	// process at once.
	context.AfterFunc(ctx, stop)

	// A reader that goes away (| head) must not kill the push before it has
	// cleaned up.
	signal.Ignore(syscall.SIGPIPE)

	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	err := cmd.Execute(ctx, version, streams)
	if err != nil {
		cmd.PrintError(os.Stderr, err)
	}
	os.Exit(cmd.ExitCode(err))
}
