package cmd

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/util/completion"
	"k8s.io/kubectl/pkg/util/templates"
)

var completionLong = templates.LongDesc(`
	Print the shell completion code for the plugin when it is called by its file name, kubectl-tracebloc.

	Completion behind "kubectl tracebloc" is kubectl's own: it asks a program named
	kubectl_complete-tracebloc on the PATH, which every release archive carries.`)

var completionExample = templates.Examples(`
	# Load completion into the current bash
	source <(kubectl tracebloc completion bash)

	# Let kubectl itself complete the plugin: put the shim on the PATH
	printf '#!/bin/sh\nexec kubectl tracebloc __complete "$@"\n' > ~/.local/bin/kubectl_complete-tracebloc
	chmod +x ~/.local/bin/kubectl_complete-tracebloc`)

// completionShells are the shells that cobra writes code for.
var completionShells = []string{"bash", "zsh", "fish", "powershell"}

// newCompletionCommand prints the completion code for a shell.
func newCompletionCommand(streams genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use:                   "completion SHELL",
		DisableFlagsInUseLine: true,
		Short:                 "Output shell completion code for bash, zsh, fish or powershell",
		Long:                  completionLong + "\n\n" + exitCodes(exitSpec),
		Example:               completionExample,
		ValidArgs:             completionShells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(completionShells, args[0]) {
				return failf(exitSpec, "completion takes one shell out of %q, got %q", completionShells, args)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return writeCompletion(c.Root(), args[0], streams.Out)
		},
	}
}

func writeCompletion(root *cobra.Command, shell string, out io.Writer) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(out, true)
	case "zsh":
		if _, err := fmt.Fprintf(out, "#compdef %[1]s\ncompdef _%[1]s %[1]s\n", binary); err != nil {
			return err
		}
		return root.GenZshCompletion(out)
	case "fish":
		return root.GenFishCompletion(out, true)
	default:
		return root.GenPowerShellCompletionWithDesc(out)
	}
}

// registerGlobalCompletions completes the values of kubectl's own flags, with
// kubectl's own functions.
func registerGlobalCompletions(root *cobra.Command, getter genericclioptions.RESTClientGetter) {
	factory := cmdutil.NewFactory(getter)
	completion.SetFactoryForCompletion(factory)
	for flag, list := range map[string]func(string) []string{
		"context":   completion.ListContextsInConfig,
		"cluster":   completion.ListClustersInConfig,
		"user":      completion.ListUsersInConfig,
		"namespace": func(prefix string) []string { return completion.CompGetResource(factory, "namespace", prefix) },
	} {
		completeFlag(root, flag, func(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			return list(toComplete), cobra.ShellCompDirectiveNoFileComp
		})
	}
}

// completeFlag registers the completion of one flag; a name that the command
// does not have is a mistake in this program.
func completeFlag(c *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}
