// Package schemas holds the JSON Schema of the ingest spec.
package schemas

import _ "embed"

// IngestV1 is the JSON Schema (draft-07) of tracebloc.io/v1 IngestConfig, contract section "The ingest spec".
//
//go:embed ingest.v1.json
var IngestV1 []byte
