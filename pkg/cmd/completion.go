package cmd

import (
	"io"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"
)

var completionLong = templates.LongDesc(`
	Print the shell code that completes the plugin when it is called by its file name, kubectl-tracebloc.

	Behind "kubectl tracebloc" it is kubectl that completes. It asks a program named
	kubectl_complete-tracebloc on the PATH, which every release archive carries, and which asks the plugin.
	That program needs kubectl's own completion to be loaded, and nothing of what this command prints.`)

var completionExample = templates.Examples(`
	# Load completion of kubectl-tracebloc into the current bash
	source <(kubectl tracebloc completion bash)

	# Let kubectl itself complete the plugin: put the program that it asks on the PATH
	printf '#!/bin/sh\nexec kubectl-tracebloc __complete "$@"\n' > ~/.local/bin/kubectl_complete-tracebloc
	chmod +x ~/.local/bin/kubectl_complete-tracebloc`)

// completionShells are the shells that cobra writes code for.
func completionShells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// newCompletionCommand prints the completion code for a shell.
func newCompletionCommand(streams genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use:                   "completion SHELL",
		DisableFlagsInUseLine: true,
		Short:                 "Output shell completion code for bash, zsh, fish or powershell",
		Long:                  completionLong + "\n\n" + exitCodes(exitSpec),
		Example:               completionExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(completionShells(), args[0]) {
				return failf(exitSpec, "completion takes one shell out of %q, got %q", completionShells(), args)
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
		return root.GenZshCompletion(out)
	case "fish":
		return root.GenFishCompletion(out, true)
	default:
		return root.GenPowerShellCompletionWithDesc(out)
	}
}
