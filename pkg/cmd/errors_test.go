package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tracebloc/kubectl-tracebloc/pkg/stage"
)

func TestExitCode(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	forbidden := apierrors.NewForbidden(pods, "stage", errors.New("user may not create it"))
	policy := &stage.StartError{Err: forbidden, Policy: true}
	for _, test := range []struct {
		name string
		err  error
		want int
	}{
		{"none", nil, 0},
		{"plain", errors.New("x"), 1},
		{"coded", fail(exitStage, errors.New("x")), 7},
		{"the innermost code counts", fail(exitStage, fmt.Errorf("stage: %w", fail(exitExists, errors.New("x")))), 6},
		{"no error has no code", fail(exitStage, nil), 0},
		{"interrupted", fail(exitStage, fmt.Errorf("stage: %w", context.Canceled)), 130},
		{"a deadline is no interrupt", fail(exitStage, context.DeadlineExceeded), 7},
		{"forbidden", fail(exitStage, fmt.Errorf("make the pod: %w", forbidden)), 5},
		{"unauthorized", fail(exitRelease, apierrors.NewUnauthorized("who")), 5},
		{"turned down by a policy", fail(exitStage, policy), 7},
		{"not allowed to make the pod", fail(exitStage, &stage.StartError{Err: forbidden}), 5},
		{"the credentials expired while a run was followed", fail(exitRun, apierrors.NewUnauthorized("who")), 9},
		{"a run may exist", fail(exitSubmit, forbidden), 8},
		{"joined", errors.Join(fail(exitRun, errors.New("x")), errors.New("y")), 9},
	} {
		if got := ExitCode(test.err); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

func TestPrintError(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{errors.New("pvc \x1b[31m"), "error: pvc \\x1b[31m\n"},
		{fmt.Errorf("stage: %w", context.Canceled), "interrupted: stage: context canceled\n"},
		{fail(exitRun, silentError{errors.New("reported already")}), ""},
	} {
		var out bytes.Buffer
		PrintError(&out, test.err)
		if out.String() != test.want {
			t.Errorf("got %q, want %q", out.String(), test.want)
		}
	}
}

// The page that people read and the list that the code uses must agree.
func TestExitCodesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range exitMeanings {
		if row := fmt.Sprintf("| %d | %s |", m.Code, m.Meaning); !strings.Contains(string(page), row) {
			t.Errorf("docs/exit-codes.md lacks %q", row)
		}
	}
	if rows := strings.Count(string(page), "\n| ") - 2; rows != len(exitMeanings) {
		t.Errorf("docs/exit-codes.md has %d codes, the code has %d", rows, len(exitMeanings))
	}
}
