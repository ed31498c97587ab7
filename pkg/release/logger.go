package release

import (
	"context"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// bodies is the verbosity from which on client-go logs the bodies of requests
// and answers (-v=8).
const bodies = 8

// withoutBodies lets the requests of a context be logged like all others, with
// their addresses and masked headers, and never with their bodies.
func withoutBodies(ctx context.Context) context.Context {
	return klog.NewContext(ctx, logr.New(bodiless{klog.FromContext(ctx).GetSink()}))
}

// bodiless is a sink that is not verbose enough for bodies.
type bodiless struct{ logr.LogSink }

// Init does nothing: the sink below was told all of it already, and others use it at the same time.
func (bodiless) Init(logr.RuntimeInfo) {}

func (b bodiless) Enabled(level int) bool { return level < bodies && b.LogSink.Enabled(level) }

func (b bodiless) WithValues(keysAndValues ...any) logr.LogSink {
	return bodiless{b.LogSink.WithValues(keysAndValues...)}
}

func (b bodiless) WithName(name string) logr.LogSink { return bodiless{b.LogSink.WithName(name)} }
