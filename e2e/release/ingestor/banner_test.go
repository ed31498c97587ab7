package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var ansi = regexp.MustCompile("\x1b\\[[0-9]+m")

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The files in testdata are the contract's: .golden its template with ANSI filled in, .txt its verbatim runs without.
func TestBannerIsTheContracts(t *testing.T) {
	for _, tc := range []struct {
		name, id string
		counts   counts
	}{
		{"banner_success", "dcbaa9ae-c347-45a5-ac4c-26264c587874", counts{total: 576, processed: 576, inserted: 576, sent: 576}},
		{"banner_partial", "1fce71a8-ff93-408c-a435-fae7043a9b53", counts{total: 4, processed: 4, inserted: 3, sent: 3, transfer: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			printBanner(&out, tc.id, "", tc.counts)
			if diff := cmp.Diff(read(t, tc.name+".golden"), out.String()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(read(t, tc.name+".txt"), ansi.ReplaceAllString(out.String(), "")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBannerStatusAndRate(t *testing.T) {
	for _, tc := range []struct {
		name   string
		counts counts
		table  string
		want   []string
		absent string
	}{
		{name: "nothing there", want: []string{bold + red + "🎉 Ingestion completed successfully!" + reset}, absent: "Success Rate"},
		{name: "all failed", counts: counts{total: 4, processed: 4, transfer: 4},
			want: []string{"📊 Success Rate: [░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░] 0.0%", "❌ Critical! Ingestion completed with 4 failure(s); most records failed — see logs."}},
		{name: "none sent", counts: counts{total: 4, processed: 4, inserted: 4},
			want: []string{"❌ Failed to Send to API:   4", "] " + yellow + "100.0%", "⚠️  Ingestion completed with 4 failure(s), see logs."}},
		{name: "skipped count for nothing", counts: counts{total: 4, processed: 2, inserted: 2, sent: 2, skipped: 2},
			want: []string{"⏭️  Skipped Records:        2", "❌ Critical! Ingestion completed with 0 failure(s)"}},
		{name: "newer", counts: counts{total: 10, processed: 9, inserted: 9, sent: 9, skipped: 1}, table: "ds_1",
			want: []string{"Destination table:          ds_1", "⚠️  Ingestion completed with 1 failure(s), see logs."}},
		{name: "thousands", counts: counts{total: 1234567, processed: 1234567, inserted: 1234567, sent: 1234567}, want: []string{"📈 Total Records Found:     1,234,567"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			printBanner(&out, "id", tc.table, tc.counts)
			plain := ansi.ReplaceAllString(out.String(), "")
			for _, want := range tc.want {
				if !strings.Contains(out.String(), want) && !strings.Contains(plain, want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
			if tc.absent != "" && strings.Contains(plain, tc.absent) {
				t.Errorf("%q in\n%s", tc.absent, plain)
			}
		})
	}
}
