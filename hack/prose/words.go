package main

import (
	"fmt"
	"regexp"
	"strings"
)

// terms are words that are often spelled wrong, and how those who own them spell them. Words of programs stand in code, which is
// not looked at.
var terms = map[string]string{
	"airgapped":         "air-gapped",
	"api":               "API",
	"Cosign":            "cosign",
	"Configmap":         "ConfigMap",
	"configmap":         "ConfigMap",
	"configmaps":        "ConfigMaps",
	"csv":               "CSV",
	"debian":            "Debian",
	"docker":            "Docker",
	"Github":            "GitHub",
	"github":            "GitHub",
	"Gitlab":            "GitLab",
	"gitlab":            "GitLab",
	"golang":            "Go",
	"Golang":            "Go",
	"helm":              "Helm",
	"homebrew":          "Homebrew",
	"Jobs-manager":      "jobs-manager",
	"Jobs-Manager":      "jobs-manager",
	"json":              "JSON",
	"Json":              "JSON",
	"k8s":               "Kubernetes",
	"K8s":               "Kubernetes",
	"Krew":              "krew",
	"Kubeconfig":        "kubeconfig",
	"KubeConfig":        "kubeconfig",
	"Kubectl":           "kubectl",
	"kubectl-Tracebloc": "kubectl-tracebloc",
	"Kubectl-tracebloc": "kubectl-tracebloc",
	"kubernetes":        "Kubernetes",
	"Kubernets":         "Kubernetes",
	"linux":             "Linux",
	"macos":             "macOS",
	"MacOS":             "macOS",
	"MacOSX":            "macOS",
	"openshift":         "OpenShift",
	"Openshift":         "OpenShift",
	"OSX":               "macOS",
	"pod":               "Pod",
	"pods":              "Pods",
	"Powershell":        "PowerShell",
	"pvc":               "PVC",
	"pvcs":              "PVCs",
	"Sarif":             "SARIF",
	"sarif":             "SARIF",
	"spdy":              "SPDY",
	"Spdy":              "SPDY",
	"tekton":            "Tekton",
	"TraceBloc":         "tracebloc",
	"Tracebloc":         "tracebloc",
	"url":               "URL",
	"websocket":         "WebSocket",
	"Websocket":         "WebSocket",
	"yaml":              "YAML",
	"Yaml":              "YAML",
}

// pairs are terms of two words, in lower case where that does not matter.
var pairs = map[string]string{
	"Mac OS":      "macOS",
	"OS X":        "macOS",
	"Open Shift":  "OpenShift",
	"Power Shell": "PowerShell",
	"Web Socket":  "WebSocket",
	"air gapped":  "air-gapped",
	"config map":  "ConfigMap",
	"git hub":     "GitHub",
}

// doubled are words that are twice in a row by mistake only.
var doubled = map[string]bool{
	"a": true, "an": true, "and": true, "as": true, "at": true, "be": true, "by": true, "for": true, "from": true, "if": true,
	"in": true, "is": true, "it": true, "its": true, "not": true, "of": true, "on": true, "or": true, "the": true, "to": true,
	"which": true, "with": true,
}

// token is a run of what is no space.
var token = regexp.MustCompile(`\S+`)

const (
	opening = "([{\"'*_“‘|>"
	ending  = ")]}\"'*_”’|.,;:!?"
)

// checkWords looks at the words of the prose, without the targets of links.
func checkWords(p *page) []problem {
	var problems []problem
	last := "" // the word before, "" where something stands between
	words := p.words()
	for _, at := range token.FindAllStringIndex(words, -1) {
		raw := words[at[0]:at[1]]
		if strings.Contains(raw, hidden) {
			last = ""
			continue
		}
		bare := strings.TrimLeft(raw, opening)
		word := strings.TrimRight(bare, ending)
		say := func(format string, args ...any) {
			problems = append(problems, problem{p.name, p.lineOf(at[0]), fmt.Sprintf(format, args...)})
		}
		if last != "" && bare == raw {
			if strings.EqualFold(last, word) && doubled[strings.ToLower(word)] {
				say("%q stands twice", word)
			}
			if right, ok := pairs[last+" "+word]; ok {
				say("%q is spelled %q", last+" "+word, right)
			}
		}
		stem, owner := strings.CutSuffix(word, "'s")
		if right, ok := terms[stem]; ok {
			if owner {
				right += "'s"
			}
			say("%q is spelled %q", word, right)
		}
		last = ""
		if word == bare {
			last = word
		}
	}
	return problems
}

// words is the prose with the targets of links, URLs and tags hidden.
func (p *page) words() string {
	prose := defined.ReplaceAllStringFunc(p.prose, hide)
	// The text of a link goes on behind its target.
	prose = inline.ReplaceAllStringFunc(prose, func(s string) string { return "]" + strings.Repeat(" ", len(s)-1) })
	prose = bare.ReplaceAllStringFunc(prose, hide)
	return tag.ReplaceAllStringFunc(prose, hide)
}
