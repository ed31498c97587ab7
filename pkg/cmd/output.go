package cmd

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

// escapeWriter is the boundary where text of others (server warnings, logs)
// meets the terminal.
type escapeWriter struct{ out io.Writer }

func (w escapeWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.out, progress.Escape(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// noArgs refuses arguments with the exit code of a wrong command line.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return failf(exitSpec, "%s takes no arguments, got %q", c.CommandPath(), args)
	}
	return nil
}

// quoted renders names for an error message: "a", "b" and "c".
func quoted(names []string) string {
	text := ""
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			text += " and "
		default:
			text += ", "
		}
		text += fmt.Sprintf("%q", name)
	}
	return text
}
