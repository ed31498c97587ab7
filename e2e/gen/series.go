package gen

import (
	"fmt"
	"strconv"
	"time"
)

// quarters writes n quarters as a decimal: such numbers are exact in single precision too, which FLOAT columns have.
func quarters(n int) string { return strconv.FormatFloat(float64(n)/4, 'f', -1, 64) }

// firstHour is where the series begin: long past, as the ingestor demands of forecasts.
func firstHour() time.Time { return time.Date(2024, 2, 28, 22, 0, 0, 0, time.UTC) }

func classifiedTable(count int) (Dataset, error) {
	o := Tabular{Rows: count}
	return Dataset{CSV: "data.csv", Header: o.Header(), Rows: o.Records(), Label: "label", Schema: o.Schema()}, nil
}

// regressionTable has a numeric target, price, and some blank cells in the features.
func regressionTable(count int) (Dataset, error) {
	d := Dataset{
		CSV: "data.csv", Header: []string{"rooms", "area", "quarter", "built", "price"}, Label: "price",
		Schema: [][2]string{{"rooms", "INT"}, {"area", "FLOAT"}, {"quarter", "VARCHAR(16)"}, {"built", "DATE"}, {"price", "FLOAT"}},
	}
	quarterNames := []string{"Altstadt", "Île, North", "Harbor"}
	for i := range count {
		random := sequence(7000 + i)
		rooms, area := 1+random.next(6), 80+random.next(600)
		cells := []string{
			strconv.Itoa(rooms), quarters(area), quarterNames[random.next(len(quarterNames))],
			time.Date(1900+random.next(120), 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, random.next(365)).Format(time.DateOnly),
			quarters(40*rooms + 9*area + random.next(50)),
		}
		if i%5 == 3 {
			cells[1] = ""
		}
		d.Rows = append(d.Rows, cells)
	}
	return d, nil
}

// forecastTable is one hourly series over the end of February, ordered, with numeric features and some blanks among them.
func forecastTable(count int) (Dataset, error) {
	d := Dataset{
		CSV: "data.csv", Header: []string{"timestamp", "temperature", "visitors", "target"}, Label: "target",
		Schema: [][2]string{{"timestamp", "TIMESTAMP"}, {"temperature", "FLOAT"}, {"visitors", "INT"}, {"target", "FLOAT"}},
	}
	for i := range count {
		random := sequence(8000 + i)
		temperature, visitors := random.next(80)-20, 20+random.next(300)
		cells := []string{
			firstHour().Add(time.Duration(i) * time.Hour).Format(time.DateTime), quarters(temperature), strconv.Itoa(visitors), quarters(3*visitors - temperature),
		}
		if i%6 == 4 {
			cells[1] = ""
		}
		d.Rows = append(d.Rows, cells)
	}
	return d, nil
}

// sequencesTable has sequences of up to five rows, ordered in time within each, and one label for each sequence. The clocks of
// the sequences overlap, so that the file as a whole is not ordered.
func sequencesTable(count int) (Dataset, error) {
	d := Dataset{
		CSV: "data.csv", Header: []string{"sequence_id", "timestamp", "x", "y", "label"}, Label: "label",
		Schema: [][2]string{{"sequence_id", "VARCHAR(16)"}, {"timestamp", "TIMESTAMP"}, {"x", "FLOAT"}, {"y", "FLOAT"}, {"label", "VARCHAR(16)"}},
	}
	length := min(5, (count+1)/2)
	labels := []string{"walk", "run"}
	for i := range count {
		random := sequence(9000 + i)
		run, step := i/length, i%length
		d.Rows = append(d.Rows, []string{
			fmt.Sprintf("walker_%02d", run), firstHour().Add(time.Duration(60*step+run) * time.Second).Format(time.DateTime),
			quarters(random.next(400) - 200), quarters(random.next(400)), labels[run%len(labels)],
		})
	}
	return d, nil
}

// survivalTable has a time that is never negative and an event that happened, 1, or did not, 0.
func survivalTable(count int) (Dataset, error) {
	d := Dataset{
		CSV: "data.csv", Header: []string{"age", "stage", "time", "event"}, Label: "event",
		Schema: [][2]string{{"age", "INT"}, {"stage", "VARCHAR(8)"}, {"time", "FLOAT"}, {"event", "INT"}},
	}
	stages := []string{"I", "II", "III"}
	for i := range count {
		random := sequence(10_000 + i)
		d.Rows = append(d.Rows, []string{strconv.Itoa(30 + random.next(50)), stages[random.next(len(stages))], quarters(random.next(200)), strconv.Itoa(i % 2)})
	}
	return d, nil
}
