package preflight

import "bytes"

// pandasBool reports whether pandas reads the cell as a boolean of its own accord.
func pandasBool(cell []byte) bool {
	return bytes.EqualFold(cell, []byte("true")) || bytes.EqualFold(cell, []byte("false"))
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
