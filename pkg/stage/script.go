package stage

import (
	"embed"
	"strings"
)

//go:embed script/*.sh
var scripts embed.FS

// scriptVariable is where the Pod's environment has the script, and evaluate is how an exec runs it.
const (
	scriptVariable = "TRACEBLOC_STAGE"
	evaluate       = `eval "$` + scriptVariable + `"`
)

// The remote side is a constant: what varies is passed as positional arguments and in frames.
var scriptParts = []string{"session", "look", "worker", "record", "remove", "clean", "inventory", "task"}

// Script is the text of the environment variable TRACEBLOC_STAGE of the stage Pod: all that sessions run there.
func Script() string {
	var b strings.Builder
	for _, part := range scriptParts {
		b.WriteString(read(part))
	}
	return b.String()
}

// lifetime is the Pod's own process.
func lifetime() string { return read("lifetime") }

func read(part string) string {
	text, err := scripts.ReadFile("script/" + part + ".sh")
	if err != nil {
		panic(err) // it was embedded under this name
	}
	return compact(string(text))
}

// command is what is executed in the Pod for one task.
func command(arguments ...string) []string {
	return append([]string{"sh", "-c", evaluate, "tracebloc-stage"}, arguments...)
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
