// docs writes the command reference in docs/commands from the command tree, so
// that it cannot differ from --help.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/pkg/cmd"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: docs DIRECTORY")
		os.Exit(2)
	}
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func generate(dir string) error {
	root := cmd.NewRootCommand("", genericiooptions.IOStreams{In: os.Stdin, Out: io.Discard, ErrOut: io.Discard})
	// The default cache directory is that of whoever generates the docs.
	if flag := root.PersistentFlags().Lookup("cache-dir"); flag != nil {
		flag.DefValue = "$HOME/.kube/cache"
	}
	disableTags(root)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return doc.GenMarkdownTreeCustom(root, dir, func(string) string { return "" }, func(name string) string { return filepath.Base(name) })
}

// disableTags leaves out the line with the date of generation.
func disableTags(c *cobra.Command) {
	c.DisableAutoGenTag = true
	for _, sub := range c.Commands() {
		disableTags(sub)
	}
}
