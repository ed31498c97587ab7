package cmd

import (
	"context"
	"errors"
	"fmt"
)

// interruptedError says what the user interrupted and what that means, in
// place of how the parts below word a context that ended.
type interruptedError struct {
	doing string
	err   error
}

func (e *interruptedError) Error() string { return "interrupted while " + e.doing }
func (e *interruptedError) Unwrap() error { return e.err }

// interrupted words err if it is an interruption; any other error stays.
func interrupted(err error, format string, args ...any) error {
	var worded *interruptedError
	if !errors.Is(err, context.Canceled) || errors.As(err, &worded) {
		return err
	}
	return &interruptedError{doing: fmt.Sprintf(format, args...), err: err}
}

// interruption words the interruption of a step of a push. From the submit on
// the steps have their own words, because a run may exist.
func (p *push) interruption(step string, err error) error {
	switch step {
	case "spec":
		if p.data != nil {
			return interrupted(err, "reading the spec of %q; nothing was sent", p.path)
		}
		return interrupted(err, "looking through %q; nothing was sent", p.path)
	case "dataset", "plan":
		return interrupted(err, "checking %q; nothing was sent", p.path)
	case "release", "access", "connect", "destination":
		return interrupted(err, "asking the cluster whether %q can be pushed; nothing was sent", p.path)
	case "stage":
		if p.keepsSome() {
			return interrupted(err, "staging %q; no run was submitted, and the same push goes on from what arrived", p.path)
		}
		return interrupted(err, "staging %q; no run was submitted", p.path)
	}
	return err
}
