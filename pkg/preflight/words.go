package preflight

import "bytes"

// pandasBool reports whether pandas reads the cell as a boolean of its own accord.
func pandasBool(cell []byte) bool {
	switch len(cell) {
	case 4:
		return bytes.EqualFold(cell, []byte("true"))
	case 5:
		return bytes.EqualFold(cell, []byte("false"))
	}
	return false
}

// booleanWord reports whether the cell is a word that the ingestor takes in a BOOLEAN column, in any letter case.
func booleanWord(cell []byte) bool {
	var lower [5]byte
	if len(cell) > len(lower) {
		return false
	}
	for i, c := range cell {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	switch string(lower[:len(cell)]) {
	case "true", "false", "yes", "no", "y", "n", "t", "f":
		return true
	}
	return false
}
