package cmd

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset/datasettest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		binary: func() {
			streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
			err := Execute(context.Background(), "v1.2.3", streams)
			if err != nil {
				PrintError(os.Stderr, err)
			}
			os.Exit(ExitCode(err))
		},
	})
}

// TestScripts runs the command lines in testdata/script, which read like
// terminal sessions.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, "no-kubeconfig"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":   exits,
			"images":  makeImages,
			"dataset": makeDataset,
		},
	})
}

// exits CODE COMMAND...: the command must end with this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var coded interface{ ExitCode() int }
		if !asExit(err, &coded) {
			ts.Fatalf("%v", err)
		}
		got = coded.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}

func asExit(err error, target *interface{ ExitCode() int }) bool {
	coded, ok := err.(interface{ ExitCode() int })
	*target = coded
	return ok
}

// images DIR COUNT WIDTH HEIGHT [NAME]: an image_classification dataset, with
// files 0.png, 1.png, ... labeled cat and dog in turn.
func makeImages(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: images DIR COUNT WIDTH HEIGHT")
	}
	dir := ts.MkAbs(args[0])
	var numbers [3]int
	for i := range numbers {
		n, err := strconv.Atoi(args[i+1])
		ts.Check(err)
		numbers[i] = n
	}
	ts.Check(os.MkdirAll(filepath.Join(dir, "images"), 0o755))
	labels := "filename,label\n"
	for i := range numbers[0] {
		name := fmt.Sprintf("%d.png", i)
		labels += fmt.Sprintf("%s,%s\n", name, []string{"cat", "dog"}[i%2])
		picture := image.NewGray(image.Rect(0, 0, numbers[1], numbers[2]))
		picture.Set(i%numbers[1], 0, color.White)
		file, err := os.Create(filepath.Join(dir, "images", name))
		ts.Check(err)
		ts.Check(png.Encode(file, picture))
		ts.Check(file.Close())
	}
	ts.Check(os.WriteFile(filepath.Join(dir, "labels.csv"), []byte(labels), 0o644))
}

// dataset TASK DIR: a small good dataset of the task.
func makeDataset(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: dataset TASK DIR")
	}
	ts.Check(datasettest.Good(args[0]).WriteTo(ts.MkAbs(args[1])))
}
