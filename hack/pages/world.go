package pages

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// World is a directory that has what the pages take for granted: the datasets that they name, specs, a saved log, programs.
type World struct {
	// Dir is where the lines are typed.
	Dir string
	// Env is for those who type them.
	Env []string
}

// flowersSpec fits the dataset "flowers".
const flowersSpec = `apiVersion: tracebloc.io/v1
kind: IngestConfig
category: image_classification
table: flowers
intent: train
csv: /data/shared/.tracebloc-staging/flowers/labels.csv
images: /data/shared/.tracebloc-staging/flowers/images
label: label
spec:
  file_options:
    target_size: [64, 48]
    extension: .jpg
`

// churnSpec stands in the directory "churn", which holds the table of that name.
const churnSpec = `apiVersion: tracebloc.io/v1
kind: IngestConfig
category: tabular_classification
label: churned
`

// NewWorld makes one in dir for the lines of a page: the examples of docs/tasks.md, "flowers" with ingest.yaml, "churn" with a spec in it,
// specs/, ingest.log, a program render-spec, and the number of a pipeline. kubectl is the text of the kubectl on its PATH. root is that of the repository.
func NewWorld(root, dir, kubectl string, lines []Line) (World, error) {
	w := World{Dir: dir, Env: []string{"HOME=" + dir, "GITHUB_RUN_ID=4711", "PATH=" + filepath.Join(dir, ".bin") + string(os.PathListSeparator) + os.Getenv("PATH")}}
	all, err := Load(root)
	if err != nil {
		return w, err
	}
	tasks, err := Find(all, "docs/tasks.md")
	if err != nil {
		return w, err
	}
	examples, err := Examples(tasks)
	if err != nil {
		return w, err
	}
	if len(examples) == 0 {
		return w, fmt.Errorf("docs/tasks.md has no examples")
	}
	flowers := examples[0]
	flowers.Root = "flowers"
	for _, e := range append(examples, flowers) {
		if _, err := e.Write(dir); err != nil {
			return w, err
		}
	}
	log, err := os.ReadFile(filepath.Join(root, "pkg", "run", "testdata", "logs", "success.log"))
	if err != nil {
		return w, fmt.Errorf("read a saved log: %w", err)
	}
	files := map[string]string{
		".bin/kubectl": kubectl, ".bin/render-spec": "#!/bin/sh\ncat <<'EOF'\n" + flowersSpec + "EOF\n",
		".local/bin/.keep": "", "specs/flowers.yaml": flowersSpec, "ingest.log": string(log),
		"churn/ingest.yaml": churnSpec, "churn/churn.csv": table(examples, "churn.csv"),
	}
	if !writesSpec(lines) {
		files["ingest.yaml"] = flowersSpec
	}
	for name, text := range files {
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), text); err != nil {
			return w, fmt.Errorf("furnish the world of a page: %w", err)
		}
	}
	return w, nil
}

// table is the text of an example that is a single file.
func table(examples []Example, root string) string {
	for _, e := range examples {
		if e.Root == root {
			return e.Files[""]
		}
	}
	return ""
}

// writesSpec reports whether a line writes ingest.yaml beside a CSV file, where none may stand then.
func writesSpec(lines []Line) bool {
	for _, line := range lines {
		if strings.Contains(line.Text, "tracebloc init ./") && strings.Contains(line.Text, ".csv") {
			return true
		}
	}
	return false
}

func writeFile(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return err
	}
	mode := os.FileMode(0o600)
	if filepath.Base(filepath.Dir(name)) == ".bin" {
		mode = 0o700
	}
	return os.WriteFile(name, []byte(text), mode)
}
