package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// The validators of sequences are the newer ingestors' (contract/ingestor.md §6). They name rows from 0 instead of values.

// rowsAt is how they name rows: five, and how many more there are.
func rowsAt(rows []int, total int) string {
	shown := rows[:min(5, len(rows))]
	text := "rows [" + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(shown)), ", "), "[]") + "]"
	if more := total - len(shown); more > 0 {
		text += fmt.Sprintf(" (+%d more)", more)
	}
	return text
}

// onSequences is a validator that needs the columns sequence_id and another one.
func onSequences(in *ingestor, name, doing, other string, check func(ids, others []any) []string) validator {
	return onFrame(in, name, doing, func(f *frame) []string {
		for _, column := range []string{sequenceColumn, other} {
			if _, there := f.column(column); !there {
				return []string{fmt.Sprintf("Required column '%s' not found in dataset. Available columns: %s.", column, spec.PyList(f.header))}
			}
		}
		ids, _ := f.column(sequenceColumn)
		others, _ := f.column(other)
		return check(ids, others)
	})
}

func sequenceGroup(in *ingestor) validator {
	return onSequences(in, "Sequence Group Validator", "Validating sequences", sequenceColumn, func(ids, _ []any) []string {
		if in.config.idColumn == sequenceColumn {
			return []string{fmt.Sprintf("data_id.strategy=column must not use the sequence column '%s'", sequenceColumn)}
		}
		var blank []int
		for i, id := range ids {
			if id == nil || strings.TrimSpace(pandas.Str(id)) == "" {
				blank = append(blank, i)
			}
		}
		if len(blank) == 0 {
			return nil
		}
		return []string{fmt.Sprintf("Sequence column '%s' contains %d null/empty value(s) at %s.", sequenceColumn, len(blank), rowsAt(blank, len(blank)))}
	})
}

// sequencesOf are the rows of each sequence_id, both in the order of the file.
func sequencesOf(ids []any) [][]int {
	at := map[any]int{}
	var sequences [][]int
	for i, id := range ids {
		if id == nil {
			continue
		}
		if _, known := at[id]; !known {
			at[id] = len(sequences)
			sequences = append(sequences, nil)
		}
		sequences[at[id]] = append(sequences[at[id]], i)
	}
	return sequences
}

func constantLabel(in *ingestor) validator {
	label := in.config.label
	return onSequences(in, "Label Constant Within Group Validator", "Validating labels", label, func(ids, labels []any) []string {
		var changing []int
		for _, rows := range sequencesOf(ids) {
			if slices.ContainsFunc(rows, func(row int) bool { return labels[row] != labels[rows[0]] }) {
				changing = append(changing, rows[0])
			}
		}
		if len(changing) == 0 {
			return nil
		}
		return []string{fmt.Sprintf("Found %d sequence(s) whose '%s' value changes mid-sequence (first offending sequences start at %s).", len(changing), label, rowsAt(changing, len(changing)))}
	})
}

// orderedSequences wants a position for each row, a time or a number by its declared type, that never falls within a sequence.
func orderedSequences(in *ingestor) validator {
	return onSequences(in, "Per Group Time Ordered Validator", "Checking the order in sequences", timestampColumn, func(ids, values []any) []string {
		positions, kind := in.positions(values)
		var invalid, falling []int
		for i, p := range positions {
			if p == nil {
				invalid = append(invalid, i)
			}
		}
		for _, rows := range sequencesOf(ids) {
			last := -1
			for _, row := range rows {
				if positions[row] == nil {
					continue
				}
				if last >= 0 && *positions[row] < *positions[last] {
					falling = append(falling, row)
					break
				}
				last = row
			}
		}
		var lines []string
		if n := len(invalid); n > 0 {
			lines = append(lines, fmt.Sprintf("Column '%s' contains %d missing/invalid value(s) at %s. Every timestep row needs a valid %s value to order it within its sequence.", timestampColumn, n, rowsAt(invalid, n), kind))
		}
		if n := len(falling); n > 0 {
			slices.Sort(falling)
			lines = append(lines, fmt.Sprintf("Found %d sequence(s) with out-of-order '%s' values (first offending %s).", n, timestampColumn, rowsAt(falling, n)))
		}
		return lines
	})
}

// positions are the places of the rows in time, nil where there is none, and what the ingestor calls them.
func (in *ingestor) positions(values []any) (places []*float64, kind string) {
	at := slices.IndexFunc(in.config.schema, func(c column) bool { return c.name == timestampColumn })
	kind = "timestamp"
	if at >= 0 && !slices.Contains([]string{"TIMESTAMP", "DATETIME", "DATE", "TIME"}, baseType(in.config.schema[at].sqlType)) {
		kind = "numeric"
	}
	for _, v := range values {
		var place *float64
		if kind == "numeric" {
			if n, ok := number(v); ok {
				place = &n
			}
		} else if t, ok := parseTime(v, false); ok {
			n := float64(t.UnixNano())
			place = &n
		}
		places = append(places, place)
	}
	return places, kind
}
