package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
	"github.com/tracebloc/kubectl-tracebloc/pkg/stage"
)

var pushLong = templates.LongDesc(`
	Check a dataset, bring it to the cluster, ingest it, and report what became of every record.

	PATH is a directory (labels.csv beside images/, or one data CSV), or one CSV file for a tabular task.
	Whatever the flags do not say is taken from the spec (--filename, or an ingest.yaml in PATH),
	then inferred from the data. Everything inferred is shown before anything happens.

	The data is checked as the cluster's ingestor would check it, and everything that the cluster could refuse is
	asked, before the first byte is sent. Files are verified on the volume before anything uses them.
	A run that was submitted goes on in the cluster: Ctrl-C while it is followed detaches from it.`)

var pushExample = templates.Examples(`
	# Push a directory with labels.csv and images/
	kubectl tracebloc push ./cats-and-dogs

	# Push a CSV for tabular classification, into a table of its own name
	kubectl tracebloc push ./churn.csv --task=tabular_classification --label-column=churned --table=churn_2024

	# Only check the dataset and show the spec; no cluster is needed
	kubectl tracebloc push ./cats-and-dogs --dry-run=client -o yaml

	# Also ask the cluster whether the push would be allowed
	kubectl tracebloc push ./cats-and-dogs --dry-run=server

	# Take the options from a spec, submit, and do not wait for the ingestor
	kubectl tracebloc push ./cats-and-dogs -f ingest.yaml --detach -o name`)

const (
	dryRunNone   = "none"
	dryRunClient = "client"
	dryRunServer = "server"
)

// pushOptions is what the user said, then what it means.
type pushOptions struct {
	path     string
	filename string

	task        string
	table       string
	intent      string
	labelColumn string
	labelPolicy string
	schema      string
	timeColumn  string
	targetSize  string
	keypoints   int

	releaseName  string
	submitAs     string
	key          string
	imageDigest  string
	stageImage   string
	stageTimeout time.Duration
	timeout      time.Duration
	parallel     int
	compress     string
	fix          bool
	followLinks  bool
	dryRun       string
	detach       bool
	quiet        bool
	noProgress   bool

	compression stage.Compress // what compress means
	sessions    int            // what parallel means: 0 when it was not given
	taskFlags   []string       // the task-specific flags that were given

	printFlags *genericclioptions.PrintFlags
	getter     genericclioptions.RESTClientGetter

	genericiooptions.IOStreams
}

// newPushOptions has the defaults of the flags.
func newPushOptions(getter genericclioptions.RESTClientGetter, streams genericiooptions.IOStreams) *pushOptions {
	return &pushOptions{
		dryRun:       dryRunNone,
		stageTimeout: 2 * time.Hour,
		parallel:     stage.DefaultParallel,
		compress:     string(stage.CompressAuto),
		printFlags:   genericclioptions.NewPrintFlags(""),
		getter:       getter,
		IOStreams:    streams,
	}
}

// newPushCommand is the main job of the plugin.
func newPushCommand(getter genericclioptions.RESTClientGetter, streams genericiooptions.IOStreams) *cobra.Command {
	o := newPushOptions(getter, streams)
	c := &cobra.Command{
		Use:     "push PATH",
		Short:   "Check, stage and ingest a dataset, and report the outcome",
		Long:    pushLong + "\n\n" + exitCodes(exitSpec, exitDataset, exitRelease, exitAuth, exitExists, exitStage, exitSubmit, exitRun, exitInterrupted),
		Example: pushExample,

		DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			return o.execute(c, args)
		},
	}
	o.addFlags(c)
	return c
}

func (o *pushOptions) addFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVarP(&o.filename, "filename", "f", o.filename, "File with the ingest spec, or - for standard input; flags win over it")
	f.StringVar(&o.task, "task", o.task, "Machine learning task of the dataset; inferred from the layout where that is unambiguous")
	f.StringVar(&o.task, "category", o.task, "The spec's word for --task")
	_ = f.MarkHidden("category")
	f.StringVar(&o.table, "table", o.table, "Name of the table; the name of the directory or file by default")
	f.StringVar(&o.intent, "intent", o.intent, "What the data is for, train or test; train by default")
	f.StringVar(&o.labelColumn, "label-column", o.labelColumn, "Column that holds the label")
	f.StringVar(&o.labelPolicy, "label-policy", o.labelPolicy, "Whether labels leave the cluster as they are (passthrough) or hashed (bucket)")
	f.StringVar(&o.schema, "schema", o.schema, "Columns and SQL types as name:TYPE,...; inferred from the whole file by default")
	f.StringVar(&o.timeColumn, "time-column", o.timeColumn, "Column that holds the time of a time_to_event_prediction dataset")
	f.StringVar(&o.targetSize, "target-size", o.targetSize, "Size of the images in pixels as WIDTHxHEIGHT; read from the images by default")
	f.IntVar(&o.keypoints, "number-of-keypoints", o.keypoints, "Number of keypoints of every image")
	f.StringVar(&o.releaseName, "release", o.releaseName, "Helm release of the tracebloc client, where a namespace has several")
	f.StringVar(&o.submitAs, "service-account", o.submitAs, "Service account to submit as; the one that the release's policy names by default")
	f.StringVar(&o.key, "idempotency-key", o.key, "Key of the run; the same key never starts a second run. A new one is made by default")
	f.StringVar(&o.imageDigest, "image-digest", o.imageDigest, "Digest of the ingestor image as sha256:..., instead of the release's")
	f.StringVar(&o.stageImage, "stage-image", o.stageImage, "Image of the stage Pod with a POSIX shell, tar and sha256sum; one that the release uses by default")
	f.DurationVar(&o.stageTimeout, "stage-timeout", o.stageTimeout, "Life of a stage Pod; a transfer that takes longer goes on in a new one")
	f.DurationVar(&o.timeout, "timeout", o.timeout, "Longest time to follow the run, 0 for no limit; the run itself goes on")
	f.IntVar(&o.parallel, "parallel", o.parallel, "Number of sessions that share the transfer, 1 to 16; twice the default where the volume turns out to be slow")
	f.StringVar(&o.compress, "compress", o.compress, "Must be auto (what shrinks, where the link is slower than compressing), never or always")
	f.BoolVar(&o.fix, "fix", o.fix, "Repair the CSV on its way to the cluster where that has one safe meaning: byte order mark, line ends, empty last column, padded names; the file on disk stays as it is")
	f.BoolVar(&o.followLinks, "follow-symlinks", o.followLinks, "Take symbolic links in the dataset for what they lead to; links that lead out of the dataset are refused all the same")
	f.StringVar(&o.dryRun, "dry-run", o.dryRun, "Must be none, client (check the dataset only) or server (ask the cluster too); nothing is sent")
	f.BoolVar(&o.detach, "detach", o.detach, "End after the submit, without following the run")
	f.BoolVar(&o.quiet, "quiet", o.quiet, "Print nothing but the result and errors")
	f.BoolVar(&o.noProgress, "no-progress", o.noProgress, "Print plain lines instead of a progress bar")
	o.printFlags.AddFlags(c)
	completeFlag(c, "task", completeTask)
	completeFlag(c, "intent", cobra.FixedCompletions([]string{"train", "test"}, cobra.ShellCompDirectiveNoFileComp))
	completeFlag(c, "label-policy", cobra.FixedCompletions([]string{dataset.PolicyPassthrough, dataset.PolicyBucket}, cobra.ShellCompDirectiveNoFileComp))
	completeFlag(c, "compress", cobra.FixedCompletions([]string{"auto", "never", "always"}, cobra.ShellCompDirectiveNoFileComp))
	completeFlag(c, "dry-run", cobra.FixedCompletions([]string{dryRunNone, dryRunClient, dryRunServer}, cobra.ShellCompDirectiveNoFileComp))
}

func taskNames() []string {
	names := make([]string, 0, len(dataset.Tasks))
	for _, t := range dataset.Tasks {
		names = append(names, t.Name)
	}
	return names
}

// execute runs the command and prints the IngestionRun on every ending.
func (o *pushOptions) execute(c *cobra.Command, args []string) error {
	p := newPush(o)
	printer, err := objectPrinter(o.printFlags)
	if err != nil {
		return fail(exitSpec, err)
	}
	err = o.complete(c, args)
	if err == nil {
		err = o.validate()
	}
	if err != nil {
		err = fail(exitSpec, err)
	} else {
		err = p.run(c.Context())
	}
	p.conclude(err)
	if printErr := p.print(printer); printErr != nil {
		err = errors.Join(err, printErr)
	}
	return err
}

func (o *pushOptions) complete(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("push takes one PATH, a directory or a CSV file, got %d arguments", len(args))
	}
	o.path = args[0]
	if o.path == "" {
		return errors.New("PATH is empty; name a directory or a CSV file")
	}
	if err := refuseEmpty(c); err != nil {
		return err
	}
	if c.Flags().Changed("parallel") {
		o.sessions = o.parallel
	}
	for _, flag := range dataset.TaskFlags() {
		if c.Flags().Changed(flag) {
			o.taskFlags = append(o.taskFlags, flag)
		}
	}
	if c.Flags().Changed("task") && c.Flags().Changed("category") {
		return errors.New("--category is the spec's word for --task; give one of them")
	}
	return nil
}

// validate judges the flags on their own, before any file is read.
func (o *pushOptions) validate() error {
	switch {
	case !slices.Contains([]string{dryRunNone, dryRunClient, dryRunServer}, o.dryRun):
		return fmt.Errorf("--dry-run=%q: must be none, client or server", o.dryRun)
	case !slices.Contains([]string{"", "train", "test"}, o.intent):
		return fmt.Errorf("--intent=%q: must be train or test", o.intent)
	case !slices.Contains([]string{"", dataset.PolicyPassthrough, dataset.PolicyBucket}, o.labelPolicy):
		return fmt.Errorf("--label-policy=%q: must be passthrough or bucket", o.labelPolicy)
	case o.parallel < 1 || o.parallel > stage.MaxParallel:
		return fmt.Errorf("--parallel=%d: must be 1 to %d", o.parallel, stage.MaxParallel)
	case o.stageTimeout < time.Minute:
		return fmt.Errorf("--stage-timeout=%s: must be at least 1m, or the Pod ends before it has started", o.stageTimeout)
	case o.timeout < 0:
		return fmt.Errorf("--timeout=%s: must not be negative; 0 means no limit", o.timeout)
	case o.keypoints < 0, o.keypoints == 0 && slices.Contains(o.taskFlags, "number-of-keypoints"):
		return fmt.Errorf("--number-of-keypoints=%d: must be at least 1", o.keypoints)
	case o.imageDigest != "" && !digestForm.MatchString(o.imageDigest):
		return fmt.Errorf("--image-digest=%q: must be sha256: and 64 lower-case hex digits; a tag is not enough", o.imageDigest)
	}
	var err error
	if o.compression, err = stage.ParseCompress(o.compress); err != nil {
		return fmt.Errorf("--compress=%w", err)
	}
	if o.key != "" {
		if err := run.CheckKey(o.key); err != nil {
			return fmt.Errorf("--idempotency-key=%q: %w", o.key, err)
		}
	}
	return nil
}

// push is one run of the command: what each step found, for the next.
type push struct {
	*pushOptions
	found
	result *run.IngestionRun
}

// run is the order of a push. Each step has the exit code of its failure and
// knows nothing of the ones after it.
func (p *push) run(ctx context.Context) error {
	p.progress = newProgress(p.pushOptions)
	defer p.close()
	for _, step := range []struct {
		name string
		code int
		do   func(context.Context) error
		last string // the dry run that ends here
	}{
		{"spec", exitSpec, p.readSpec, ""},
		{"dataset", exitDataset, p.checkDataset, ""},
		{"plan", exitSpec, p.makePlan, dryRunClient},
		{"release", exitRelease, p.findRelease, ""},
		{"access", exitAuth, p.askAccess, ""},
		{"connect", exitRelease, p.reachServer, ""},
		{"destination", exitExists, p.checkDestination, dryRunServer},
		{"stage", exitStage, p.stage, ""},
		{"submit", exitSubmit, p.submit, ""},
		{"follow", exitRun, p.follow, ""},
		{"cleanup", exitError, p.removeStaged, ""},
	} {
		p.result.Status.Step = step.name
		started := time.Now()
		err := step.do(ctx)
		p.result.Status.Durations[step.name] = seconds(time.Since(started))
		if err != nil {
			return fail(step.code, p.interruption(step.name, err))
		}
		if step.last == p.dryRun || p.result.Status.Phase == run.PhaseDetached {
			return nil
		}
	}
	return nil
}
