package preflight

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// testNow is the clock of tests about time: it is not yet midnight in UTC.
func testNow() time.Time { return time.Date(2024, 6, 1, 23, 59, 0, 0, time.UTC) }

// series has one numeric feature, and each value of a list as a timestamp.
func series(timestamps string) tree {
	var b strings.Builder
	b.WriteString("timestamp,x,label\n")
	for i, cell := range strings.Split(timestamps, "|") {
		b.WriteString(cell + ",1," + string(rune('1'+i)) + "\n")
	}
	return csvOf(b.String())
}

func forecastingParams(p *Params) {
	p.Task, p.Now = mustTask("time_series_forecasting"), testNow()
}

func timeCases() []ruleCase {
	good := series("2024-05-30|2024-05-31")
	forecast := func(rule, breaks, passes string, also ...string) ruleCase {
		return ruleCase{rule: rule, name: breaks, params: forecastingParams, breaks: series(breaks), passes: series(passes), also: also}
	}
	header := func(name string) tree { return csvOf(strings.Replace(good["data.csv"], "timestamp", name, 1)) }
	typed := func(types ...string) func(*Params) {
		return func(p *Params) { forecastingParams(p); schemaOf(types...)(p) }
	}
	feature := func(cells, passes string) ruleCase {
		column := func(cells string) tree {
			var b strings.Builder
			b.WriteString("timestamp,x,label\n")
			for i, cell := range strings.Split(cells, "|") {
				b.WriteString("2024-05-30," + cell + "," + string(rune('1'+i)) + "\n")
			}
			return csvOf(b.String())
		}
		return ruleCase{rule: "feature-not-numeric", name: cells, params: forecastingParams, breaks: column(cells), passes: column(passes)}
	}
	cases := []ruleCase{
		{rule: "time-column", name: "letter case", params: forecastingParams, breaks: header("Timestamp"), passes: good},
		{rule: "time-column", name: "padded", params: forecastingParams, breaks: header(" timestamp"), passes: good, also: []string{"csv-padded-header"}},
		{rule: "time-type", name: "DATE", params: typed("timestamp:DATE", "x:INT", "label:INT"), breaks: good, passes: good, fixed: typed("timestamp:TIMESTAMP", "x:INT", "label:INT")},
		{rule: "time-type", name: "not in the schema", params: typed("x:INT", "label:INT"), breaks: good, passes: good, fixed: typed("timestamp:TIMESTAMP(6)", "x:INT", "label:INT")},
		forecast("time-invalid", "2024-05-30|", "2024-05-30|2024-05-31 10:00"),
		forecast("time-invalid", "2024-05-30|NaT", "2024-05-30|2024/05/31"),
		forecast("time-invalid", "2024-02-30|2024-05-31", "20 February 2024|2024-05-31"),
		forecast("time-invalid", "2024-05-30|20240531", "2024-05-30|2024.05.31"),
		forecast("time-invalid", "1677-01-01|2024-05-31", "1677-09-22|2024-05-31"),
		forecast("time-ambiguous", "2024-03-30|05/06/2024", "2024-03-30|05/31/2024"),
		forecast("time-ambiguous", "01.02.2024|15.02.2024", "15.02.2024|2024-02-16"),
		forecast("time-order", "2024-05-30|2024-05-29 23:59:59.999999999", "2024-05-30|2024-05-30 00:00:00", "value-date-fraction"),
		forecast("time-future", "2024-05-30|2024-06-01", "2024-05-30|2024-05-31 23:59:59"),
		forecast("value-time-zone", "2024-05-30T00:00:00Z|2024-05-31T00:00:00Z", "2024-05-30T00:00:00|2024-05-31T00:00:00"),
		forecast("value-date-number", "20240530|20240531", "2024-05-30|2024-05-31"),
		feature("north", "-1.5e3"),
		feature("yes|no", "1|0"),
		feature("True|false|1", "True|false|TRUE"),
		feature("none|1", "|1"),
	}
	cases[len(cases)-1].also = []string{"value-missing-skew"}
	return slices.Concat(cases, durationCases())
}

func durationCases() []ruleCase {
	tte := func(p *Params) { p.Task = mustTask("time_to_event_prediction") }
	column := func(p *Params) { tte(p); p.TimeColumn = "days" }
	table := func(name, cell string) tree { return csvOf(name + ",label\n1,0\n" + cell + ",1\n") }
	return []ruleCase{
		{rule: "duration-column", params: tte, breaks: table("Time", "2"), passes: table("time", "2")},
		{rule: "duration-column", name: "padded", params: tte, breaks: table(" time", "2"), passes: table("time", "2"), also: []string{"csv-padded-header"}},
		{rule: "duration-column", name: "by name", params: column, breaks: table("time", "2"), passes: table("days", "2")},
		{rule: "duration-not-numeric", params: tte, breaks: table("time", "soon"), passes: table("time", " 2.5 ")},
		{rule: "duration-negative", params: tte, breaks: table("time", "-0.5"), passes: table("time", "-0.0")},
		{rule: "duration-blank", params: tte, breaks: table("time", "NA"), passes: table("time", "0")},
	}
}

// TestForecastingSchema: an inferred schema has timestamp as TIMESTAMP, and holds as a declaration.
func TestForecastingSchema(t *testing.T) {
	t.Parallel()
	for _, timestamps := range []string{"2024-05-30|2024-05-31", "2024-05-30 10:00|2024-05-31", "30 May 2024|2024/05/31"} {
		p := Params{}
		forecastingParams(&p)
		r := checkPath(t, series(timestamps).Write(t), p)
		if r.Schema[0] != (dataset.Column{Name: "timestamp", Type: "TIMESTAMP"}) || len(r.Findings) != 0 {
			t.Errorf("schema %v of %q, findings %v", r.Schema, timestamps, r.Findings)
		}
		p.Schema = r.Schema
		if declared := checkPath(t, series(timestamps).Write(t), p); len(declared.Findings) != 0 {
			t.Errorf("the inferred schema %v breaks: %v", r.Schema, declared.Findings)
		}
	}
}

// TestForecastingSchemaOfBothReadings: a backslash parts the readings before the header, and timestamp keeps its type in both.
func TestForecastingSchemaOfBothReadings(t *testing.T) {
	t.Parallel()
	p := Params{}
	forecastingParams(&p)
	r := checkPath(t, csvOf("timestamp,x,label\n2024-05-30,1,1\n2024-05-31,\\,2\n").Write(t), p)
	if r.Schema[0] != (dataset.Column{Name: "timestamp", Type: "TIMESTAMP"}) || r.Totals["feature-not-numeric"] != 1 {
		t.Errorf("schema %v, findings %v", r.Schema, r.Findings)
	}
}

// TestForecastingClock: today is the day of the cluster's clock, wherever the plugin runs.
func TestForecastingClock(t *testing.T) {
	t.Parallel()
	west := time.FixedZone("west", -8*60*60)
	for _, c := range []struct {
		now  time.Time
		want int
	}{
		{time.Date(2024, 5, 31, 17, 0, 0, 0, west), 0}, // June 1 in UTC
		{time.Date(2024, 5, 31, 15, 0, 0, 0, west), 1},
	} {
		p := Params{}
		forecastingParams(&p)
		p.Now = c.now
		if r := checkPath(t, series("2024-05-30|2024-05-31").Write(t), p); r.Totals["time-future"] != c.want {
			t.Errorf("at %v: %d timestamps are not before today, want %d", c.now, r.Totals["time-future"], c.want)
		}
	}
	p := Params{Task: mustTask("time_series_forecasting")}
	today := time.Now().UTC().Format(time.DateOnly)
	if r := checkPath(t, series("2024-05-30|"+today).Write(t), p); r.Totals["time-future"] != 1 {
		t.Errorf("today's %s is taken for the past: %v", today, r.Findings)
	}
}

// TestUnboundedTimes: numbers are times too, in nanoseconds, and keep their order.
func TestUnboundedTimes(t *testing.T) {
	t.Parallel()
	for cells, want := range map[string]string{
		"1|2": "", "2|1": "time-order", "-2|-1": "", "-1|-2": "time-order", "-1|0": "", "0|1e300": "time-future", "1.5|1.25": "time-order", "1|inf": "time-invalid",
		"1717113600000000000|1717200000000000000": "time-future",
	} {
		p := Params{}
		forecastingParams(&p)
		r := checkPath(t, series(cells).Write(t), p)
		got := rulesOf(r)
		got = slices.DeleteFunc(got, func(id string) bool { return id == "value-date-number" })
		if strings.Join(got, " ") != want {
			t.Errorf("%s breaks %v, want %q: %v", cells, got, want, r.Findings)
		}
	}
}

// FuzzTimeRules: no input makes the rules over time and keypoints fail, and a schema that was inferred holds as a declaration.
func FuzzTimeRules(f *testing.F) {
	tasks := []string{"time_series_forecasting", "time_series_classification", "time_to_event_prediction", "keypoint_detection"}
	for i, seed := range []string{
		series("2024-05-30|2024-05-31")["data.csv"], walks("s1,2024-01-02,1,up\n")["data.csv"], "time,label\n1,0\n-2,1\nx,\n", poses(goodAnnotation, goodVisibility)["labels.csv"],
		series("1|2|x|01/02/2024|2024-05-30T00:00:00.5Z")["data.csv"], "sequence_id,timestamp,label\n1,a\\,b,c\n\"x\\\"\",7,\n",
	} {
		f.Add([]byte(seed), uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, choice uint8) {
		p := Params{Task: mustTask(tasks[int(choice)%len(tasks)]), Now: testNow(), LabelColumn: "label"}
		if choice >= 128 {
			p.IDColumn = "x"
		}
		run := func() *Result {
			c := &checker{Params: p, dataset: &dataset.Dataset{CSV: "data.csv"}, report: newReport(), read: func(int64) {}, scratch: scratch{canceled: never}}
			for _, name := range p.Task.Checks {
				c.checks = append(c.checks, taskChecks()[name](c))
			}
			pass := c.newCSVPass(dataset.Entry{Path: "data.csv"})
			pass.write(data)
			pass.finish()
			c.table = pass.table
			r := &Result{}
			c.finishCSV(r)
			r.Findings, r.Totals = c.report.findings(), c.report.totals
			return r
		}
		inferred := run()
		if len(inferred.Schema) == 0 {
			return
		}
		p.Schema = inferred.Schema
		for _, f := range run().Findings {
			if f.Severity == SeverityError && inferred.Totals[f.Rule] == 0 {
				t.Errorf("the inferred schema %v breaks %s as a declaration: %s", inferred.Schema, f.Rule, f.Message)
			}
		}
	})
}
