package main

import (
	"fmt"
	"os"
	"strings"
)

const reportHead = `# Benchmarks

` + "`make bench`" + ` measures the transfer beside ` + "`kubectl cp`" + ` of the same data into the same volume, on a cluster (yours with KUBECONFIG and
E2E_USE_KUBECONFIG=1, else kind, else Kubernetes from source on this machine), and writes this page. The numbers belong to the
machine that they were measured on; the ratios, and whether an aim is met, are what counts.

    make bench                                   # the check, then everything below; about half an hour
    make bench-stage BENCH_FLAGS='-run big,slow' # some rows; this page stays as it is
    make bench-stage BENCH_FLAGS=-quick          # does it work? The numbers mean nothing

Both tools run in turns, with the disk synced before each, over the same connection and transport, into an empty place. Images are
PNG files full of noise, which nothing can compress.

- **plugin** is from the first session of the transfer to the published tree: hashing again, checking on the volume, syncing and publishing
  are in it. Measured values and ratios are made of it.
- **stage step** has the start and the end of the Pod as well, and **command** all of ` + "`kubectl tracebloc push --detach`" + `: the check of the
  dataset, the review of permissions, the submit.
- **kubectl cp** is the whole command, into a Pod that runs already. It checks nothing, and does not sync.

`

// reportRest begins the part of the page that is written by hand, which stays.
const reportRest = "\n## What the aims that are not met cost\n"

// writeReport writes the table as a page.
func writeReport(path, machine string, rounds int, rows []row, limits []limit) error {
	var page strings.Builder
	page.WriteString(reportHead)
	fmt.Fprintf(&page, "Measured on %s, as medians of %d rounds; ratios are medians of the ratios of each round.\n\n", machine, rounds)
	page.WriteString("| work | transport | aim | measured | met | plugin | stage step | command | kubectl cp |\n")
	page.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	var notes []string
	for _, r := range rows {
		work := r.work
		if len(r.notes) > 0 {
			notes = append(notes, strings.Join(r.notes, "; "))
			work += fmt.Sprintf(" (%d)", len(notes))
		}
		fmt.Fprintf(&page, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", work, r.transport, r.aim, r.aim.unit.format(r.value), r.verdict(),
			seconds(r.staging), seconds(r.stage), seconds(r.whole), seconds(r.copied))
	}
	for i, note := range notes {
		fmt.Fprintf(&page, "\n(%d) %s.\n", i+1, note)
	}
	page.WriteString("\n## The machine's own limits\n\n| what | measured |\n| --- | --- |\n")
	for _, l := range limits {
		fmt.Fprintf(&page, "| %s | %s |\n", strings.ReplaceAll(l.what, "|", `\|`), l.value)
	}
	if old, err := os.ReadFile(path); err == nil {
		if _, rest, found := strings.Cut(string(old), reportRest); found {
			page.WriteString(reportRest + rest)
		}
	}
	if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
