package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
)

// An error about permissions is followed by the questions to ask and the Role to
// apply, wherever in the chain it is, and whatever else is wrong.
func TestAccessHelp(t *testing.T) {
	t.Parallel()
	info := func(t *testing.T, lost bool) error {
		client := infoCluster(t, "create pods/exec", "create serviceaccounts/token", "list events")
		if lost {
			breakRelease(t, client)
		}
		streams, _, _, _ := genericiooptions.NewTestIOStreams()
		o := infoOptions{IOStreams: streams, client: client, namespace: "ml", answers: func(context.Context, *release.Release) error { return nil }}
		return o.run(t.Context())
	}
	push := func(t *testing.T) error {
		client := infoCluster(t, "create pods/exec", "create serviceaccounts/token")
		results, err := release.Access(t.Context(), client, (&release.Release{Namespace: "ml"}).PushChecks("ingestor"))
		if err != nil {
			t.Fatal(err)
		}
		return fail(exitAuth, release.Missing(results))
	}
	for name, tt := range map[string]struct {
		err  error
		code int
	}{
		"info":                  {info(t, false), exitAuth},
		"info of a lost volume": {info(t, true), exitRelease},
		"push":                  {push(t), exitAuth},
		"wrapped":               {fmt.Errorf("cleanup: %w", push(t)), exitAuth},
	} {
		var out bytes.Buffer
		PrintError(&out, tt.err)
		if code := ExitCode(tt.err); code != tt.code {
			t.Errorf("%s: exit code %d, want %d", name, code, tt.code)
		}
		message, help, found := strings.Cut(out.String(), "\n")
		if !found || !strings.HasPrefix(message, "error: ") || !strings.Contains(message, "create serviceaccounts/token, create pods/exec") {
			t.Errorf("%s: got %s", name, out.String())
		}
		golden(t, "access/help.txt", help)
	}
}

func TestNoAccessHelp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	for _, err := range []error{errors.New("x"), &release.UnreadyError{}, fmt.Errorf("y: %w", context.Canceled)} {
		writeAccessHelp(&out, err)
	}
	if out.Len() > 0 {
		t.Errorf("got %s", out.String())
	}
}
