package ingest

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// ingestionRun is the kind of what push prints with -o yaml and -o json.
const ingestionRun = "IngestionRun"

// otherKind says what a document is that calls itself something else than a
// spec, and how to come to a spec; "" for a spec, or what may be meant as one.
func otherKind(root *yaml.Node) string {
	version, kind := rootString(root, "apiVersion"), rootString(root, "kind")
	switch {
	case version == "" || kind == "" || kind == Kind:
		return ""
	case kind == ingestionRun:
		return fmt.Sprintf("%q is what push prints, not an ingest spec; push with -o jsonpath={.spec.ingestConfig} prints the spec in it", kind)
	case nearest(kind, []string{Kind}) != "":
		return ""
	}
	return fmt.Sprintf("%s is not an ingest spec but another kind of document (apiVersion %s); a spec has apiVersion %q and kind %q",
		show(kind), show(version), APIVersion, Kind)
}

// rootString is a field of the root that is a string; "" where there is none.
func rootString(root *yaml.Node, name string) string {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if key, value := root.Content[i], root.Content[i+1]; key.Value == name && value.Kind == yaml.ScalarNode && value.ShortTag() == "!!str" {
			return value.Value
		}
	}
	return ""
}
