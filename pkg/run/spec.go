package run

import (
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
)

// storedSpec is what is read of a spec that somebody has submitted: foreign text.
type storedSpec struct {
	text                string
	table, task, intent string
}

// specKind is the kind of every spec (contract, spec).
const specKind = "IngestConfig"

// specOf returns the spec that a run's ConfigMap holds. Under which key it is
// stored is not public, so every value is tried: one that says that it is a spec
// wins over one that merely has a table.
func specOf(config *corev1.ConfigMap) (storedSpec, bool) {
	var found storedSpec
	for _, key := range slices.Sorted(maps.Keys(config.Data)) {
		spec, kind := readSpec(config.Data[key])
		if kind == specKind {
			return spec, true
		}
		if found.table == "" && spec.table != "" {
			found = spec
		}
	}
	return found, found.table != ""
}

// readSpec reads the fields of a spec that say what it is about; they are empty
// where the text has none.
func readSpec(text string) (spec storedSpec, kind string) {
	var document yaml.Node
	if yaml.Unmarshal([]byte(text), &document) != nil || len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return storedSpec{}, ""
	}
	spec.text = text
	pairs := document.Content[0].Content
	for i := 0; i+1 < len(pairs); i += 2 {
		// Of a key that is there twice the last one counts, as for the server.
		switch value := scalar(pairs[i+1]); pairs[i].Value {
		case "kind":
			kind = value
		case "table":
			spec.table = value
		case "category":
			spec.task = value
		case "intent":
			spec.intent = value
		}
	}
	return spec, kind
}

func scalar(node *yaml.Node) string {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.ScalarNode {
		return ""
	}
	return node.Value
}

// stagingDirectory is the directory on the shared volume that datasets are staged in.
const stagingDirectory = ".tracebloc-staging"

// StagedPaths returns the paths in the run's spec that lie in a staging
// directory, clean and sorted. It is empty as well when the spec is not known or
// cannot be read.
func (r *IngestionRun) StagedPaths() []string {
	all, _ := specPaths(r.Spec.IngestConfig)
	return slices.DeleteFunc(all, func(p string) bool { return belowStaging(p) == "" })
}

// Reads reports whether the run reads dir, a directory in a staging directory:
// its spec names it, something in it, or a directory above it. A run whose spec
// is not known may read anything.
func (r *IngestionRun) Reads(dir string) bool {
	all, ok := specPaths(r.Spec.IngestConfig)
	if !ok {
		return true
	}
	dir = path.Clean(dir)
	return slices.ContainsFunc(all, func(p string) bool {
		if contains(p, dir) || contains(dir, p) {
			return true
		}
		// The volume may be mounted elsewhere in the Pod whose eyes dir is seen with.
		below, wanted := belowStaging(p), belowStaging(dir)
		return below != "" && wanted != "" && (contains(below, wanted) || contains(wanted, below))
	})
}

// contains reports whether the clean path p is dir or lies in it.
func contains(dir, p string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// belowStaging returns what follows the mount of the volume in a path of the
// staging directory, which starts with a slash; "" for any other path.
func belowStaging(p string) string {
	at := strings.Index(p+"/", "/"+stagingDirectory+"/")
	if at < 0 {
		return ""
	}
	return p[at:]
}

// specPaths returns every absolute path that stands alone in a spec, clean,
// sorted, each once. ok is false when there is no spec that could be read.
func specPaths(text string) (paths []string, ok bool) {
	var document yaml.Node
	if strings.TrimSpace(text) == "" || yaml.Unmarshal([]byte(text), &document) != nil {
		return nil, false
	}
	var walk func(node *yaml.Node)
	walk = func(node *yaml.Node) {
		if node.Kind == yaml.ScalarNode && path.IsAbs(node.Value) {
			paths = append(paths, path.Clean(node.Value))
		}
		for _, child := range node.Content {
			walk(child)
		}
	}
	walk(&document)
	slices.Sort(paths)
	return slices.Compact(paths), true
}
