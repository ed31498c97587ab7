package main

import (
	"fmt"
	"io"
	"strings"
)

// row is one line of the table: a piece of work, its aim, and what was measured. Seconds are medians, 0 where nothing was
// measured.
type row struct {
	name, work, transport string
	aim                   aim
	value                 float64
	staging               float64 // of the plugin, from its first session to the published tree: what ratios are made of
	stage                 float64 // the same with the Pod's start and end
	whole                 float64 // the whole command, with check, access review and submit
	copied                float64 // kubectl cp
	notes                 []string
	err                   error
}

// aim is what a value must not exceed, or must reach.
type aim struct {
	unit    unit
	limit   float64
	atLeast bool
	none    bool // a number to know, with no aim
}

// unit says what a value is.
type unit int

const (
	timesCopy  unit = iota // the plugin's seconds as a multiple of those of kubectl cp
	faster                 // the seconds of kubectl cp as a multiple of the plugin's
	ofFirst                // the part of the first push
	timesData              // bytes sent as a multiple of the data
	resident               // MiB
	cpuSecPerG             // CPU seconds per GiB
)

func (u unit) format(v float64) string {
	switch u {
	case ofFirst:
		return fmt.Sprintf("%.1f %% of the first push", 100*v)
	case timesData:
		return fmt.Sprintf("%.3f times the data", v)
	case resident:
		return fmt.Sprintf("%.0f MiB", v)
	case cpuSecPerG:
		return fmt.Sprintf("%.2f CPU seconds per GiB", v)
	case faster:
		return fmt.Sprintf("%.2f times faster than kubectl cp", v)
	}
	return fmt.Sprintf("%.2f times kubectl cp", v)
}

func (a aim) String() string {
	switch {
	case a.none:
		return "none"
	case a.atLeast:
		return "at least " + a.unit.format(a.limit)
	}
	return "at most " + a.unit.format(a.limit)
}

// met tells whether a value is as it should be.
func (a aim) met(v float64) bool {
	if a.atLeast {
		return v >= a.limit
	}
	return v <= a.limit
}

// verdict is yes, no, or nothing where there is no aim.
func (r row) verdict() string {
	switch {
	case r.err != nil:
		return "failed"
	case r.aim.none:
		return "-"
	case r.aim.met(r.value):
		return "yes"
	}
	return "no"
}

func seconds(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f s", v)
}

func printHead(out io.Writer) {
	fmt.Fprintf(out, "%-8s %-10s %-44s %-44s %-6s %10s %10s %10s %10s\n", "ROW", "TRANSPORT", "AIM", "MEASURED", "MET", "PLUGIN", "STAGE STEP", "COMMAND", "KUBECTL CP")
}

func (r row) print(out io.Writer) {
	if r.err != nil {
		fmt.Fprintf(out, "%-8s failed: %v\n", r.name, r.err)
		return
	}
	fmt.Fprintf(out, "%-8s %-10s %-44s %-44s %-6s %10s %10s %10s %10s\n", r.name, r.transport, r.aim, r.aim.unit.format(r.value), r.verdict(),
		seconds(r.staging), seconds(r.stage), seconds(r.whole), seconds(r.copied))
	if len(r.notes) > 0 {
		fmt.Fprintf(out, "%8s %s\n", "", strings.Join(r.notes, "; "))
	}
}

// round is what the rounds of a row gave, by the name of what was measured.
type rounds struct {
	series
	transport string
}

// add keeps one round of a push and, where there was one, of kubectl cp.
func (r rounds) add(p pushed, c copied) {
	for what, v := range map[string]float64{
		"staging": p.Status.Staging.Seconds, "stage": p.Status.Durations["stage"], "whole": p.whole, "cpu": p.cpu,
	} {
		r.series[what] = append(r.series[what], v)
	}
	if c.whole > 0 {
		r.series["copy"] = append(r.series["copy"], c.whole)
		r.series["copy cpu"] = append(r.series["copy cpu"], c.cpu)
	}
}

// row has the medians.
func (r rounds) row(name, work string, a aim, value float64, notes ...string) row {
	return row{
		name: name, work: work, transport: r.transport, aim: a, value: value, notes: notes,
		staging: r.median("staging"), stage: r.median("stage"), whole: r.median("whole"), copied: r.median("copy"),
	}
}
