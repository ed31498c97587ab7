// Command ingestor stands in for the ingestor image that jobs-manager runs as a Job: it reads the spec, judges the dataset,
// copies its files, writes rows into the release's database, and prints what the real one prints, with its exit codes
// (contract/ingestor.md §3, version 0.3.9). It shares no rule with the plugin's preflight. What it leaves out is the
// tracebloc backend: it only runs with CLIENT_ENV=local, where the real one answers its own backend calls as well.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// Exit codes of the image, contract/ingestor.md §3.2.
const (
	exitOK          = 0
	exitFailed      = 1
	exitConfig      = 2
	exitNoMySQLHost = 64
	exitNoMySQL     = 65
	exitSignal      = 128 // and the number of the signal
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	go dieOf(syscall.SIGTERM)
	code := entrypoint(ctx, os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// dieOf ends the program as an unhandled signal does: the first process of a container is spared by the kernel, and Go would
// end with exit code 2.
func dieOf(s syscall.Signal) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, s)
	<-came
	os.Exit(exitSignal + int(s))
}

// entrypoint is the image's shell entrypoint, then its program.
func entrypoint(ctx context.Context, getenv func(string) string, stdout, stderr io.Writer) int {
	host := getenv("MYSQL_HOST")
	if host == "" {
		_, _ = fmt.Fprintln(stderr, "ERROR: MYSQL_HOST must be set (the tracebloc client provides this)")
		return exitNoMySQLHost
	}
	faults, err := faultsOfLife(getenv, scratch)
	if err == nil {
		err = begin(ctx, faults)
	}
	if err != nil {
		return report(err, stderr)
	}
	wait := 120
	if n, err := strconv.Atoi(getenv("MYSQL_WAIT_SECONDS")); err == nil {
		wait = n
	}
	if !waitForMySQL(ctx, stdout, host, time.Duration(wait)*time.Second) {
		_, _ = fmt.Fprintf(stderr, "ERROR: MySQL not reachable at %s:3306 after %ds\n", host, wait)
		return exitNoMySQL
	}
	return report(ingest(ctx, getenv, faults, stdout, stderr), stderr)
}

func waitForMySQL(ctx context.Context, stdout io.Writer, host string, patience time.Duration) bool {
	_, _ = fmt.Fprintf(stdout, "Waiting up to %ds for MySQL at %s:3306...\n", int(patience.Seconds()), host)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", net.JoinHostPort(host, "3306"))
		if err == nil {
			_ = conn.Close()
			_, _ = fmt.Fprintln(stdout, "MySQL is ready.")
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Second):
		}
	}
}

// configError ends the program with code 2, before anything was touched.
type configError struct{ text string }

func (e *configError) Error() string { return e.text }

// ingestError is what the real program catches and prints after "Ingestion failed: ".
type ingestError struct{ text string }

func (e *ingestError) Error() string { return e.text }

// uncaught is an exception that the real program does not catch. Its text is Python's, so that a log reads as the real one.
type uncaught struct{ text string }

func (e *uncaught) Error() string { return e.text }

func raise(format string, args ...any) error { return &uncaught{fmt.Sprintf(format, args...)} }

// recordsFailed ends the program with code 1 after the banner.
type recordsFailed struct{ line string }

func (e *recordsFailed) Error() string { return e.line }

// report prints how the program ends, and gives its exit code. Every other error is one that Python would not catch.
func report(err error, stderr io.Writer) int {
	var (
		config  *configError
		caught  *ingestError
		records *recordsFailed
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &config):
		_, _ = fmt.Fprintln(stderr, config.text)
		return exitConfig
	case errors.As(err, &caught):
		_, _ = fmt.Fprintf(stderr, "\nIngestion failed: %s\n", caught.text)
		return exitFailed
	case errors.As(err, &records):
		return exitFailed
	default:
		_, _ = fmt.Fprintf(stderr, "Traceback (most recent call last):\n  File \"/usr/local/bin/tracebloc-ingest\", line 8, in <module>\n    sys.exit(main())\nRuntimeError: %v\n", err)
		return exitFailed
	}
}

// ingest wires the program to the Pod's volume and database.
func ingest(ctx context.Context, getenv func(string) string, faults fault.Ingestor, stdout, stderr io.Writer) error {
	cfg, err := loadConfig(getenv)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, getenv)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if env := getenv("CLIENT_ENV"); env != "local" {
		return fmt.Errorf("CLIENT_ENV is %q: this stand-in has no backend and runs with \"local\" only", env)
	}
	hostname, err := os.Hostname()
	if err != nil {
		return err
	}
	in := &ingestor{
		config:   cfg,
		store:    db,
		storage:  "/data/shared",
		id:       uuid.NewString(),
		newID:    uuid.NewString,
		now:      time.Now,
		pause:    time.Sleep,
		hostname: hostname,
		out:      stdout,
		err:      stderr,
		faults:   faults,
		skip:     faults.Skip,
		crash:    faults.Crash,
		newer:    faults.Newer,
		runID:    getenv("TRACEBLOC_INGEST_CORRELATION_ID"),
	}
	return in.run(ctx)
}
