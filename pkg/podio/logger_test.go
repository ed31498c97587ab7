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

// What goes through a tunnel is nobody's business, however much is logged.
func TestLoggerHidesData(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	base := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&out), textlogger.Verbosity(10)))
	log := klog.New(quiet{base: base})
	log.V(7).Info("Tunneling connection write", "length", 3, "data", []byte("Authorization: Bearer canary"))
	if got := out.String(); strings.Contains(got, "canary") || !strings.Contains(got, "length=3") {
		t.Errorf("got %q", got)
	}
}
