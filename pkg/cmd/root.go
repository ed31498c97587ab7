// Package cmd holds the command line of kubectl tracebloc: one file per
// command, thin over the packages that do the work.
package cmd

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/kubectl/pkg/util/templates"
)

const (
	// binary is the file name of the plugin, displayName what people type.
	binary      = "kubectl-tracebloc"
	displayName = "kubectl tracebloc"
)

var rootLong = templates.LongDesc(`
	kubectl tracebloc takes a machine learning dataset from this machine to an
	ingested, verified table on a tracebloc client release in a Kubernetes cluster.

	It checks the data as the cluster's ingestor would, before anything is sent; stages the files on the
	release's shared volume; submits an ingest spec; follows the ingestor; and reports what became
	of every record. A run goes on in the cluster without the plugin, and can be found again from any machine.`)

var rootExample = templates.Examples(`
	# Push a directory with labels.csv and images/ as an image classification dataset
	kubectl tracebloc push ./cats-and-dogs

	# Check the same dataset without a cluster
	kubectl tracebloc push ./cats-and-dogs --dry-run=client

	# See whether the release is ready for a push
	kubectl tracebloc info -n tracebloc

	# List the runs, from any machine, and see what became of one
	kubectl tracebloc runs -n tracebloc
	kubectl tracebloc status 5a3907a66777 -n tracebloc`)

// NewRootCommand builds the whole command tree. version is what the version
// command reports as the client's.
func NewRootCommand(version string, streams genericiooptions.IOStreams) *cobra.Command {
	// One writer for all clients, so that a warning is told once.
	warnings := rest.NewWarningWriter(escapeWriter{streams.ErrOut}, rest.WarningWriterOptions{Deduplicate: true})
	getter := genericclioptions.NewConfigFlags(true).WithDiscoveryBurst(300).WithDiscoveryQPS(50).WithWrapConfigFn(func(config *rest.Config) *rest.Config {
		config.WarningHandler = warnings
		boundRequests(config)
		return config
	})
	root := &cobra.Command{
		Use:           binary,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: displayName},
		Short:         "Ingest machine learning datasets on a tracebloc client release",
		Long:          rootLong,
		Example:       rootExample,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          runRoot,

		DisableFlagsInUseLine: true,
	}
	root.SetIn(streams.In)
	root.SetOut(helpWriter(streams.Out))
	root.SetErr(streams.ErrOut)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SuggestionsMinimumDistance = 2
	getter.AddFlags(root.PersistentFlags())
	addVerbosity(root.PersistentFlags())

	groups := templates.CommandGroups{
		{Message: "Ingest Commands:", Commands: []*cobra.Command{
			newPushCommand(getter, streams),
			newValidateCommand(version, streams),
			newInitCommand(streams),
			newExplainCommand(streams),
		}},
		{Message: "Run Commands:", Commands: []*cobra.Command{
			newRunsCommand(getter, streams),
			newStatusCommand(getter, streams),
			newLogsCommand(getter, streams),
			newWaitCommand(getter, streams),
			newCancelCommand(getter, streams),
		}},
		{Message: "Cluster Commands:", Commands: []*cobra.Command{
			newInfoCommand(getter, streams),
			newCleanupCommand(getter, streams),
		}},
		{Message: "Other Commands:", Commands: []*cobra.Command{
			newCompletionCommand(streams),
			newVersionCommand(version, getter, streams),
		}},
	}
	groups.Add(root)
	root.AddCommand(newOptionsCommand(streams))
	templates.ActsAsRootCommand(root, []string{"options", "help"}, groups...)
	nameAsTyped(root)
	root.SetFlagErrorFunc(flagError)
	registerGlobalCompletions(root, getter)
	return root
}

// runRoot is reached by the bare command, which prints help, and by a word that
// is no command, which must not exit 0.
func runRoot(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	message := fmt.Sprintf("unknown command %q for %q", args[0], displayName)
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		message += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return failf(exitSpec, "%s (see '%s --help')", message, displayName)
}

// addVerbosity gives the plugin kubectl's -v. The flag set is klog's own, so
// that nothing is registered globally.
func addVerbosity(flags *pflag.FlagSet) {
	var own flag.FlagSet
	klog.InitFlags(&own)
	v := pflag.PFlagFromGoFlag(own.Lookup("v"))
	v.Usage = "number for the log level verbosity"
	flags.AddFlag(v)
}

// nameAsTyped makes the help text say "kubectl tracebloc": kubectl's usage
// template joins bare command names in its last lines.
func nameAsTyped(root *cobra.Command) {
	usage := root.UsageFunc()
	root.SetUsageFunc(func(c *cobra.Command) error {
		out := c.OutOrStdout()
		var text bytes.Buffer
		c.SetOut(&text)
		c.SetErr(&text)
		err := usage(c)
		c.SetOut(out)
		c.SetErr(nil)
		if err != nil {
			return err
		}
		_, err = io.WriteString(out, strings.ReplaceAll(text.String(), binary+" <", displayName+" <"))
		return err
	})
}
