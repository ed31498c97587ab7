package gen

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Tabular describes a tabular_classification dataset: one CSV with columns of mixed types, some blank cells, and a label.
type Tabular struct {
	Rows int
}

// Header is the columns of the file: an integer, a decimal that needs double precision, text with commas, quotes and letters
// beyond ASCII, a code with leading zeros, a date, and the label.
func (Tabular) Header() []string {
	return []string{"age", "income", "city", "zip", "joined", "label"}
}

// Schema is what a spec declares for the columns.
func (Tabular) Schema() [][2]string {
	return [][2]string{{"age", "INT"}, {"income", "DOUBLE"}, {"city", "VARCHAR(64)"}, {"zip", "VARCHAR(8)"}, {"joined", "DATE"}, {"label", "VARCHAR(16)"}}
}

// Records are the rows below the header; a blank cell is a missing value. The label and the texts are never blank.
func (o Tabular) Records() [][]string {
	random := sequence(o.Rows)
	cities := []string{"Zürich", "São Paulo", `The "Hague"`, "Washington, D.C.", "北京", "Oslo"}
	labels := []string{"low", "mid", "high"}
	epoch := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	rows := make([][]string, o.Rows)
	for i := range rows {
		age := strconv.Itoa(18 + random.next(70))
		income := strconv.FormatFloat(float64(random.next(1e9))/1024+0.125, 'f', -1, 64)
		joined := epoch.AddDate(0, 0, random.next(1800)).Format(time.DateOnly)
		if i%17 == 5 {
			age = ""
		}
		if i%23 == 7 {
			income = ""
		}
		rows[i] = []string{age, income, cities[random.next(len(cities))], fmt.Sprintf("%05d", random.next(99999)), joined, labels[i%len(labels)]}
	}
	return rows
}

// Write makes dir, which must not exist, with the file data.csv.
func (o Tabular) Write(dir string) error {
	if o.Rows < 1 {
		return fmt.Errorf("make a table: %d rows", o.Rows)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return writeCSV(filepath.Join(dir, "data.csv"), append([][]string{o.Header()}, o.Records()...))
}
