package cmd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	projectURL  = "https://github.com/tracebloc/kubectl-tracebloc"
	// sourceRoot is the name by which services know the root of a repository.
	sourceRoot = "%SRCROOT%"
	// fingerprint is the name, with its version, of what findings are told apart by from run to run.
	fingerprint = "traceblocFinding/v1"
)

// Services refuse logs that are too long, and show 5,000 results of a run.
const (
	sarifPerRule = 1000
	sarifTotal   = 5000
)

// The parts of SARIF 2.1.0 that a log of validate has; the names are those of
// the standard.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool                `json:"tool"`
		Invocations []sarifInvocation        `json:"invocations"`
		Bases       map[string]sarifArtifact `json:"originalUriBaseIds"`
		ColumnKind  string                   `json:"columnKind"`
		Results     []sarifResult            `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string           `json:"id"`
		ShortDescription sarifText        `json:"shortDescription"`
		FullDescription  sarifText        `json:"fullDescription"`
		Help             sarifText        `json:"help"`
		HelpURI          string           `json:"helpUri"`
		Default          sarifRuleDefault `json:"defaultConfiguration"`
		Properties       sarifTags        `json:"properties"`
	}
	sarifRuleDefault struct {
		Level string `json:"level"`
	}
	sarifTags struct {
		Tags []string `json:"tags"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		ExitCode      int                 `json:"exitCode"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Occurrences  int               `json:"occurrenceCount,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI         string     `json:"uri,omitempty"`
		BaseID      string     `json:"uriBaseId,omitempty"`
		Description *sarifText `json:"description,omitempty"`
	}
	sarifRegion struct {
		StartLine   int64 `json:"startLine"`
		StartColumn int64 `json:"startColumn,omitempty"`
	}
)

// sarif writes the report as a SARIF 2.1.0 log with one run. The same report
// gives the same bytes.
func (r *validationReport) sarif(version string, w workspace) ([]byte, error) {
	rules := sarifRules()
	index := map[string]int{}
	for i, rule := range rules {
		index[rule.ID] = i
	}
	items, omitted := r.worst(sarifPerRule, sarifTotal)
	log := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: binary, Version: version, InformationURI: projectURL, Rules: rules}},
		Invocations: []sarifInvocation{r.invocation(omitted)},
		Bases:       map[string]sarifArtifact{sourceRoot: {Description: &sarifText{"The root of the source tree."}}},
		ColumnKind:  "unicodeCodePoints",
		Results:     make([]sarifResult, 0, len(items)),
	}
	seen := map[string]int{}
	for _, item := range items {
		result := sarifResult{
			RuleID: item.Rule, RuleIndex: index[item.Rule], Level: string(item.Severity), Message: plainText(item.text()),
			Locations: []sarifLocation{}, Occurrences: item.Count,
		}
		where := ""
		if item.File != "" {
			physical := item.physical(w)
			where = physical.Artifact.URI
			result.Locations = append(result.Locations, sarifLocation{physical})
		}
		id := item.fingerprint(where)
		seen[id]++
		result.Fingerprints = map[string]string{fingerprint: fmt.Sprintf("%s:%d", id, seen[id])}
		log.Results = append(log.Results, result)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{log}})
	return text.Bytes(), err
}

// invocation tells of what is about no file. The run was successful if it came
// to a verdict, whatever that is.
func (r *validationReport) invocation(omitted int) sarifInvocation {
	invocation := sarifInvocation{Successful: r.failure == "", ExitCode: r.Status.ExitCode}
	if r.failure != "" {
		invocation.Notifications = append(invocation.Notifications, sarifNotification{"error", plainText(r.failure)})
	}
	if omitted > 0 {
		text := fmt.Sprintf("%d findings are left out of this log; kubectl tracebloc validate -o json has more", omitted)
		invocation.Notifications = append(invocation.Notifications, sarifNotification{"warning", plainText(text)})
	}
	return invocation
}

func sarifRules() []sarifRule {
	var rules []sarifRule
	add := func(group, page string, from []preflight.Rule) {
		for _, rule := range from {
			help := rule.Remedy
			if help == "" {
				help = "nothing has to be done"
			}
			rules = append(rules, sarifRule{
				ID: rule.ID, ShortDescription: plainText(rule.Summary), FullDescription: plainText(rule.Summary), Help: plainText(help),
				HelpURI: projectURL + "/blob/main/docs/" + page, Default: sarifRuleDefault{string(rule.Severity)}, Properties: sarifTags{[]string{group}},
			})
		}
	}
	add("Spec", "output.md#validationreport", specRules())
	for _, group := range preflight.RuleGroups() {
		add(group.Title, "preflight.md", group.Rules)
	}
	return rules
}

func (i findingItem) physical(w workspace) sarifPhysical {
	uri, relative := w.uri(i.File)
	physical := sarifPhysical{Artifact: sarifArtifact{URI: uri}}
	if relative {
		physical.Artifact.BaseID = sourceRoot
	}
	if i.Line > 0 {
		physical.Region = &sarifRegion{StartLine: i.Line, StartColumn: i.Col}
	}
	return physical
}

// fingerprint is the same for the same breach wherever it has moved to in its
// file. A message counts only where nothing else tells what is wrong: its
// wording, and the rows that it names, may change.
func (i findingItem) fingerprint(uri string) string {
	parts := []string{i.Rule, uri, i.Field, i.Column, i.Value}
	if i.Row == 0 && i.Column == "" && i.Value == "" {
		parts = append(parts, i.Message)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// plainText is a message as it stands: braces would be placeholders (SARIF
// 2.1.0, 3.11.5), and a pair of brackets before a parenthesis a link (3.11.6).
func plainText(text string) sarifText {
	return sarifText{strings.NewReplacer("{", "{{", "}", "}}", "](", "] (").Replace(progress.Escape(text))}
}
