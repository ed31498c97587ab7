package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

	With --data, the dataset is also checked against the spec, exactly as push would check it before it sends
	anything. -o json prints one object: "specs", with the file, whether it is valid and its "problems"; "errors" and
	"warnings", the totals; and with --data "dataset", with its "findings".`)

var validateExample = templates.Examples(`
	# Check a spec
	kubectl tracebloc validate ingest.yaml

	# Check every spec of a repository
	kubectl tracebloc validate specs/*.yaml

	# Check a spec that another program writes
	render-spec | kubectl tracebloc validate -

	# Check a spec and the dataset that it is for
	kubectl tracebloc validate ingest.yaml --data ./flowers`)

type validateOptions struct {
	specs       []string
	data        string
	followLinks bool
	output      string

	genericiooptions.IOStreams
}

// newValidateCommand checks specs, and a dataset against one.
func newValidateCommand(streams genericiooptions.IOStreams) *cobra.Command {
	o := &validateOptions{IOStreams: streams}
	c := &cobra.Command{
		Use:     "validate SPEC...",
		Short:   "Check ingest specs without a cluster",
		Long:    validateLong + "\n\n" + exitCodes(exitSpec, exitDataset, exitInterrupted),
		Example: validateExample,
		RunE: func(c *cobra.Command, args []string) error {
			o.specs = args
			if err := errors.Join(refuseEmpty(c, "output"), o.validate()); err != nil {
				return fail(exitSpec, err)
			}
			return o.run(c.Context())
		},
	}
	c.Flags().StringVar(&o.data, "data", o.data, "Directory or CSV file to check against the spec")
	c.Flags().BoolVar(&o.followLinks, "follow-symlinks", o.followLinks, "Take symbolic links in the directory of --data for what they lead to, as push does with this flag")
	c.Flags().StringVarP(&o.output, "output", "o", o.output, "Output format: json, or nothing for one line a problem")
	completeFlag(c, "output", cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveNoFileComp))
	return c
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
	case !slices.Contains([]string{"", "json"}, o.output):
		return fmt.Errorf("--output=%q: must be json, or left out", o.output)
	}
	return nil
}

// validation is what -o json prints. Its fields are a contract with scripts.
type validation struct {
	Specs    []specReport   `json:"specs"`
	Errors   int            `json:"errors"`
	Warnings int            `json:"warnings"`
	Dataset  *datasetReport `json:"dataset,omitempty"`
}

// specReport is the verdict on one spec.
type specReport struct {
	File     string          `json:"file"`
	Valid    bool            `json:"valid"`
	Problems ingest.Problems `json:"problems"` // never null
}

// datasetReport is the verdict on the dataset of --data.
type datasetReport struct {
	Path     string              `json:"path"`
	Valid    bool                `json:"valid"`
	Errors   int                 `json:"errors"`
	Warnings int                 `json:"warnings"`
	Rows     int64               `json:"rows"`
	Files    int                 `json:"files"`
	Bytes    int64               `json:"bytes"`
	Findings []preflight.Finding `json:"findings"` // never null
}

// run judges every spec even when the first is wrong, then the dataset if its
// spec is right. A judgment that was cut off is not printed at all.
func (o *validateOptions) run(ctx context.Context) error {
	result := validation{Specs: []specReport{}}
	var config *ingest.Config
	for _, name := range o.specs {
		var report specReport
		report, config = judgeSpec(ctx, name, o.In)
		if err := ctx.Err(); err != nil { // it was not read to its end
			return interrupted(err, "checking %q; it is not known whether it is valid", report.File)
		}
		result.Specs = append(result.Specs, report)
		result.Errors += report.Problems.Errors()
		result.Warnings += report.Problems.Warnings()
	}
	var checked *preflight.Result
	var verdict error
	if result.Errors > 0 {
		verdict = fail(exitSpec, silentError{fmt.Errorf("the specs have %s", plural(int64(result.Errors), "error"))})
	} else if o.data != "" {
		checked, verdict = o.checkData(ctx, config)
		if errors.Is(verdict, context.Canceled) {
			return interrupted(verdict, "checking %q; it is not known whether it fits the spec", o.data)
		}
		result.Dataset = newDatasetReport(o.data, checked)
	}
	if err := o.print(result, checked); err != nil {
		return err
	}
	return verdict
}

// judgeSpec reads and judges one spec. One that cannot be read has that as its
// only problem, so that the others are still judged.
func judgeSpec(ctx context.Context, name string, stdin io.Reader) (specReport, *ingest.Config) {
	shown, text, err := readSpecFile(ctx, name, stdin)
	if err != nil {
		if inner := (*fs.PathError)(nil); errors.As(err, &inner) {
			err = inner.Err // the name stands in front already
		}
		problem := ingest.Problem{File: shown, Severity: ingest.SeverityError, Message: err.Error()}
		return specReport{File: shown, Problems: ingest.Problems{problem}}, nil
	}
	config, problems := ingest.Load(shown, text)
	if problems == nil {
		problems = ingest.Problems{}
	}
	return specReport{File: shown, Valid: config != nil, Problems: problems}, config
}

// checkData runs the preflight of a push on the dataset.
func (o *validateOptions) checkData(ctx context.Context, config *ingest.Config) (*preflight.Result, error) {
	data, err := dataset.OpenWith(ctx, o.data, dataset.Options{FollowSymlinks: o.followLinks})
	if err != nil {
		return nil, fail(exitDataset, err)
	}
	defer func() { _ = data.Close() }()
	if err := takeCSV(data, config); err != nil {
		return nil, fail(exitSpec, err)
	}
	params, err := preflightParams(config)
	if err != nil {
		return nil, fail(exitSpec, err)
	}
	checked, err := preflight.Check(ctx, data, params, func(int64) {})
	if err != nil {
		return nil, fail(exitDataset, err)
	}
	if n := checked.Errors(); n > 0 {
		return checked, fail(exitDataset, silentError{fmt.Errorf("%q has %s", o.data, plural(int64(n), "error"))})
	}
	return checked, nil
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

func newDatasetReport(path string, checked *preflight.Result) *datasetReport {
	if checked == nil {
		return nil
	}
	report := &datasetReport{
		Path: path, Valid: checked.Errors() == 0, Errors: checked.Errors(), Warnings: checked.Warnings(),
		Rows: checked.Rows, Files: len(checked.Manifest), Bytes: checked.Manifest.Bytes(), Findings: checked.Findings,
	}
	if report.Findings == nil {
		report.Findings = []preflight.Finding{}
	}
	return report
}

func (o *validateOptions) print(result validation, checked *preflight.Result) error {
	if o.output == "json" {
		encoder := json.NewEncoder(o.Out)
		encoder.SetIndent("", "    ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(result)
	}
	out := escapeWriter{o.Out}
	for _, spec := range result.Specs {
		for _, problem := range spec.Problems {
			if _, err := fmt.Fprintln(out, problem); err != nil {
				return err
			}
		}
	}
	if _, err := fmt.Fprintln(o.ErrOut, result.summary()); err != nil || checked == nil {
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

// summary is one line for people: "2 errors, 1 warning in 3 specs".
func (v validation) summary() string {
	specs := plural(int64(len(v.Specs)), "spec")
	if v.Errors == 0 && v.Warnings == 0 {
		return "no problems in " + specs
	}
	return plural(int64(v.Errors), "error") + ", " + plural(int64(v.Warnings), "warning") + " in " + specs
}
