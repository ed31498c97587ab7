package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/tracebloc/kubectl-tracebloc/pkg/explain"
	"github.com/tracebloc/kubectl-tracebloc/schemas"
)

var explainLong = templates.LongDesc(`
	Describe the ingest spec, or one of its fields, without a cluster.

	FIELD.PATH names a field as in kubectl explain; the fields of a list's items follow the list directly.
	Said are its type, the values that it takes, its default, the tasks that need it or do not allow it, and an example.`)

var explainExample = templates.Examples(`
	# All fields of the spec
	kubectl tracebloc explain

	# One field
	kubectl tracebloc explain label

	# A field of a field
	kubectl tracebloc explain spec.file_options.extension

	# The names and types of all fields, at any depth
	kubectl tracebloc explain --recursive`)

type explainOptions struct {
	path      string
	recursive bool

	genericiooptions.IOStreams
}

// newExplainCommand describes the fields of the spec.
func newExplainCommand(streams genericiooptions.IOStreams) *cobra.Command {
	o := &explainOptions{IOStreams: streams}
	c := &cobra.Command{
		Use:     "explain [FIELD.PATH] [--recursive]",
		Short:   "Describe the fields of the ingest spec",
		Long:    explainLong + "\n\n" + exitCodes(exitSpec),
		Example: explainExample,

		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeField,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return failf(exitSpec, "explain takes one FIELD.PATH, got %q", args)
			}
			o.path = strings.Join(args, "")
			return o.run()
		},
	}
	c.Flags().BoolVar(&o.recursive, "recursive", o.recursive, "Print the names and types of all fields below, without descriptions")
	return c
}

func (o *explainOptions) run() error {
	schema, err := explain.Parse(schemas.IngestV1)
	if err != nil {
		return err
	}
	field, err := schema.Lookup(o.path)
	if err != nil {
		return fail(exitSpec, err)
	}
	if err := schema.Print(o.Out, field, o.recursive); err != nil {
		return fmt.Errorf("explain %q: %w", o.path, err)
	}
	return nil
}

// completeField offers the paths of the fields, each with its name for people.
func completeField(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	schema, err := explain.Parse(schemas.IngestV1)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var paths []string
	for _, field := range schema.Fields() {
		if strings.HasPrefix(field.Path, toComplete) {
			paths = append(paths, cobra.CompletionWithDesc(field.Path, field.Title))
		}
	}
	return paths, cobra.ShellCompDirectiveNoFileComp
}
