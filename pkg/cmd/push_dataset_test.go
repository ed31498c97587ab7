package cmd

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

// TestSlowWalk: a walk that takes its time says so, once; a quick one says nothing.
func TestSlowWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newPush(newPushOptions(nil, genericiooptions.NewTestIOStreamsDiscard()))
		p.path, p.progress = "pets", progress.New(&out, progress.Plain)
		told := p.slowWalk()
		told(2048)
		time.Sleep(walkPatience - time.Second)
		told(4096)
		if out.Len() != 0 {
			t.Errorf("a walk that is not slow yet wrote %q", &out)
		}
		time.Sleep(time.Second)
		told(200_000)
		time.Sleep(time.Minute)
		told(400_000)
		const want = "Listing the files in \"pets\", 200000 so far; this can take a while\n"
		if got := out.String(); got != want {
			t.Errorf("a slow walk wrote %q, want %q", got, want)
		}
	})
}
