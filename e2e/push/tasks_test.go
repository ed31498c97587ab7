package push

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/e2e/gen"
)

// TestPushEveryTask pushes a good dataset of each task with the flags that a user has to give, and compares every row.
func TestPushEveryTask(t *testing.T) {
	r := sharedRelease(t)
	flags := map[string][]string{
		"tabular_regression":       {"--label-column=price"},
		"time_to_event_prediction": {"--label-column=event"},
	}
	t.Run("tasks", func(t *testing.T) {
		for _, task := range gen.Tasks() {
			t.Run(task, func(t *testing.T) {
				t.Parallel()
				d, err := gen.Make(task, gen.DefaultCount)
				if err != nil {
					t.Fatal(err)
				}
				table := "task_" + task
				dir := filepath.Join(t.TempDir(), table)
				if err := d.Write(dir); err != nil {
					t.Fatal(err)
				}
				args := append([]string{"push", dir, "--task=" + task, "-n", r.Options.Namespace, "-o", "json"}, flags[task]...)
				pushed := run(t, args...).expect(t, 0).object(t)
				if pushed.Status.Phase != "Succeeded" || pushed.Spec.Task != task || pushed.Spec.Table != table || pushed.Status.Records["inserted"] != gen.DefaultCount {
					t.Errorf("got %+v %+v", pushed.Spec, pushed.Status)
				}
				columns, want := stored(d)
				got := rows(t, r, table, columns...)
				for _, row := range got {
					for i, column := range columns {
						row[i] = digits(d, column, row[i])
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("columns %q (-want +got):\n%s", columns, diff)
				}
			})
		}
	})
	noStagePods(t, r.Client, r.Options.Namespace)
}

// stored is what the table must hold of a dataset: the columns that every table has, then those that the dataset brings.
func stored(d gen.Dataset) (columns []string, want [][]string) {
	columns = []string{"filename", "extension", "label", "annotation", "data_intent"}
	for _, c := range d.Schema {
		if c[0] != d.Label {
			columns = append(columns, c[0])
		}
	}
	for i := range d.Rows {
		row := []string{"NULL", "NULL", "NULL", "NULL", "train"}
		if names := d.Column("filename"); names != nil {
			row[0], row[1] = strings.TrimSuffix(names[i], path.Ext(names[i])), path.Ext(d.Files[0].Path)
		}
		if d.Label != "" {
			row[2] = storedLabel(d, d.Column(d.Label)[i])
		}
		if annotations := d.Column("Annotation"); annotations != nil {
			row[3] = annotations[i]
		}
		for _, column := range columns[5:] {
			row = append(row, digits(d, column, orNull(d.Column(column)[i])))
		}
		want = append(want, row)
	}
	return columns, want
}

// storedLabel is the label as it stands in the table: a target that is a number is there only as one of 64 classes, made of the
// number as Python writes it.
func storedLabel(d gen.Dataset, label string) string {
	if !slices.Contains([]string{"tabular_regression", "time_series_forecasting", "time_to_event_prediction"}, d.Task) {
		return label
	}
	if columnType(d, d.Label) == "FLOAT" && !strings.Contains(label, ".") {
		label += ".0"
	}
	sum := sha256.Sum256([]byte(label))
	return fmt.Sprint(binary.BigEndian.Uint64(sum[:8]) % 64)
}

func columnType(d gen.Dataset, name string) string {
	for _, c := range d.Schema {
		if c[0] == name {
			return c[1]
		}
	}
	return ""
}

// orNull is a cell of a table: a blank one is missing.
func orNull(cell string) string {
	if cell == "" {
		return "NULL"
	}
	return cell
}

// digits cuts the values of decimal columns to the six digits that the table keeps.
func digits(d gen.Dataset, column, value string) string {
	n, err := strconv.ParseFloat(value, 64)
	if sqlType := columnType(d, column); err != nil || sqlType != "FLOAT" && sqlType != "DOUBLE" {
		return value
	}
	return strconv.FormatFloat(n, 'g', 6, 64)
}
