package main

import (
	"fmt"
	"io"
	"strings"
)

// counts is what the banner tells.
type counts struct {
	total, processed, inserted, sent, skipped, transfer, failed int
}

// failures is N of the status line. Skipped records count in newer ingestors only.
func (c counts) failures(newer bool) int {
	n := c.failed + c.transfer + c.inserted - c.sent
	if newer {
		n += c.skipped
	}
	return n
}

// perfect says whether nothing was lost.
func (c counts) perfect() bool {
	return c.failed == 0 && c.transfer == 0 && c.inserted >= c.total && c.sent >= c.inserted
}

// printBanner writes the summary byte for byte as contract/ingestor.md §3.4 has it. table is printed by newer ingestors, and
// empty otherwise.
func printBanner(w io.Writer, id, table string, c counts) {
	heavy, light := cyan+strings.Repeat("═", 60)+reset, cyan+strings.Repeat("─", 60)+reset
	lines := []string{"", heavy, bold + cyan + "📊 INGESTION SUMMARY 📊" + reset, heavy}
	line := func(label string, pad int, color, value string) {
		lines = append(lines, bold+label+reset+strings.Repeat(" ", pad)+color+value+reset)
	}
	line("Ingestor ID:", 16, blue, id)
	if table != "" {
		line("Destination table:", 10, blue, table)
	}
	line("📈 Total Records Found:", 5, blue, commas(c.total))
	line("✅ Successfully Processed:", 2, green, commas(c.processed))
	line("💾 Inserted to Database:", 4, green, commas(c.inserted))
	line("🚀 Sent to API:", 13, green, commas(c.sent))
	line("⏭️  Skipped Records:", 8, yellow, commas(c.skipped))
	transfer := green
	if c.transfer > 0 {
		transfer = red
	}
	line("📁 File Transfer Failures:", 2, transfer, commas(c.transfer))
	line("❌ Failed DB Insertion:", 5, red, commas(c.failed))
	line("❌ Failed to Send to API:", 3, red, commas(max(0, c.inserted-c.sent)))
	rate := 0.0
	if c.total > 0 {
		rate = float64(c.inserted) / float64(c.total) * 100
	}
	color := rateColor(c, rate)
	if c.total > 0 {
		filled := min(30, int(rate/100*30))
		cells := strings.Repeat("█", filled) + strings.Repeat("░", 30-filled)
		lines = append(lines, light, fmt.Sprintf("%s📊 Success Rate:%s [%s%s%s] %s%.1f%%%s", bold, reset, color, cells, reset, color, rate, reset))
	}
	lines = append(lines, light, bold+color+status(c, rate, table != "")+reset, heavy, "")
	_, _ = fmt.Fprintln(w, strings.Join(lines, "\n"))
}

func rateColor(c counts, rate float64) string {
	switch {
	case rate >= 90 && c.perfect():
		return green
	case rate >= 70:
		return yellow
	default:
		return red
	}
}

func status(c counts, rate float64, newer bool) string {
	n := c.failures(newer)
	switch {
	case c.perfect() && (!newer || c.skipped == 0):
		return "🎉 Ingestion completed successfully!"
	case rate >= 80:
		return fmt.Sprintf("⚠️  Ingestion completed with %d failure(s), see logs.", n)
	case rate >= 60:
		return fmt.Sprintf("⚠️  Ingestion completed with %d failure(s); many records failed to process — see logs.", n)
	default:
		return fmt.Sprintf("❌ Critical! Ingestion completed with %d failure(s); most records failed — see logs.", n)
	}
}
