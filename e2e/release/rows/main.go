// Command rows prints a table of a stand-in release's database, and how many rows it has:
//
//	go run ./release/rows [--namespace NS] [--limit N] TABLE
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		_, _ = fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("rows", flag.ContinueOnError)
	flags.SetOutput(errOut)
	namespace := flags.String("namespace", "tracebloc", "the `namespace` of the release")
	limit := flags.Int("limit", 10, "print at most `N` rows")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("name one table")
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w (set KUBECONFIG)", err)
	}
	r, err := release.Connect(config, release.Options{Namespace: *namespace})
	if err != nil {
		return err
	}
	table, err := r.Rows(ctx, flags.Arg(0))
	if err != nil {
		return err
	}
	return show(out, flags.Arg(0), table, *limit)
}

// hidden are the columns of the ingestor's bookkeeping, which only make the table wide.
func hidden(column string) bool {
	return slices.Contains([]string{"created_at", "updated_at", "status", "data_id", "annotation", "ingestor_id"}, column)
}

func show(out io.Writer, name string, t release.Table, limit int) error {
	columns := slices.DeleteFunc(slices.Clone(t.Columns), hidden)
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(w, strings.ToUpper(strings.Join(columns, "\t")))
	for _, row := range t.Rows[:min(limit, len(t.Rows))] {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = "NULL"
			if s, ok := row[c].(string); ok {
				cells[i] = printable(s)
			}
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%d rows in table %s\n", len(t.Rows), name)
	return err
}

// printable shows what would disturb a table on a terminal as an escape; quotes stay as they are.
func printable(s string) string {
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
