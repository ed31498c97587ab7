package cmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/ingest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
	"github.com/tracebloc/kubectl-tracebloc/pkg/stage"
)

// makePlan fixes the key, the place on the volume and the spec, and shows
// everything that will happen.
func (p *push) makePlan(context.Context) error {
	p.runKey = p.key
	if p.runKey == "" {
		p.runKey = run.NewKey()
	}
	var err error
	if p.plan, err = stage.NewPlan(p.chosen.table, p.checked.Manifest, stage.DefaultRoot); err != nil {
		return fail(exitDataset, err)
	}
	if err := p.buildSpec(); err != nil {
		return err
	}
	p.result.Name = p.runKey
	p.result.Spec.IngestConfig = p.spec
	p.result.Status.Staging = &run.StagingStatus{Path: p.plan.Dir()}
	if p.dryRun != dryRunNone {
		p.result.Status.Phase = run.PhasePlanned
	}
	if !p.quiet {
		p.showPlan(escapeWriter{p.ErrOut})
	}
	return nil
}

// input is what the spec is built from: flags, what the data says, and the
// spec that the user wrote.
func (p *push) input() ingest.Input {
	return ingest.Input{
		Task:        p.chosen.task,
		Table:       p.chosen.table,
		Intent:      p.chosen.intent,
		LabelColumn: p.checked.LabelColumn,
		LabelPolicy: p.chosen.policy,
		Schema:      p.checked.Schema,
		TimeColumn:  p.timeColumn,
		TargetSize:  p.checked.TargetSize,
		Extension:   p.checked.Extension,
		Keypoints:   p.checked.Keypoints,
		CSV:         p.data.CSV,
		Base:        p.base,
	}
}

// buildSpec renders the canonical spec. Its paths hold the tree id, so that
// equal specs mean equal data.
func (p *push) buildSpec() error {
	config, err := ingest.Build(p.input(), p.plan.Dir())
	if err != nil {
		return err
	}
	if problems := config.Validate(); problems.Errors() > 0 {
		return problems.Err()
	}
	text, err := config.YAML()
	if err != nil {
		return err
	}
	p.spec = string(text)
	return nil
}

// specDigest names the spec in the record on the volume.
func (p *push) specDigest() string {
	sum := sha256.Sum256([]byte(p.spec))
	return hex.EncodeToString(sum[:])
}

func (p *push) showPlan(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(t, "%s:\t%s\n", name, fmt.Sprintf(format, args...))
	}
	c := p.checked
	row("Dataset", "%q, %s, %s, %s", p.path, plural(int64(len(c.Manifest)), "file"), progress.Bytes(c.Manifest.Bytes()), plural(c.Rows, "row"))
	row("Task", "%s (%s)", p.chosen.task.Name, p.chosen.from["task"])
	row("Table", "%s (%s)", p.chosen.table, p.chosen.from["table"])
	row("Intent", "%s (%s)", p.chosen.intent, p.chosen.from["intent"])
	if c.LabelColumn != "" {
		row("Label", "%q (%s), %s%s", c.LabelColumn, p.chosen.from["label"], p.chosen.policy, classes(c))
	}
	if p.chosen.task.DefaultTimeColumn != "" {
		row("Time", "%q (%s)", p.chosen.time, p.chosen.from["time"])
	}
	if c.TargetSize != [2]int{} {
		row("Images", "%s pixels (%s), %s", size(c.TargetSize), p.chosen.from["size"], c.Extension)
	}
	if c.Keypoints > 0 {
		row("Keypoints", "%d of each image (%s)", c.Keypoints, p.chosen.from["keypoints"])
	}
	if len(c.Schema) > 0 {
		row("Schema", "%s (%s): %s", plural(int64(len(c.Schema)), "column"), p.chosen.from["schema"], columnList(c))
	}
	if p.base != nil && p.filename == "" {
		row("Spec", "%s", filepath.Join(p.path, p.data.SpecFile))
	}
	row("Run", "%s", p.runKey)
	row("Staged at", "%s", p.plan.Dir())
	_ = t.Flush()
}

func classes(c *preflight.Result) string {
	if c.Classes == 0 {
		return ""
	}
	if c.Classes == 1 {
		return ", 1 class"
	}
	return fmt.Sprintf(", %d classes", c.Classes)
}

// shownColumns is how much of a schema the plan shows; -o yaml has all of it.
const shownColumns = 12

func columnList(c *preflight.Result) string {
	var parts []string
	for i, column := range c.Schema {
		if i == shownColumns {
			parts = append(parts, fmt.Sprintf("and %d more", len(c.Schema)-i))
			break
		}
		parts = append(parts, fmt.Sprintf("%q %s", column.Name, column.Type))
	}
	return strings.Join(parts, ", ")
}

// found is what the steps of a push found out, in their order.
type found struct {
	data    *dataset.Dataset
	base    *ingest.Config // the spec that the user wrote, or nil
	chosen  chosen
	checked *preflight.Result
	runKey  string
	plan    stage.Plan
	spec    string // canonical YAML

	cluster        cluster
	release        *release.Release
	serviceAccount string
	token          *release.TokenSource
	tokenUsed      bool // by the submit
	resumed        bool // the key is that of the record on the volume
	server         *server
	accepted       run.Accepted
	outcome        run.Outcome

	progress *progress.Reporter
}
