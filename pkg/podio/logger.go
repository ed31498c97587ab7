package podio

import (
	"slices"

	"k8s.io/klog/v2"
)

// noise is the verbosity from which on what client-go reports on its own account is shown (-v=4).
const noise = 4

// logger returns the logger for client-go, which writes every broken stream to stderr as an unhandled error, in the middle of a progress
// bar, though the caller learns of it by the error of Exec or Forward.
func logger() klog.Logger {
	return klog.New(quiet{base: klog.Background()})
}

// withoutData leaves out what a tunnel carries, which client-go logs from -v=7 on: the token of a submit is in it.
func withoutData(keysAndValues []any) []any {
	kept := slices.Clone(keysAndValues)
	for i := 0; i+1 < len(kept); i += 2 {
		if kept[i] == "data" {
			kept[i+1] = "(not shown)"
		}
	}
	return kept
}

// quiet is a klog.LogSink that passes errors on as messages of level noise.
type quiet struct {
	base klog.Logger
}

func (quiet) Init(klog.RuntimeInfo) {}

func (q quiet) Enabled(level int) bool { return q.base.V(level).Enabled() }

func (q quiet) Info(level int, msg string, keysAndValues ...any) {
	q.base.V(level).Info(msg, withoutData(keysAndValues)...)
}

func (q quiet) Error(err error, msg string, keysAndValues ...any) {
	q.base.V(noise).Info(msg, append([]any{"err", err}, keysAndValues...)...)
}

func (q quiet) WithValues(keysAndValues ...any) klog.LogSink {
	return quiet{base: q.base.WithValues(keysAndValues...)}
}

func (q quiet) WithName(name string) klog.LogSink {
	return quiet{base: q.base.WithName(name)}
}
