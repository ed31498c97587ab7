package pages

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Class says what proves that a command line works.
type Class string

const (
	// Offline lines need no cluster: pkg/cmd's tests run them.
	Offline Class = "offline"
	// Cluster lines are run by e2e/docs.
	Cluster Class = "cluster"
	// Elsewhere lines stand in Proofs.
	Elsewhere Class = "elsewhere"
)

// Proof says what proves the lines that neither kind of test can run. It has exactly one of Test, Target and Why.
type Proof struct {
	// Match is a regular expression for the whole line.
	Match string
	// Test is a directory and a test function in it: "hack/install TestInstall".
	Test string
	// Target is a make target; making it is the proof.
	Target string
	// Why says why nothing here can run the line.
	Why string
}

// ProofOf finds the proof of a line. A call of make that stands in no entry is proved by its targets.
func ProofOf(line Line) (Proof, bool) {
	for _, p := range Proofs() {
		if regexp.MustCompile(`^(?s:` + p.Match + `)$`).MatchString(line.Text) {
			return p, true
		}
	}
	for _, words := range Commands(line.Text) {
		if words[0] == "make" {
			targets := slices.DeleteFunc(slices.Clone(words[1:]), func(w string) bool { return strings.HasPrefix(w, "-") || strings.Contains(w, "=") })
			return Proof{Match: "make", Target: strings.Join(targets, " ")}, true
		}
	}
	return Proof{}, false
}

// Classify finds the class of a line. It is an error when there is none: then a page says to type what nothing has tried.
func Classify(line Line) (Class, error) {
	if _, found := ProofOf(line); found {
		return Elsewhere, nil
	}
	class := Offline
	for _, words := range Commands(line.Text) {
		switch name, args := words[0], words[1:]; {
		case name == "kubectl" && len(args) > 0 && args[0] == "krew":
			return "", fmt.Errorf("%s:%d: %q: krew is not there to run it; name its proof in hack/pages/proofs.go", line.Page, line.Number, line.Text)
		case name == "kubectl" && len(args) > 0 && args[0] == "tracebloc" && offlineCall(args[1:]):
		case name == "kubectl-tracebloc" && offlineCall(args):
		case name == "kubectl" || name == "kubectl-tracebloc":
			class = Cluster
		case slices.Contains(tools(), name):
		default:
			return "", fmt.Errorf("%s:%d: %q: nothing runs %q here; make its block none of console, sh and bash, or name its proof in hack/pages/proofs.go",
				line.Page, line.Number, line.Text, name)
		}
	}
	return class, nil
}

// tools are what a line may use beside the plugin: what every system has, and what changes nothing but the directory it runs in.
func tools() []string {
	return []string{"cat", "cd", "chmod", "cp", "cut", "echo", "exit", "export", "false", "find", "grep", "head", "jq", "ls", "mkdir", "mv", "printf",
		"read", "rm", "sed", "set", "sleep", "sort", "source", "tail", "tee", "test", "[", "touch", "true", "unset", "wc", "which", "command", "render-spec"}
}

// offlineCall reports whether a call of the plugin works without a cluster.
func offlineCall(args []string) bool {
	if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		return true
	}
	verb := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") })
	if verb < 0 {
		return true // the bare command is a question
	}
	switch args[verb] {
	case "completion", "explain", "help", "init", "options", "validate", "__complete":
		return true
	case "version":
		return slices.Contains(args, "--client")
	case "push":
		return hasFlag(args, "--dry-run", "client")
	case "logs":
		return slices.ContainsFunc(args, func(a string) bool { return a == "--filename" || strings.HasPrefix(a, "--filename=") })
	}
	return false
}

// hasFlag reports whether a flag is given with a value, in either of its forms.
func hasFlag(args []string, name, value string) bool {
	at := slices.Index(args, name)
	return slices.Contains(args, name+"="+value) || at >= 0 && at+1 < len(args) && args[at+1] == value
}
