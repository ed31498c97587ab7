package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

// kubectlWord finds the commands in our messages: the word kubectl where a
// command can begin, followed by what it is to do.
var kubectlWord = regexp.MustCompile("(^|[\\s('\"`])kubectl ([a-z])")

// asStarted makes the commands that a message names those of the kubectl that
// started the plugin, which tells its path in KUBECTL_PATH: one that is called
// otherwise, or that is not on the PATH, could not be copied into a shell. The
// plugin itself runs no kubectl.
func asStarted(message string) string {
	name := kubectlName(os.Getenv("KUBECTL_PATH"), exec.LookPath)
	if name == "kubectl" {
		return message
	}
	return kubectlWord.ReplaceAllString(message, "${1}"+strings.ReplaceAll(name, "$", "$$")+" ${2}")
}

// kubectlName is what people type for the kubectl at path: its name where a
// shell finds one of that name, else the path.
func kubectlName(path string, find func(string) (string, error)) string {
	// kubectl always tells an absolute path; anything else came from somebody else.
	if !filepath.IsAbs(path) {
		return "kubectl"
	}
	name := strings.TrimSuffix(filepath.Base(path), ".exe")
	// Where version managers put a shim on the PATH, the name is right and the file another one.
	if _, err := find(name); err == nil && !needsQuotes(name) {
		return name
	}
	if needsQuotes(path) {
		return strconv.Quote(path)
	}
	return path
}

// needsQuotes reports whether a shell, or a terminal, would not take text as it is.
func needsQuotes(text string) bool {
	return strings.ContainsAny(text, " \t\n\"'`$&|;<>()*?[]{}!#~") || progress.Escape(text) != text
}
