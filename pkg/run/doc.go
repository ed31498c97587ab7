// Package run knows an ingestion run after its data is staged: it submits the
// spec to jobs-manager exactly once, follows the ingestor Job to its end over
// connections that break, reads the ingestor's log and judges the outcome.
//
// The pieces are apart on purpose: [Submitter] speaks HTTP, [Follower] collects
// [Evidence], [Parser] reads a log wherever it came from, and [Judge] alone
// decides what the evidence proves. No evidence of success is never success.
package run

// Label is on every object that jobs-manager makes for a run, the Pod too. Its
// value is the idempotency key (contract, cluster §2.4).
const Label = "tracebloc.io/ingestion-run"
