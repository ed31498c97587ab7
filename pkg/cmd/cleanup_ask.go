package cmd

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

// canAsk tells whether there is somebody to ask.
func canAsk(streams genericiooptions.IOStreams) bool {
	return progress.IsTerminal(streams.In) && progress.IsTerminal(streams.ErrOut)
}

// askYes asks a question that yes or no answers, and takes everything but a yes
// for a no. The error is that of ctx.
func askYes(ctx context.Context, streams genericiooptions.IOStreams, question string) (bool, error) {
	_, _ = fmt.Fprintf(escapeWriter{streams.ErrOut}, "%s [y/N]: ", question)
	answer := make(chan string, 1)
	// Nothing ends a read of a terminal but its user; the process does not wait for it.
	go func() {
		line, _ := bufio.NewReader(streams.In).ReadString('\n') // what came before the end of the input counts
		answer <- line
	}()
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(streams.ErrOut)
		return false, context.Cause(ctx)
	case line := <-answer:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return true, nil
		}
		return false, nil
	}
}
