package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/ingest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
)

var validateLong = templates.LongDesc(`
	Check ingest specs without a cluster.

	Each SPEC is a YAML or JSON file, or - for standard input. Problems are printed to standard output, one a
	line, as file:line:column: field: message; their number is printed to standard error. Warnings do not fail.

	With --data, the dataset is also checked against the spec, exactly as push would check it before it sends anything.

	-o is for programs, and changes nothing else. json and yaml print one ValidationReport on every ending, sarif a
	SARIF 2.1.0 log, and github the workflow commands of GitHub Actions that annotate files (at most 10 of a rule and 50 in
	all). Paths in sarif and github are relative to GITHUB_WORKSPACE where it is set and holds the working directory, else
	to the working directory.`)

var validateExample = templates.Examples(`
	# Check a spec
	kubectl tracebloc validate ingest.yaml

	# Check every spec of a repository
	kubectl tracebloc validate specs/*.yaml

	# Check a spec that another program writes
	render-spec | kubectl tracebloc validate -

	# Check a spec and the dataset that it is for
	kubectl tracebloc validate ingest.yaml --data ./flowers

	# Annotate the files of a pull request, in GitHub Actions
	kubectl tracebloc validate ingest.yaml --data ./flowers -o github

	# A report for a service that takes SARIF
	kubectl tracebloc validate specs/*.yaml -o sarif > validate.sarif`)

type validateOptions struct {
	specs       []string
	data        string
	followLinks bool
	output      string

	version   string    // of the plugin
	workspace workspace // where paths of sarif and github begin

	genericiooptions.IOStreams
}

// newValidateCommand checks specs, and a dataset against one. version is what
// SARIF calls the version of the tool.
func newValidateCommand(version string, streams genericiooptions.IOStreams) *cobra.Command {
	o := &validateOptions{version: version, IOStreams: streams}
	c := &cobra.Command{
		Use:     "validate SPEC...",
		Short:   "Check ingest specs without a cluster",
		Long:    validateLong + "\n\n" + exitCodes(exitSpec, exitDataset, exitInterrupted),
		Example: validateExample,
		RunE: func(c *cobra.Command, args []string) error {
			o.specs = args
			if !slices.Contains(validateFormats(), o.output) {
				return failf(exitSpec, "--output=%q: must be json, yaml, sarif or github, or left out", o.output)
			}
			report := newValidationReport(o)
			err := fail(exitSpec, errors.Join(refuseEmpty(c, "output"), o.complete(), o.validate()))
			if err == nil {
				err = o.run(c.Context(), report)
			}
			return o.conclude(report, err)
		},
	}
	c.Flags().StringVar(&o.data, "data", o.data, "Directory or CSV file to check against the spec")
	c.Flags().BoolVar(&o.followLinks, "follow-symlinks", o.followLinks, "Take symbolic links in the directory of --data for what they lead to, as push does with this flag")
	c.Flags().StringVarP(&o.output, "output", "o", o.output, "Output format: json, yaml, sarif or github; one line a problem without it")
	return c
}

// validateFormats are the values of -o; "" is the output for people.
func validateFormats() []string { return []string{"", "json", "yaml", "sarif", "github"} }

func (o *validateOptions) complete() error {
	if o.output != "sarif" && o.output != "github" {
		return nil
	}
	var err error
	o.workspace, err = findWorkspace()
	return err
}

func (o *validateOptions) validate() error {
	stdin := 0
	for _, name := range o.specs {
		if name == "-" {
			stdin++
		}
	}
	switch {
	case len(o.specs) == 0:
		return errors.New("validate needs at least one SPEC: a file, or - for standard input")
	case stdin > 1:
		return errors.New("standard input can only be read once, and - is given twice")
	case o.data != "" && len(o.specs) > 1:
		return fmt.Errorf("--data goes with one SPEC, got %d", len(o.specs))
	case o.followLinks && o.data == "":
		return errors.New("--follow-symlinks goes with --data")
	}
	return nil
}

// judgedSpec is the verdict on one spec; config is nil when it has an error.
type judgedSpec struct {
	file     string
	problems ingest.Problems
	config   *ingest.Config
	unread   bool // its one problem is that it cannot be read
}

// run judges every spec even when the first is wrong, then the dataset if its
// spec is right. A judgment that was cut off leaves nothing in the report.
func (o *validateOptions) run(ctx context.Context, report *validationReport) error {
	var specs []judgedSpec
	wrong := 0
	for _, name := range o.specs {
		spec := judgeSpec(ctx, name, o.In)
		if err := ctx.Err(); err != nil { // it was not read to its end
			return interrupted(err, "checking %q; it is not known whether it is valid", spec.file)
		}
		specs = append(specs, spec)
		wrong += spec.problems.Errors()
	}
	var checked *preflight.Result
	var dir string
	var verdict error
	if wrong > 0 {
		verdict = fail(exitSpec, silentError{fmt.Errorf("the specs have %s", plural(int64(wrong), "error"))})
	} else if o.data != "" {
		checked, dir, verdict = o.checkData(ctx, specs[0].config)
		if errors.Is(verdict, context.Canceled) {
			return interrupted(verdict, "checking %q; it is not known whether it fits the spec", o.data)
		}
	}
	report.takeSpecs(specs)
	if checked != nil {
		report.takeDataset(o.data, dir, checked)
	} else if wrong == 0 && verdict != nil {
		report.takeFailure(o.data, specs[0].file, verdict)
	}
	if o.output != "" {
		return verdict
	}
	if err := o.print(specs, checked); err != nil {
		return err
	}
	return verdict
}

// judgeSpec reads and judges one spec. One that cannot be read has that as its
// only problem, so that the others are still judged.
func judgeSpec(ctx context.Context, name string, stdin io.Reader) judgedSpec {
	shown, text, err := readSpecFile(ctx, name, stdin)
	if err != nil {
		if inner := (*fs.PathError)(nil); errors.As(err, &inner) {
			err = inner.Err // the name stands in front already
		}
		problem := ingest.Problem{File: shown, Severity: ingest.SeverityError, Message: err.Error()}
		return judgedSpec{file: shown, problems: ingest.Problems{problem}, unread: true}
	}
	config, problems := ingest.Load(shown, text)
	return judgedSpec{file: shown, problems: problems, config: config}
}

// checkData runs the preflight of a push on the dataset. dir is where the
// files that findings name are.
func (o *validateOptions) checkData(ctx context.Context, config *ingest.Config) (checked *preflight.Result, dir string, err error) {
	data, err := dataset.OpenWith(ctx, o.data, dataset.Options{FollowSymlinks: o.followLinks})
	if err != nil {
		return nil, "", fail(exitDataset, err)
	}
	defer func() { _ = data.Close() }()
	if err := takeCSV(data, config); err != nil {
		return nil, "", fail(exitSpec, err)
	}
	params, err := preflightParams(config)
	if err != nil {
		return nil, "", fail(exitSpec, err)
	}
	checked, err = preflight.Check(ctx, data, params, func(int64) {})
	if err != nil {
		return nil, "", fail(exitDataset, err)
	}
	dir = o.data
	if data.Single {
		dir = filepath.Dir(o.data)
	}
	if n := checked.Errors(); n > 0 {
		err = fail(exitDataset, silentError{fmt.Errorf("%q has %s", o.data, plural(int64(n), "error"))})
	}
	return checked, dir, err
}

// preflightParams is what a spec says about its dataset.
func preflightParams(config *ingest.Config) (preflight.Params, error) {
	task, err := dataset.LookupTask(config.Category)
	if err != nil {
		return preflight.Params{}, err
	}
	params := preflight.Params{
		Task: task, Table: config.Table, LabelPolicy: task.LabelPolicy, Schema: config.Schema,
		TimeColumn: config.TimeColumn, Keypoints: config.NumberOfKeypoints, IDColumn: config.IDColumn(),
	}
	if config.Label != nil {
		params.LabelColumn = config.Label.Column
		if config.Label.Policy != "" {
			params.LabelPolicy = config.Label.Policy
		}
	}
	if config.TargetSize != nil {
		params.TargetSize = *config.TargetSize
	}
	if config.Spec == nil {
		return params, nil
	}
	if files := config.Spec.FileOptions; files != nil {
		params.Extension = files.Extension
		if files.TargetSize != nil {
			params.TargetSize = *files.TargetSize
		}
		if files.MinSize != nil {
			params.MinSize = *files.MinSize
		}
	}
	if csv := config.Spec.CSVOptions; csv != nil {
		params.Delimiter, params.Quote, params.Escape = csv.Delimiter, csv.QuoteChar, csv.EscapeChar
	}
	return params, nil
}

// print is the output for people.
func (o *validateOptions) print(specs []judgedSpec, checked *preflight.Result) error {
	out := escapeWriter{o.Out}
	for _, spec := range specs {
		for _, problem := range spec.problems {
			if _, err := fmt.Fprintln(out, problem); err != nil {
				return err
			}
		}
	}
	if _, err := fmt.Fprintln(o.ErrOut, summarize(specs)); err != nil || checked == nil {
		return err
	}
	writeFindings(out, checked)
	if len(checked.Findings) > 0 {
		return nil
	}
	_, err := fmt.Fprintf(o.ErrOut, "no problems in the dataset: %s, %s\n",
		plural(int64(len(checked.Manifest)), "file"), plural(checked.Rows, "row"))
	return err
}

// summarize is one line for people: "2 errors, 1 warning in 3 specs".
func summarize(specs []judgedSpec) string {
	wrong, warnings := 0, 0
	for _, spec := range specs {
		wrong += spec.problems.Errors()
		warnings += spec.problems.Warnings()
	}
	in := plural(int64(len(specs)), "spec")
	if wrong == 0 && warnings == 0 {
		return "no problems in " + in
	}
	return plural(int64(wrong), "error") + ", " + plural(int64(warnings), "warning") + " in " + in
}

// conclude prints the report in the format of -o on every ending, early failures
// and interruptions too. The exit code in it and that of the process come from
// the same function.
func (o *validateOptions) conclude(report *validationReport, err error) error {
	if o.output == "" {
		return err
	}
	report.conclude(err)
	var text []byte
	var printErr error
	switch o.output {
	case "sarif":
		text, printErr = report.sarif(o.version, o.workspace)
	case "github":
		text = report.github(o.workspace)
	default:
		text, printErr = report.object(o.output)
	}
	if printErr == nil {
		_, printErr = o.Out.Write(text)
	}
	switch {
	case printErr != nil:
		return errors.Join(err, fmt.Errorf("print the report: %w", printErr))
	case err != nil && o.output == "github":
		// It is among the commands. On stderr, which the runner reads as well, its text could be taken for another command.
		return silentError{err}
	}
	return err
}
