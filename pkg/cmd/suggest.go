package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// flagError words a command line that cannot be read, and gives it its exit
// code, which kubectl's own flag errors do not have.
func flagError(c *cobra.Command, err error) error {
	near := ""
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		if name := nearFlag(c, unknown.GetSpecifiedName()); name != "" {
			near = fmt.Sprintf("; did you mean %q?", "--"+name)
		}
	}
	return failf(exitSpec, "%w%s (see '%s --help')", err, near, c.CommandPath())
}

// nearFlag is the flag of the command, or one of those that every command
// takes, that was most likely meant, or "". What is near is what cobra takes
// for near with commands.
func nearFlag(c *cobra.Command, typed string) string {
	near, least := "", c.Root().SuggestionsMinimumDistance+1
	typed = strings.ToLower(typed)
	c.Flags().VisitAll(func(f *pflag.Flag) {
		distance := dataset.EditDistance(typed, f.Name)
		if len(typed) > 2 && strings.HasPrefix(f.Name, typed) {
			distance = min(distance, 1)
		}
		// One of two letters is near to everything that is as short.
		if !f.Hidden && distance < least && distance < len(typed) {
			near, least = f.Name, distance
		}
	})
	return near
}
