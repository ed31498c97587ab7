package ingest

import "regexp"

// scalarKind is what an unquoted YAML word is read as.
type scalarKind string

const (
	kindString    scalarKind = "string"
	kindBool      scalarKind = "boolean"
	kindInt       scalarKind = "integer"
	kindFloat     scalarKind = "number"
	kindNull      scalarKind = "null"
	kindTimestamp scalarKind = "date"
	kindMerge     scalarKind = "merge key"
	kindValue     scalarKind = "value key"
)

// withArticle is the kind in the middle of a sentence.
func (k scalarKind) withArticle() string {
	switch k {
	case kindInt:
		return "an integer"
	case kindNull:
		return "no value"
	}
	return "a " + string(k)
}

// yaml11Rules are the implicit types of YAML 1.1 as PyYAML's safe_load, the
// reader of jobs-manager and of the ingestor, has them. The first match wins.
var yaml11Rules = []struct {
	kind    scalarKind
	pattern *regexp.Regexp
}{
	{kindBool, regexp.MustCompile(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)},
	{kindFloat, regexp.MustCompile(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?` +
		`|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?` +
		`|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*` +
		`|[-+]?\.(?:inf|Inf|INF)` +
		`|\.(?:nan|NaN|NAN))$`)},
	{kindInt, regexp.MustCompile(`^(?:[-+]?0b[0-1_]+` +
		`|[-+]?0[0-7_]+` +
		`|[-+]?(?:0|[1-9][0-9_]*)` +
		`|[-+]?0x[0-9a-fA-F_]+` +
		`|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)},
	{kindMerge, regexp.MustCompile(`^<<$`)},
	{kindNull, regexp.MustCompile(`^(?:~|null|Null|NULL|)$`)},
	{kindTimestamp, regexp.MustCompile(`^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}` +
		`|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?` +
		`(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$`)},
	{kindValue, regexp.MustCompile(`^=$`)},
}

// resolve11 tells what YAML 1.1 reads an unquoted word as.
func resolve11(word string) scalarKind {
	for _, rule := range yaml11Rules {
		if rule.pattern.MatchString(word) {
			return rule.kind
		}
	}
	return kindString
}

// kindOfTag maps the tag of a YAML 1.2 node to its kind; "" for tags that have
// no place in a spec.
func kindOfTag(tag string) scalarKind {
	switch tag {
	case "!!str":
		return kindString
	case "!!bool":
		return kindBool
	case "!!int":
		return kindInt
	case "!!float":
		return kindFloat
	case "!!null":
		return kindNull
	case "!!timestamp":
		return kindTimestamp
	case "!!merge":
		return kindMerge
	}
	return ""
}

// plainWord are strings that no version of YAML reads as anything but a
// string, but for the words of reservedWord. Numbers, dates and times need a
// digit, sign or dot in front; indicators are not in the set.
var plainWord = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./-]*(?:\([0-9]+(?:,[0-9]+)?\))?$`)

// reservedWord are the words with a meaning in some version of YAML, in any
// letter case; y and n are booleans in YAML 1.1 though not in PyYAML.
var reservedWord = regexp.MustCompile(`^(?i:y|yes|n|no|true|false|on|off|null|nan|inf|infinity)$`)

// isPlain tells whether a string may stand without quotes in canonical YAML.
func isPlain(word string) bool {
	return plainWord.MatchString(word) && !reservedWord.MatchString(word)
}
