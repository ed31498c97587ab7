package preflight

import "bytes"

// pandasBool reports whether pandas reads the cell as a boolean of its own accord.
func pandasBool(cell []byte) bool {
	switch string(cell) {
	case "True", "TRUE", "true", "False", "FALSE", "false":
		return true
	}
	return false
}

// booleanWord reports whether the cell is a word that the ingestor takes in a BOOLEAN column, in any letter case.
func booleanWord(cell []byte) bool {
	if len(cell) == 0 || len(cell) > 5 {
		return false
	}
	switch string(bytes.ToLower(cell)) {
	case "true", "false", "yes", "no", "y", "n", "t", "f":
		return true
	}
	return false
}
