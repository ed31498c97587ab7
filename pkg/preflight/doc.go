// Package preflight says about a dataset, before the upload, what the ingestor would say after it.
//
// The ingestor is the only judge (contract/ingestor.md): a rule here mirrors one of its rules, and refuses nothing that
// it ingests cleanly. Where ingestor versions differ, a rule refuses what either would refuse when the user can put it
// right, and warns where they contradict each other.
//
// Check reads each file once. From that one read come the digest of the manifest, the image headers, the column types
// and every finding. What it keeps does not grow with the size of a file.
//
// The way of a dataset: checker (check.go) looks at names (layout.go, pairing.go), then reads the CSV (csvpass.go) and all other
// files (filepass.go). A table hands the records of the CSV to columns and labels, in batches on all cores, and to the
// row checks of the task; the files go to its file checks (taskcheck.go). Rules stand beside the code that reports them, and
// RuleGroups lists them all.
package preflight
