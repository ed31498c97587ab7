// Command dataset makes a small real dataset: of one of the sixteen tasks, or pictures and tables of any size.
//
//	go run ./gen/dataset TASK [--count 12] DIR
//	go run ./gen/dataset images [--count 20] [--size 64x48] [--format .png] [--unusual] DIR
//	go run ./gen/dataset tabular [--rows 200] DIR
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/gen"
)

func main() {
	err := run(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		_, _ = fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, log io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("say what to make: %s", known())
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(log)
	var write func(dir string) error
	switch kind := args[0]; {
	case kind == "images":
		write = images(flags)
	case kind == "tabular":
		write = tabular(flags)
	case slices.Contains(gen.Tasks(), kind):
		write = task(flags, kind)
	default:
		return fmt.Errorf("unknown kind %q: say %s", kind, known())
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("name one directory, which must not exist")
	}
	return write(flags.Arg(0))
}

func known() string {
	return "images, tabular, or a task: " + strings.Join(gen.Tasks(), ", ")
}

// images, tabular and task declare their flags, and return what makes the dataset once these are read.

func images(flags *flag.FlagSet) func(dir string) error {
	var o gen.Images
	flags.IntVar(&o.Count, "count", 20, "number of images")
	size := flags.String("size", "64x48", "width and height in pixels")
	flags.StringVar(&o.Format, "format", ".png", ".png, .jpg or .jpeg")
	flags.BoolVar(&o.Unusual, "unusual", false, "give the images unusual names")
	return func(dir string) error {
		if _, err := fmt.Sscanf(*size, "%dx%d", &o.Width, &o.Height); err != nil {
			return fmt.Errorf("--size %q is not WIDTHxHEIGHT", *size)
		}
		_, err := o.Write(dir)
		return err
	}
}

func tabular(flags *flag.FlagSet) func(dir string) error {
	var o gen.Tabular
	flags.IntVar(&o.Rows, "rows", 200, "number of rows")
	return func(dir string) error { return o.Write(dir) }
}

func task(flags *flag.FlagSet, name string) func(dir string) error {
	count := flags.Int("count", gen.DefaultCount, "number of images, texts or rows")
	return func(dir string) error {
		d, err := gen.Make(name, *count)
		if err != nil {
			return err
		}
		return d.Write(dir)
	}
}
