// Command jobsmanager stands in for the private jobs-manager image of a tracebloc client release. It answers
// POST /internal/submit-ingestion-run as contract/cluster.md §2 describes: a real TokenReview, the authz policy, the
// schema, idempotency, and a real Job. It talks to no tracebloc backend, and it can be told to misbehave (package fault).
//
// With the argument idle it stands in for the images that play no part in an ingestion: it says so and waits.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := serve
	if len(os.Args) > 1 && os.Args[1] == "idle" {
		run = idle
	}
	if err := run(ctx); err != nil {
		logf("%v", err)
		os.Exit(1)
	}
}

func logf(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stdout, time.Now().UTC().Format(time.RFC3339)+" "+format+"\n", args...)
}

// idle keeps a container of the release's shape alive. STANDIN_LISTEN opens a port, for probes.
func idle(ctx context.Context) error {
	logf("stand-in for tests: this container only keeps the shape of a tracebloc release")
	if addr := os.Getenv("STANDIN_LISTEN"); addr != "" {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return listen(ctx, l, http.NotFoundHandler())
	}
	<-ctx.Done()
	return nil
}

func serve(ctx context.Context) error {
	logf("stand-in for tests: jobs-manager without the tracebloc backend")
	settings, err := settingsFromEnv(os.Getenv)
	if err != nil {
		return err
	}
	config, err := rest.InClusterConfig()
	if err != nil {
		return fmt.Errorf("find the API server: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	schema, err := spec.Compile()
	if err != nil {
		return err
	}
	policy, err := readPolicy(policyPath)
	if err != nil {
		return err
	}
	faults := &faultSwitch{}
	admin, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf(":%d", fault.Port))
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- listen(ctx, admin, faults.handler()) }()
	if err := waitForMySQL(ctx, client, settings); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil
	}
	if settings.HTTPDisabled {
		logf("INGESTION_HTTP_DISABLED is set: port 8080 stays closed")
		return <-failed
	}
	api, err := (&net.ListenConfig{}).Listen(ctx, "tcp", ":8080")
	if err != nil {
		return err
	}
	s := &server{client: client, settings: settings, schema: schema, policy: policy, faults: faults}
	go func() { failed <- listen(ctx, api, s.handler()) }()
	logf("listening on 8080")
	return <-failed
}

// listen serves until ctx ends, then lets running requests finish for a moment.
func listen(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = srv.Shutdown(last)
	})
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
