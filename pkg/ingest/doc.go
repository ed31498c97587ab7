// Package ingest is the ingest spec, tracebloc.io/v1 IngestConfig: its type
// and canonical YAML, building one from a dataset and flags, and judging one
// that a user wrote, with the line and column of everything that is wrong.
//
// The schema in package schemas decides what is valid; this package words its
// verdicts. What the schema cannot say, but any spec can be told without its
// dataset and without a cluster, is in the checks files.
package ingest
