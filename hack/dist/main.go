// dist renders what package managers have to know of a release, the krew manifest and the Homebrew formula, from the archives that
// lie beside SHA256SUMS. It renders nothing for a release that is not whole: each platform's archive has to be there, to have the
// sum that is written down for it, and to hold what an installation needs.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// downloads is where the archives of releases are, by version.
const downloads = "https://github.com/tracebloc/kubectl-tracebloc/releases/download"

type options struct {
	dist      string
	templates string
	base      string
	out       string
}

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	var o options
	flags := flag.NewFlagSet("dist", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.dist, "dist", "dist", "directory with the archives, SHA256SUMS and metadata.json")
	flags.StringVar(&o.templates, "templates", "plugins", "directory with the templates")
	flags.StringVar(&o.base, "base", "", "address of the directory that the archives are downloaded from; the version's GitHub release by default")
	flags.StringVar(&o.out, "out", "", "directory to write to; -dist by default")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o.render(stdout)
}

func (o options) render(stdout io.Writer) error {
	r, err := load(o.dist)
	if err != nil {
		return err
	}
	if o.base != "" {
		r.base = o.base
	}
	manifest, err := r.manifest(filepath.Join(o.templates, "krew-manifest.yaml"))
	if err != nil {
		return err
	}
	formula, err := r.formula(filepath.Join(o.templates, "homebrew.rb"))
	if err != nil {
		return err
	}
	out := o.out
	if out == "" {
		out = o.dist
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := write(stdout, filepath.Join(out, "tracebloc.yaml"), manifest); err != nil {
		return err
	}
	return write(stdout, filepath.Join(out, "kubectl-tracebloc.rb"), formula)
}

func write(stdout io.Writer, path string, text []byte) error {
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return err
	}
	fmt.Fprintln(stdout, path)
	return nil
}
