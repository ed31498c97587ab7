package run

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// logNames are the saved logs, with the exit code that goes with each.
var logNames = map[string]int32{
	"success": 0, "newer": 0, "skipped": 0, "zero": 0, "retried": 0,
	"partial": 1, "total-failure": 1, "not-sent": 1, "validation": 1, "registration": 1,
	"already-exists": 1, "traceback": 1, "schema": 2, "no-database": 65,
}

func readLog(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "logs", name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestReadReport(t *testing.T) {
	t.Parallel()
	for name := range logNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := ReadReport(bytes.NewReader(readLog(t, name)))
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(report, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "logs/"+name+".golden", append(got, '\n'))
		})
	}
}

// The bytes of a log arrive in pieces of any size, with and without stamps, and
// say the same.
func TestReportDoesNotDependOnChunks(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name := range logNames {
		data := readLog(t, name)
		want, err := ReadReport(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		stamped := stamp(string(data))
		for _, log := range []string{string(data), strings.ReplaceAll(string(data), "\n", "\r\n"), stamped} {
			for range 5 {
				got := reportInPieces(t, log, random)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%s (-whole +pieces):\n%s", name, diff)
				}
			}
		}
		got, err := ReadReport(iotest.OneByteReader(bytes.NewReader(data)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-whole +bytes):\n%s", name, diff)
		}
	}
}

// stamp puts a time in front of each line, as the API server does.
func stamp(log string) string {
	lines := strings.SplitAfter(log, "\n")
	for i, text := range lines {
		if text != "" {
			lines[i] = "2026-11-23T09:05:12.123456789Z " + text
		}
	}
	return strings.Join(lines, "")
}

func reportInPieces(t *testing.T, log string, random *rand.Rand) Report {
	t.Helper()
	var parser Parser
	for len(log) > 0 {
		n := min(1+random.IntN(40), len(log))
		if _, err := io.WriteString(&parser, log[:n]); err != nil {
			t.Fatal(err)
		}
		log = log[n:]
	}
	return parser.Report()
}

func TestBannerTolerance(t *testing.T) {
	t.Parallel()
	number := func(n int64) *int64 { return &n }
	tests := []struct {
		name, log string
		want      *Banner
	}{
		{"none", "Total Records Found: 4\nInserted to Database: 4\n", nil},
		{"a title in a record is data", "2026-11-23 09:05:12 | WARNING  | x | y.py:1 | INGESTION SUMMARY\nSent to API: 4\n", nil},
		{"missing lines", "INGESTION SUMMARY\nSent to API: 4\n", &Banner{Sent: number(4)}},
		{"another order", "📊 INGESTION SUMMARY 📊\nSent to API: 4\nTotal Records Found: 5\n", &Banner{Sent: number(4), Total: number(5)}},
		{"an unknown line", "INGESTION SUMMARY\nColor of records: 9\nSent to API: 4\n", &Banner{Sent: number(4)}},
		{"dots", "INGESTION SUMMARY\nSent to API: 1.234.567\n", &Banner{Sent: number(1234567)}},
		{"narrow space", "INGESTION SUMMARY\nSent to API: 1\u202f234\n", &Banner{Sent: number(1234)}},
		{"no number", "INGESTION SUMMARY\nSent to API: many\n", &Banner{}},
		{"not after the end", "INGESTION SUMMARY\n═══\nSent to API: 4\n═══\nSent to API: 5\n", &Banner{Sent: number(4)}},
		{"a second title empties", "INGESTION SUMMARY\nSent to API: 4\n═══\nINGESTION SUMMARY\n", &Banner{}},
		{"letter case and spaces", "ingestion\nINGESTION SUMMARY\n  SENT  TO api :  4  \n", &Banner{Sent: number(4)}},
	}
	for _, test := range tests {
		report, err := ReadReport(strings.NewReader(test.log))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, report.Banner); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestParseCount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true},
		{"576", 576, true},
		{"1,234", 1234, true},
		{"12,345,678", 12345678, true},
		{"1.234.567", 1234567, true},
		{"1_000", 1000, true},
		{"1'000", 1000, true},
		{"1\u00a0000", 1000, true},
		{"12 of 13", 12, true},
		{"9223372036854775807", 9223372036854775807, true},
		{"9223372036854775808", 0, false},
		{"", 0, false},
		{",", 0, false},
		{"-1", 0, false},
		{"1,23", 0, false},
		{"1,2345", 0, false},
		{"1234,567", 0, false},
		{"1,234.567", 0, false},
		{"12.5", 0, false},
		{"1,234,", 0, false},
		{"x1", 0, false},
		{"1e3", 0, false},
	}
	for _, test := range tests {
		got, ok := parseCount(test.text)
		if ok != test.ok || ok && got != test.want {
			t.Errorf("parseCount(%q) = %d, %t; want %d, %t", test.text, got, ok, test.want, test.ok)
		}
	}
}

func TestFailureBlock(t *testing.T) {
	t.Parallel()
	long := "Ingestion failed: x\n" + strings.Repeat("y\n", 500)
	tests := []struct {
		name, log string
		want      []string
	}{
		{"ends at a record", "Ingestion failed: a\nb\n2026-11-23 09:05:12 | ERROR    | m | f.py:1 | c\nd\n", []string{"a", "b"}},
		{"ends at a new start", "Ingestion failed: a\nWaiting up to 120s for MySQL at m:3306...\nd\n", []string{"a"}},
		{"the last one counts", "Ingestion failed: a\nb\nIngestion failed: c\n", []string{"c"}},
		{"ends at a banner", "Ingestion failed: a\nINGESTION SUMMARY\nSent to API: 4\nx\n", []string{"a"}},
		{"empty lines go at the ends", "Ingestion failed: \n\na\n\nb\n\n\n", []string{"a", "", "b"}},
		{"not in the middle of a line", "he said Ingestion failed: a\n", nil},
	}
	for _, test := range tests {
		report, err := ReadReport(strings.NewReader(test.log))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, report.Failure); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	report, err := ReadReport(strings.NewReader(long))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(report.Failure); n != maxBlockLines+1 || report.Failure[n-1] != "... 441 more lines" {
		t.Errorf("a long block has %d lines and ends with %q", n, report.Failure[n-1])
	}
}

// One line of 20 MB must not be held in memory; the report comes through it.
func TestHugeLine(t *testing.T) {
	t.Parallel()
	huge := io.MultiReader(
		strings.NewReader("INGESTION SUMMARY\n"),
		io.LimitReader(endless('x'), 20<<20),
		strings.NewReader("\nSent to API: 4\n"),
		io.LimitReader(endless('\r'), 1<<20),
		io.LimitReader(endless('y'), 20<<20),
	)
	var parser Parser
	if _, err := io.Copy(&parser, huge); err != nil {
		t.Fatal(err)
	}
	if held := cap(parser.lines.buf); held > 4*maxLine {
		t.Errorf("the parser holds %d bytes of a line", held)
	}
	report := parser.Report()
	if report.Banner == nil || report.Banner.Sent == nil || *report.Banner.Sent != 4 {
		t.Errorf("the banner after the line is lost: %+v", report.Banner)
	}
	for _, text := range report.Tail {
		if len(text) > maxTextLine+len("...") {
			t.Errorf("a line of %d bytes is kept", len(text))
		}
	}
}

type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func FuzzParser(f *testing.F) {
	for name := range logNames {
		f.Add(readLog(f, name), 7)
	}
	f.Add([]byte("INGESTION SUMMARY\nSent to API: 9,999\r\n"), 1)
	f.Add([]byte("\x1b]0;title\x07\x1b[2J\r\rTraceback (most recent call last):\n\nIngestion failed:"), 3)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		size = max(1, size)
		whole, err := ReadReport(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		var parser Parser
		for rest := data; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			if _, err := parser.Write(rest[:min(size, len(rest))]); err != nil {
				t.Fatal(err)
			}
		}
		pieces := parser.Report()
		if diff := cmp.Diff(whole, pieces); diff != "" {
			t.Errorf("pieces of %d bytes change the report:\n%s", size, diff)
		}
		if len(whole.Failure) > maxBlockLines+1 || len(whole.Tail) > maxTailLines || len(whole.Traceback) > maxTailLines {
			t.Error("the report is not bounded")
		}
		zero := int32(0)
		attempt := Attempt{Pod: "p", ExitCode: &zero, Log: whole, LogComplete: true}
		for _, state := range []JobState{JobComplete, JobFailed, JobDeleted, JobActive} {
			outcome := Judge(Evidence{Job: "j", Namespace: "n", State: state, Attempts: []Attempt{attempt}})
			for _, text := range outcome.Lines() {
				if strings.ContainsAny(text, "\x1b\r\x07") {
					t.Errorf("%q reaches the terminal", text)
				}
			}
			if outcome.Clean() && (state != JobComplete && state != JobDeleted || *whole.Banner.Inserted == 0) {
				t.Errorf("a Job that is %s with %+v is called a success", state, whole.Banner)
			}
		}
	})
}
