// Command dataset makes a small real dataset:
//
//	go run ./gen/dataset images [--count 20] [--size 64x48] [--format .png] [--unusual] DIR
//	go run ./gen/dataset tabular [--rows 200] DIR
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

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
		return errors.New("say images or tabular")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(log)
	var write func(dir string) error
	switch args[0] {
	case "images":
		var o gen.Images
		flags.IntVar(&o.Count, "count", 20, "number of images")
		size := flags.String("size", "64x48", "width and height in pixels")
		flags.StringVar(&o.Format, "format", ".png", ".png, .jpg or .jpeg")
		flags.BoolVar(&o.Unusual, "unusual", false, "give the images unusual names")
		write = func(dir string) error {
			if _, err := fmt.Sscanf(*size, "%dx%d", &o.Width, &o.Height); err != nil {
				return fmt.Errorf("--size %q is not WIDTHxHEIGHT", *size)
			}
			_, err := o.Write(dir)
			return err
		}
	case "tabular":
		var o gen.Tabular
		flags.IntVar(&o.Rows, "rows", 200, "number of rows")
		write = func(dir string) error { return o.Write(dir) }
	default:
		return fmt.Errorf("unknown kind %q: say images or tabular", args[0])
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("name one directory, which must not exist")
	}
	return write(flags.Arg(0))
}
