package ingest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxTableName is the longest table name: it becomes the value of a Kubernetes
// label. The database would take one character more.
const MaxTableName = 63

var (
	tableName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
	noLetters = regexp.MustCompile(`[^A-Za-z0-9]+`)
)

// CheckTable holds a table name against the rules of the ingestor and of
// Kubernetes labels (contract, the ingest spec).
func CheckTable(name string) error {
	var why string
	switch {
	case name == "":
		return errors.New("the table has no name")
	case len(name) > MaxTableName:
		why = fmt.Sprintf("has %d characters; at most %d are allowed", len(name), MaxTableName)
	case name[0] == '_' || name[0] >= '0' && name[0] <= '9':
		why = "must start with a letter"
	case !tableName.MatchString(name):
		why = "may only have letters, digits and underscores, a letter first"
	case strings.HasSuffix(name, "_"):
		why = "must not end in an underscore, which Kubernetes does not allow in a label"
	default:
		return nil
	}
	err := fmt.Errorf("table name %q %s", shorten(name), why)
	if guess := tableFrom(name); guess != "" && guess != name {
		err = fmt.Errorf("%w; for example %q", err, guess)
	}
	return err
}

// TableFromName makes a table name of the name of a directory or CSV file:
// "Flowers (train).csv" becomes flowers_train. A name without letters, or too
// long to be cut without a loss, is an error that asks for --table.
func TableFromName(name string) (string, error) {
	base := strings.TrimSuffix(strings.TrimSuffix(name, ".csv"), ".CSV")
	table := tableFrom(base)
	switch {
	case table == "":
		return "", fmt.Errorf("no table name can be made of %q: it must start with a letter a-z; name the table with --table", shorten(name))
	case len(table) > MaxTableName:
		return "", fmt.Errorf("the table name %q made of %q has %d characters, at most %d are allowed; name the table with --table",
			shorten(table), shorten(name), len(table), MaxTableName)
	}
	return table, nil
}

// tableFrom folds a name into the alphabet of table names, in lower case: the
// database compares names without regard to case on some hosts and not on
// others.
func tableFrom(name string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1 // the accent of a letter that norm.NFD took apart
		}
		return r
	}, norm.NFD.String(name))
	table := strings.ToLower(strings.Trim(noLetters.ReplaceAllString(plain, "_"), "_"))
	if table != "" && table[0] >= '0' && table[0] <= '9' {
		table = "t_" + table
	}
	return table
}

// shorten cuts a foreign name for a message.
func shorten(s string) string {
	if runes := []rune(s); len(runes) > 80 {
		return string(runes[:80]) + "..."
	}
	return s
}
