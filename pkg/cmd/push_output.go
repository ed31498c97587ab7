package cmd

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// chosen is what a push settled before it read the data.
type chosen struct {
	task   dataset.Task
	table  string
	intent string
	policy string
	time   string // column
	from   map[string]source
}

func newPush(o *pushOptions) *push {
	p := &push{pushOptions: o, result: run.NewIngestionRun("")}
	p.chosen.from = map[string]source{}
	p.result.Status.Durations = map[string]float64{}
	p.result.Status.Step = "flags"
	return p
}

// close gives back what the steps opened.
func (p *push) close() {
	p.server.close()
	if p.data != nil {
		_ = p.data.Close()
	}
}

// conclude writes the ending into the result; the exit code in it and that of
// the process come from the same function.
func (p *push) conclude(err error) {
	p.result.Spec.Path = p.path
	if p.dryRun != dryRunNone {
		p.result.Spec.DryRun = p.dryRun
	}
	status := &p.result.Status
	p.result.SetExitCode(ExitCode(err))
	if err == nil {
		return
	}
	if status.Message == "" {
		status.Message = err.Error()
	}
	if status.Phase == "" || status.Phase == run.PhasePlanned {
		status.Phase = run.PhaseRefused
	}
}

// objectPrinter returns the printer of -o for an IngestionRun or a list of them,
// nil without -o; --template alone is a format too, as in kubectl.
func objectPrinter(flags *genericclioptions.PrintFlags) (printers.ResourcePrinter, error) {
	format, template := flags.OutputFormat, flags.TemplatePrinterFlags.TemplateArgument
	if (format == nil || *format == "") && (template == nil || *template == "") {
		return nil, nil
	}
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(run.GroupVersion, &run.IngestionRun{}, &run.IngestionRunList{})
	return flags.WithTypeSetter(scheme).ToPrinter()
}

// print writes the result: the object in the format of -o, or what a person wants
// to read when there is none.
func (p *push) print(format printers.ResourcePrinter) error {
	if format == nil {
		_, err := io.WriteString(p.Out, progress.Escape(p.report()))
		return err
	}
	if *p.result.Status.ExitCode == exitRun {
		// What the ingestor said is worth reading beside the object.
		p.say("%s", strings.TrimSuffix(p.report(), "\n"))
	} else {
		for _, text := range p.outcome.Warnings {
			p.warn("%s", text)
		}
	}
	return format.PrintObj(p.result, p.Out)
}

// report is the result for people. Failures before the submit have no report:
// their error says it all.
func (p *push) report() string {
	status := &p.result.Status
	switch status.Phase {
	case run.PhasePlanned:
		return fmt.Sprintf("run %s planned (%s dry run): nothing was sent\n", p.runKey, p.dryRun)
	case run.PhaseDetached:
		return fmt.Sprintf("run %s submitted as job %s\n", p.runKey, status.Job)
	case run.PhaseRefused, "":
		return ""
	}
	if p.outcome.State == "" {
		return "" // the following ended before the run did; the error says so
	}
	return strings.Join(p.outcome.Lines(), "\n") + "\n"
}

func datasetStatus(c *preflight.Result) *run.DatasetStatus {
	return &run.DatasetStatus{
		TreeID: c.Manifest.TreeID(), Files: int64(len(c.Manifest)), Bytes: c.Manifest.Bytes(), Rows: c.Rows, Classes: c.Classes,
	}
}

// shownFindings is how many findings of one rule a person gets to see.
const shownFindings = 20

// writeFindings prints findings the way compilers do, worst first, and the
// totals.
func writeFindings(out io.Writer, c *preflight.Result) {
	kept := map[string]int{}
	for i, f := range c.Findings {
		if kept[f.Rule]++; kept[f.Rule] <= shownFindings {
			_, _ = fmt.Fprintln(out, f)
		}
		last := i+1 == len(c.Findings) || c.Findings[i+1].Rule != f.Rule
		if last && kept[f.Rule] > shownFindings {
			has := "them"
			if kept[f.Rule] < c.Totals[f.Rule] {
				has = fmt.Sprintf("the first %d", kept[f.Rule])
			}
			_, _ = fmt.Fprintf(out, "and %d more of %s; -o json has %s\n", c.Totals[f.Rule]-shownFindings, f.Rule, has)
		}
	}
	if c.Errors()+c.Warnings() > 0 {
		_, _ = fmt.Fprintf(out, "%s, %s\n", plural(int64(c.Errors()), "error"), plural(int64(c.Warnings()), "warning"))
	}
}

func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }
