package preflight

// missingFunc tells whether a raw cell means a missing value. Cells are not trimmed (contract/ingestor.md 2.0, "NA
// handling at ingestion").
type missingFunc func(cell []byte) bool

// missingTabular is the set of pandas, which the tabular tasks use.
func missingTabular(cell []byte) bool {
	if len(cell) == 0 {
		return true
	}
	// Of these texts, none is longer, and none ends in a digit.
	if len(cell) > 8 || cell[len(cell)-1]-'0' <= 9 {
		return false
	}
	switch string(cell) {
	case "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
		"NULL", "NaN", "None", "n/a", "nan", "null":
		return true
	}
	return false
}

// missingFiles is what the file-bearing tasks use: only the empty cell.
func missingFiles(cell []byte) bool { return len(cell) == 0 }

// missingNewer is the set of ingestor 0.7 and later, which apply it to the columns of a schema (contract/ingestor.md 6).
func missingNewer(cell []byte) bool {
	switch string(cell) {
	case "", "NA", "N/A", "n/a", "NULL", "null", "None", "none", "NaN", "nan", "<NA>", "#N/A":
		return true
	}
	return false
}

// missingSkew says which ingestors take a text for a missing value where versions differ; "" where they agree.
func missingSkew(cell []byte) string {
	if len(cell) < 3 || len(cell) > 8 {
		return ""
	}
	switch string(cell) {
	case "none":
		return "missing to ingestor 0.7 and later, a text to 0.3.9"
	case "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN":
		return "missing to ingestor 0.3.9, a text to 0.7 and later"
	}
	return ""
}
