package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Load reads and judges a spec. The name stands in front of every problem.
// Problems come in the order of the file; the Config is nil when one of them
// is an error.
func Load(name string, data []byte) (*Config, Problems) {
	return load(name, data, false)
}

// LoadPartial is Load for a spec that push completes: fields that push can
// fill in from flags and the dataset may be missing.
func LoadPartial(name string, data []byte) (*Config, Problems) {
	return load(name, data, true)
}

func load(name string, data []byte, partial bool) (*Config, Problems) {
	root, problem := parse(name, data)
	if problem != nil {
		return nil, Problems{*problem}
	}
	doc := newDocument(name, root)
	if doc.full {
		return nil, doc.problems(doc.findings)
	}
	if message := otherKind(root); message != "" {
		// Its fields are those of its kind; what a spec has instead helps nobody.
		return nil, doc.problems([]finding{errorAt(message, "kind")})
	}
	findings, err := judge(doc.json.Bytes(), partial)
	if err != nil {
		findings = append(findings, errorAt(err.Error()))
	}
	// What YAML could not read is null to the schema: one complaint is enough.
	rejected := errorPaths(doc.findings)
	for _, f := range findings {
		if !rejected[placeKey(f.path)] {
			doc.findings = append(doc.findings, f)
		}
	}
	config, more := decode(doc.json.Bytes(), findings)
	doc.findings = append(doc.findings, more...)
	config.normalize()
	doc.findings = append(doc.findings, without(errorPaths(doc.findings), config.check(partial))...)
	problems := doc.problems(doc.findings)
	if problems.Errors() > 0 {
		return nil, problems
	}
	return config, problems
}

// Validate judges a spec that was not read from a file.
func (c *Config) Validate() Problems {
	encoded, err := c.json()
	if err != nil {
		return Problems{{Severity: SeverityError, Message: err.Error()}}
	}
	var doc *document
	findings, err := judge(encoded, false)
	if err != nil {
		findings = append(findings, errorAt(err.Error()))
	}
	findings = append(findings, without(errorPaths(findings), c.check(false))...)
	return doc.problems(findings)
}

// errorPaths are the paths that an error was found at.
func errorPaths(findings []finding) map[string]bool {
	paths := map[string]bool{}
	for _, f := range findings {
		if f.severity == SeverityError {
			paths[placeKey(f.path)] = true
		}
	}
	return paths
}

// without drops the findings at the given paths.
func without(paths map[string]bool, findings []finding) []finding {
	var rest []finding
	for _, f := range findings {
		if !paths[placeKey(f.path)] {
			rest = append(rest, f)
		}
	}
	return rest
}

// decode reads a document's JSON. Fields that something is wrong with are left
// out where they keep the others from being read, so that all that is wrong is
// told at once.
func decode(document []byte, known []finding) (*Config, []finding) {
	var config Config
	err := json.Unmarshal(document, &config)
	if err == nil {
		return &config, nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(document, &fields) != nil {
		return &Config{}, []finding{errorAt(err.Error())}
	}
	whole := len(fields)
	for _, f := range known {
		if f.severity == SeverityError && len(f.path) > 0 {
			delete(fields, f.path[0])
		}
	}
	var findings []finding
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		// Wrong types are the schema's to report; integers beyond 64 bits are left.
		path := strings.Split(wrong.Field, ".")
		if _, unexplained := fields[path[0]]; unexplained {
			findings = append(findings, errorAt(fmt.Sprintf("the %s is out of range", wrong.Value), path...))
			delete(fields, path[0])
		}
	}
	config = Config{}
	rest, err := json.Marshal(fields)
	if err == nil {
		err = json.Unmarshal(rest, &config)
	}
	if err != nil && len(fields) == whole {
		findings = append(findings, errorAt(err.Error()))
	}
	return &config, findings
}
