package stage

import (
	_ "embed"
	"strings"
)

// The remote side is a constant: what varies is passed as positional arguments and in frames. Each task has its own part, because the
// whole text travels in the URL of the exec request, which some proxies cut at 8 KiB.
var (
	//go:embed script/session.sh
	sessionScript string
	//go:embed script/probe.sh
	probeScript string
	//go:embed script/receive.sh
	receiveScript string
	//go:embed script/publish.sh
	publishScript string
	//go:embed script/record.sh
	recordScript string
	//go:embed script/remove.sh
	removeScript string
	//go:embed script/clean.sh
	cleanScript string
)

// command is what is executed in the Pod for one task.
func command(task string, arguments ...string) []string {
	return append([]string{"sh", "-c", compact(sessionScript + task), "tracebloc-stage"}, arguments...)
}

// compact leaves out comment lines, empty lines and indentation. The scripts have no text that spans lines but the single line break
// of $newline, which it keeps.
func compact(script string) string {
	var b strings.Builder
	for line := range strings.Lines(script) {
		line = strings.TrimLeft(line, "\t")
		if line == "\n" || strings.HasPrefix(line, "#") {
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}
