package podio

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"
)

func TestLogger(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		verbosity int
		shown     bool
	}{{0, false}, {3, false}, {4, true}} {
		var out bytes.Buffer
		base := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&out), textlogger.Verbosity(test.verbosity)))
		log := klog.New(quiet{base: base}).WithValues("pod", "stage")
		runtime.HandleErrorWithLogger(log, errors.New("broken pipe"), "Copying stdin failed", "id", 1)
		log.V(4).Info("fallback")
		for _, want := range []string{"Copying stdin failed", "broken pipe", `pod="stage"`, "id=1", "fallback"} {
			if strings.Contains(out.String(), want) != test.shown {
				t.Errorf("-v=%d: got %q", test.verbosity, &out)
			}
		}
	}
}
