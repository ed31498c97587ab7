package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubectl/pkg/util/templates"
	"sigs.k8s.io/yaml"

	"github.com/tracebloc/kubectl-tracebloc/pkg/ingest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

var (
	infoLong = templates.LongDesc(`
		Show whether a push into this namespace would work, and what is missing.

		It finds the tracebloc client release, its PVC, ingestion policy and images, asks the API server for every
		permission that a push needs, makes a token and drops it, and asks jobs-manager for its health. Nothing is
		created in the cluster. For permissions that are missing it prints a Role that an admin can apply.`)

	infoExample = templates.Examples(`
		# What is there, and what is missing
		kubectl tracebloc info

		# Would the ingestion policy let me write this table?
		kubectl tracebloc info --table chest_xrays -n ml

		# For a script
		kubectl tracebloc info -o json`)
)

type infoOptions struct {
	release string
	table   string
	output  string

	namespace string
	client    kubernetes.Interface
	// answers asks jobs-manager for its health through a port-forward.
	answers func(ctx context.Context, r *release.Release) error

	genericiooptions.IOStreams
}

func newInfoCommand(getter genericclioptions.RESTClientGetter, streams genericiooptions.IOStreams) *cobra.Command {
	o := &infoOptions{IOStreams: streams}
	c := &cobra.Command{
		Use:                   "info [--release=NAME] [--table=TABLE] [-o json|yaml]",
		DisableFlagsInUseLine: true,
		Short:                 "Show the release and every permission that a push needs",
		Long:                  infoLong + "\n\n" + exitCodes(exitSpec, exitRelease, exitAuth, exitInterrupted),
		Example:               infoExample,
		Args:                  noArgs,
		ValidArgsFunction:     cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			if err := o.complete(getter); err != nil {
				return err
			}
			return o.run(c.Context())
		},
	}
	c.Flags().StringVar(&o.release, "release", o.release, "Name of the Helm release, when the namespace has several")
	c.Flags().StringVar(&o.table, "table", o.table, "Hold this table against the ingestion policy, and look for earlier runs into it")
	c.Flags().StringVarP(&o.output, "output", "o", o.output, "Output format, json or yaml; a table without it")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (o *infoOptions) validate() error {
	if !slices.Contains([]string{"", "json", "yaml"}, o.output) {
		return failf(exitSpec, "output format %q is not known (use -o json or -o yaml)", o.output)
	}
	if o.table == "" {
		return nil
	}
	return fail(exitSpec, ingest.CheckTable(o.table))
}

func (o *infoOptions) complete(getter genericclioptions.RESTClientGetter) error {
	c, err := connect(getter)
	if err != nil {
		return fail(exitRelease, err)
	}
	o.namespace, o.client = c.namespace, c.client
	o.answers = func(ctx context.Context, r *release.Release) error { return pingThrough(ctx, c.streams, r) }
	return nil
}

func (o *infoOptions) run(ctx context.Context) error {
	report, err := release.Examine(ctx, o.client, release.Question{
		Namespace: o.namespace, Release: o.release, Table: o.table, Answers: o.answers, Earlier: o.earlier,
	})
	if err != nil {
		return err
	}
	verdict := report.Err()
	if err := newReleaseInfo(report, verdict == nil).print(o.Out, o.output); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	var unready *release.UnreadyError
	if errors.As(verdict, &unready) && unready.OnlyDenied() {
		return fail(exitAuth, verdict)
	}
	return fail(exitRelease, verdict)
}

// earlier looks for the run that a push into the table would meet.
func (o *infoOptions) earlier(ctx context.Context) (string, error) {
	r, err := run.CheckDestination(ctx, o.client, o.namespace, o.table)
	if err != nil || r == nil {
		return "", err
	}
	return (&run.ExistsError{Table: o.table, Run: r}).Error(), nil
}

// pingThrough asks jobs-manager for its health through a port-forward of its own.
func pingThrough(ctx context.Context, streams *podio.Client, r *release.Release) error {
	s := &server{streams: streams, release: r}
	defer s.close()
	return s.ping(ctx)
}

// releaseInfo is what -o json and -o yaml print.
type releaseInfo struct {
	APIVersion     string           `json:"apiVersion"`
	Kind           string           `json:"kind"`
	Ready          bool             `json:"ready"`
	Release        *release.Release `json:"release,omitempty"`
	ServiceAccount string           `json:"serviceAccount,omitempty"`
	Checks         []infoCheck      `json:"checks"`
}

type infoCheck struct {
	Name   string         `json:"name"`
	Status release.Status `json:"status"`
	Detail string         `json:"detail,omitempty"`
	Remedy string         `json:"remedy,omitempty"`
}

func newReleaseInfo(report *release.Report, ready bool) *releaseInfo {
	info := &releaseInfo{
		APIVersion: "tracebloc.io/v1alpha1", Kind: "ReleaseInfo", Ready: ready,
		ServiceAccount: report.ServiceAccount, Checks: make([]infoCheck, 0, len(report.Checks)),
	}
	if report.Release.Name != "" {
		info.Release = report.Release
	}
	for _, check := range report.Checks {
		info.Checks = append(info.Checks, infoCheck{Name: check.Name, Status: check.Status, Detail: check.Detail, Remedy: check.Remedy})
	}
	return info
}

func (info *releaseInfo) print(w io.Writer, format string) error {
	switch format {
	case "json":
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "    ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(info)
	case "yaml":
		text, err := yaml.Marshal(info)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	}
	table := printers.GetNewTabWriter(w)
	if _, err := fmt.Fprintln(table, "CHECK\tSTATUS\tDETAIL"); err != nil {
		return err
	}
	for _, check := range info.Checks {
		// A line break or a tab in a server's message would tear the table.
		detail := strings.Join(strings.Fields(progress.Escape(check.Detail)), " ")
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\n", check.Name, check.Status, detail); err != nil {
			return err
		}
	}
	return table.Flush()
}
