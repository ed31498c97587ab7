package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/ingest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
)

var initLong = templates.LongDesc(`
	Look at a dataset, and write a commented ingest spec for it.

	PATH is a directory or one CSV file, as for push. What can be inferred is: task, table, label column, image size,
	extension, and the columns with their types, over the whole file. Flags win over inference. The spec is
	written to ingest.yaml in the directory, where push uses it by itself, or beside the CSV file. Its path is printed to
	standard output.

	The dataset need not be in order yet: how many problems push will find is said on standard error.`)

var initExample = templates.Examples(`
	# Write ./cats-and-dogs/ingest.yaml
	kubectl tracebloc init ./cats-and-dogs

	# A task that cannot be told from the data
	kubectl tracebloc init ./churn.csv --task=tabular_classification --label-column=churned

	# Look at the spec without writing a file
	kubectl tracebloc init ./cats-and-dogs -o -

	# Write it to another place, over the file that is there
	kubectl tracebloc init ./cats-and-dogs -o specs/cats.yaml --force`)

// specHead stands on top of a written spec.
const specHead = `An ingest spec, to be edited. "kubectl tracebloc push" uses it, and puts the paths of the staged copy in place of those below.
Take away the # in front of a field to set it. "kubectl tracebloc explain" says more about every field.`

// initOptions is a push that ends before it: flags and inference are the same.
type initOptions struct {
	push   *push
	output string
	force  bool

	genericiooptions.IOStreams
}

// newInitCommand writes the spec of a dataset.
func newInitCommand(streams genericiooptions.IOStreams) *cobra.Command {
	o := &initOptions{IOStreams: streams, push: newPush(newPushOptions(nil, streams))}
	c := &cobra.Command{
		Use:     "init PATH",
		Short:   "Write a commented ingest spec for a dataset",
		Long:    initLong + "\n\n" + exitCodes(exitSpec, exitDataset, exitExists, exitInterrupted),
		Example: initExample,

		DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return failf(exitSpec, "init takes one PATH, a directory or a CSV file, got %d arguments", len(args))
			}
			err := o.push.complete(c, args)
			if err == nil {
				err = o.push.validate()
			}
			if err != nil {
				return fail(exitSpec, err)
			}
			return interrupted(o.run(c.Context()), "looking at %q; no spec was written", o.push.path)
		},
	}
	o.addFlags(c)
	return c
}

// addFlags takes over the flags of push that say what the data is, with their completion.
func (o *initOptions) addFlags(c *cobra.Command) {
	flags := &cobra.Command{}
	o.push.addFlags(flags)
	for _, name := range append([]string{"task", "category", "table", "intent"}, dataset.TaskFlags()...) {
		c.Flags().AddFlag(flags.Flags().Lookup(name))
	}
	c.Flags().StringVarP(&o.output, "output", "o", o.output, "File to write, or - for standard output; ingest.yaml in the dataset by default")
	c.Flags().BoolVar(&o.force, "force", o.force, "Write over a file that exists")
}

func (o *initOptions) run(ctx context.Context) error {
	p := o.push
	data, err := dataset.Open(ctx, p.path)
	if err != nil {
		return fail(exitDataset, err)
	}
	p.data = data
	defer p.close()
	target := o.target()
	if target != "-" {
		// Before the data is read, which may take its time; the writing makes sure.
		if err := checkTarget(target, o.force); err != nil {
			return err
		}
	}
	if err := o.check(ctx); err != nil {
		return err
	}
	text, err := o.spec()
	if err != nil {
		return err
	}
	if target == "-" {
		_, err := escapeWriter{o.Out}.Write(text) // in quoted strings, its escapes are YAML's
		o.report(target)
		return err
	}
	if err := writeSpec(target, text, o.force); err != nil {
		return err
	}
	o.report(target)
	_, err = fmt.Fprintln(escapeWriter{o.Out}, target)
	return err
}

// target is the file to write; "-" is standard output.
func (o *initOptions) target() string {
	switch {
	case o.output != "":
		return o.output
	case o.push.data.Single:
		return filepath.Join(filepath.Dir(o.push.path), dataset.SpecFile)
	}
	return filepath.Join(o.push.path, dataset.SpecFile)
}

// check settles what the data is and reads it, as push does; but findings do not end it.
func (o *initOptions) check(ctx context.Context) error {
	p := o.push
	params, err := p.params()
	if err != nil {
		return fail(exitDataset, err)
	}
	p.chosen.policy = params.LabelPolicy
	p.progress = newProgress(p.pushOptions)
	p.progress.Start("Checking", p.stagedBytes())
	p.checked, err = preflight.Check(ctx, p.data, params, p.progress.Add)
	p.progress.Stop()
	if err != nil {
		return fail(exitDataset, err)
	}
	header, err := p.data.Header(dataset.DefaultCSV())
	if err != nil || len(header) == 0 || len(p.checked.Schema) == 0 && !p.chosen.task.HasFiles() {
		writeFindings(escapeWriter{p.ErrOut}, p.checked)
		return failf(exitDataset, "no spec can be made of %q: %w", p.path, errors.Join(errors.New("its CSV cannot be read"), err))
	}
	return o.missing(header)
}

// missing asks for what the spec cannot do without and the data does not tell.
func (o *initOptions) missing(header []string) error {
	p := o.push
	task, timeColumn := p.chosen.task, p.chosen.time
	switch {
	case task.HasLabel() && p.labelColumn != "" && !slices.ContainsFunc(header, func(h string) bool { return strings.EqualFold(h, strings.TrimSpace(p.labelColumn)) }):
		return failf(exitSpec, "--label-column=%q: the CSV has no such column (it has %s)", p.labelColumn, some(header))
	case task.HasLabel() && p.checked.LabelColumn == "":
		return failf(exitSpec, "the label column of %q cannot be told: there must be one called label, target or class; name it with --label-column (the columns are %s)",
			p.path, some(header))
	case task.Takes("time-column") && !slices.Contains(header, timeColumn):
		return failf(exitSpec, "%q has no column %q with the time; name it with --time-column (the columns are %s)", p.path, timeColumn, some(header))
	case task.Dir != "" && len(p.data.InDir(task.Dir)) == 0:
		return failf(exitDataset, "no spec can be made of %q: there are no files in %q", p.path, task.Dir)
	case task.Family == dataset.FamilyImage && p.checked.TargetSize == [2]int{}:
		return failf(exitSpec, "the size of the images of %q cannot be told; give it with --target-size WxH", p.path)
	case task.Takes("number-of-keypoints") && p.checked.Keypoints == 0:
		return failf(exitSpec, "the number of keypoints of the images of %q cannot be told; give it with --number-of-keypoints", p.path)
	}
	return nil
}

// some are the first of a CSV's columns, for a message.
func some(header []string) string {
	if len(header) <= shownColumns {
		return quoted(header)
	}
	return fmt.Sprintf("%s, and %d more", quoted(header[:shownColumns]), len(header)-shownColumns)
}

// spec is the commented text.
func (o *initOptions) spec() ([]byte, error) {
	p := o.push
	config, err := ingest.BuildLocal(p.input())
	if err != nil && p.checked.Errors() > 0 {
		writeFindings(escapeWriter{p.ErrOut}, p.checked)
		return nil, failf(exitDataset, "no spec can be made of %q: %w", p.path, err)
	}
	if err != nil {
		return nil, fail(exitSpec, err)
	}
	for _, problem := range config.Validate() {
		p.warn("%s", problem)
	}
	return config.Annotate(specHead)
}

// report says what was found out, and what comes next.
func (o *initOptions) report(target string) {
	p := o.push
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(escapeWriter{o.ErrOut}, format+"\n", args...) }
	label := ""
	if c := p.checked; c.LabelColumn != "" {
		label = fmt.Sprintf(", label %q (%s)%s", c.LabelColumn, p.chosen.from["label"], classes(c))
	}
	say("task %s (%s), table %s (%s)%s", p.chosen.task.Name, p.chosen.from["task"], p.chosen.table, p.chosen.from["table"], label)
	if skipped := p.checked.Skipped; len(skipped) > 0 {
		say("left out of the schema, because every table has columns of that name: %s", some(skipped))
	}
	next := "kubectl tracebloc push " + shellWord(p.path)
	if p.data.Single || filepath.Clean(target) != filepath.Join(p.path, dataset.SpecFile) {
		next += " -f " + shellWord(target)
	}
	next += " --dry-run=client"
	if n := p.checked.Errors(); n > 0 {
		say("the dataset has %s and %s yet; to see them: %s", plural(int64(n), "error"), plural(int64(p.checked.Warnings()), "warning"), next)
		return
	}
	if n := p.checked.Warnings(); n > 0 {
		next += fmt.Sprintf(" (it has %s)", plural(int64(n), "warning"))
	}
	say("next: %s", next)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// shellWord is a path as it can be pasted into a shell.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
