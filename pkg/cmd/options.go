package cmd

import (
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"
)

var optionsExample = templates.Examples(`
	# Print the flags that every command takes
	kubectl tracebloc options`)

// newOptionsCommand prints the global flags, as kubectl options does.
func newOptionsCommand(streams genericiooptions.IOStreams) *cobra.Command {
	c := &cobra.Command{
		Use:     "options",
		Short:   "Print the list of flags inherited by all commands",
		Long:    "Print the list of flags inherited by all commands",
		Example: optionsExample,

		DisableFlagsInUseLine: true,
		Args:                  noArgs,
		RunE:                  func(c *cobra.Command, _ []string) error { return c.Usage() },
	}
	c.SetOut(streams.Out)
	templates.UseOptionsTemplates(c)
	return c
}
