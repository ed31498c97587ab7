package dataset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSQLType(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]SQLType{
		"INT":                   {Base: "INT", Kind: SQLInteger},
		" integer\t":            {Base: "INTEGER", Kind: SQLInteger},
		"Bigint":                {Base: "BIGINT", Kind: SQLInteger},
		"INT UNSIGNED NOT NULL": {Base: "INT", Kind: SQLInteger, Unread: "UNSIGNED NOT NULL"},
		"INT DEFAULT 0":         {Base: "INT", Kind: SQLInteger, Unread: "DEFAULT 0"},
		"INT(1,2)":              {Base: "INT", Kind: SQLInteger, Unread: "(1,2)"},
		" varchar ( 20 ) ":      {Base: "VARCHAR", Kind: SQLText, Args: []int{20}},
		"VARCHAR(16383)":        {Base: "VARCHAR", Kind: SQLText, Args: []int{16383}},
		"VARCHAR(10) NOT NULL":  {Base: "VARCHAR", Kind: SQLText, Args: []int{10}, Unread: "NOT NULL"},
		"VARCHAR(10)NOT NULL":   {Base: "VARCHAR", Kind: SQLText, Args: []int{10}, Unread: "NOT NULL"},
		"TEXT":                  {Base: "TEXT", Kind: SQLText},
		"TEXT(100)":             {Base: "TEXT", Kind: SQLText, Args: []int{100}},
		"FLOAT(53)":             {Base: "FLOAT", Kind: SQLFloat, Args: []int{53}},
		"float(10, 2) unsigned": {Base: "FLOAT", Kind: SQLFloat, Unread: "(10,2) unsigned"},
		"DOUBLE PRECISION":      {Base: "DOUBLE", Kind: SQLFloat, Unread: "PRECISION"},
		"DOUBLE(10,2)":          {Base: "DOUBLE", Kind: SQLFloat, Unread: "(10,2)"},
		"DECIMAL":               {Base: "DECIMAL", Kind: SQLDecimal},
		"numeric(5)":            {Base: "NUMERIC", Kind: SQLDecimal, Args: []int{5}},
		"DECIMAL(65, 30)":       {Base: "DECIMAL", Kind: SQLDecimal, Args: []int{65, 30}},
		"bool":                  {Base: "BOOL", Kind: SQLBoolean},
		"DATE":                  {Base: "DATE", Kind: SQLDate},
		"DATETIME(6)":           {Base: "DATETIME", Kind: SQLDate, Args: []int{6}},
		"timestamp":             {Base: "TIMESTAMP", Kind: SQLDate},
		"TIME(0)":               {Base: "TIME", Kind: SQLDate, Args: []int{0}},
	} {
		got, err := ParseSQLType(text)
		if err != nil {
			t.Errorf("ParseSQLType(%q): %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseSQLType(%q) (-want +got):\n%s", text, diff)
		}
	}
	for text, want := range map[string]string{
		"": "not a column type", "(3)": "not a column type", "VARCHAR(": "not a column type", "VARCHAR()": "not a column type", "VARCHAR(a)": "not a column type",
		"VARCHAR(-1)": "not a column type", "INT;DROP": "not a column type", "INT 5": "not a column type", "DECIMAL(1,2,3)": "not a column type",
		"VARCHAR(5) DEFAULT (1)": "not a column type", "VARCHAR(99999999999999999999)": "not a column type", "ïnt": "not a column type",
		"VARCHAR": "needs a length", "VARCHAR NOT NULL": "needs a length", "VARCHAR(1,2)": "takes one number", "VARCHAR(0)": "at least 1",
		"VARCHAR(16384)": "16383; use TEXT", "VARCHAR(9999999999)": "use TEXT", "TEXT(9999999999)": "more than the database allows",
		"INT(11)": "INT takes nothing in parentheses; write INT", "BIGINT(20)": "write BIGINT", "BOOLEAN(1)": "write BOOLEAN", "DATE(6)": "write DATE",
		"DOUBLE(53)": "write DOUBLE", "FLOAT(54)": "more than the database allows, 53", "DATETIME(7)": "allows, 6",
		"DECIMAL(66)": "allows, 65", "DECIMAL(65,31)": "allows, 30", "DECIMAL(2,4)": "the digits after the point, 4", "DECIMAL(0)": "at least 1",
		"CHAR(3)": "use VARCHAR(n)", "char": "use VARCHAR(n)", "TINYINT(1)": "use INT or BOOLEAN", "SMALLINT": "use INT", "int64": "use BIGINT",
		"object": "use VARCHAR(n) or TEXT", "LONGTEXT": "use TEXT", "JSON": "use TEXT", "REAL": "use DOUBLE", "BLOB": "there are VARCHAR(n), TEXT",
		"INTERGER": "there are VARCHAR(n), TEXT", "_INT": "there are",
	} {
		if got, err := ParseSQLType(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseSQLType(%q) = %+v, %v, want an error with %q", text, got, err, want)
		}
	}
}

// TestSQLTypeRemedies: what is advised must be usable itself.
func TestSQLTypeRemedies(t *testing.T) {
	t.Parallel()
	for foreign, remedy := range sqlTypeRemedies() {
		if _, err := ParseSQLType(foreign); err == nil || !strings.HasSuffix(err.Error(), "; use "+remedy) {
			t.Errorf("ParseSQLType(%q) = %v, want %q", foreign, err, remedy)
		}
		for name := range strings.SplitSeq(strings.ReplaceAll(remedy, "(n)", "(1)"), " or ") {
			if _, err := ParseSQLType(name); err != nil {
				t.Errorf("the remedy of %q: %v", foreign, err)
			}
		}
	}
	for name := range sqlTypes() {
		if _, foreign := sqlTypeRemedies()[name]; foreign {
			t.Errorf("%s is usable and has a remedy", name)
		}
	}
}

func TestSQLTypeFacts(t *testing.T) {
	t.Parallel()
	type facts struct {
		Text             string
		Length           int
		MaxBytes         int64
		RowBytes         int
		Numeric          bool
		Single, Fraction bool
	}
	for text, want := range map[string]facts{
		"varchar(63)":    {Text: "VARCHAR(63)", Length: 63, RowBytes: 253},
		"VARCHAR(64)":    {Text: "VARCHAR(64)", Length: 64, RowBytes: 258},
		"TEXT":           {Text: "TEXT", MaxBytes: 65535, RowBytes: 10},
		"TEXT(0)":        {Text: "TEXT(0)", MaxBytes: 65535, RowBytes: 10},
		"TEXT(63)":       {Text: "TEXT(63)", MaxBytes: 255, RowBytes: 10},
		"TEXT(64)":       {Text: "TEXT(64)", MaxBytes: 65535, RowBytes: 10},
		"TEXT(20000)":    {Text: "TEXT(20000)", MaxBytes: 1<<24 - 1, RowBytes: 10},
		"TEXT(99999999)": {Text: "TEXT(99999999)", MaxBytes: 1<<32 - 1, RowBytes: 10},
		"INT UNSIGNED":   {Text: "INT", RowBytes: 4, Numeric: true},
		"BIGINT":         {Text: "BIGINT", RowBytes: 8, Numeric: true},
		"FLOAT":          {Text: "FLOAT", RowBytes: 4, Numeric: true, Single: true},
		"FLOAT(24)":      {Text: "FLOAT(24)", RowBytes: 4, Numeric: true, Single: true},
		"FLOAT(25)":      {Text: "FLOAT(25)", RowBytes: 8, Numeric: true},
		"FLOAT(7,4)":     {Text: "FLOAT", RowBytes: 4, Numeric: true, Single: true},
		"DOUBLE":         {Text: "DOUBLE", RowBytes: 8, Numeric: true},
		"decimal(10, 2)": {Text: "DECIMAL(10,2)", RowBytes: 12, Numeric: true},
		"BOOL":           {Text: "BOOL", RowBytes: 1},
		"DATE":           {Text: "DATE", RowBytes: 4},
		"DATETIME":       {Text: "DATETIME", RowBytes: 8},
		"TIMESTAMP(3)":   {Text: "TIMESTAMP(3)", RowBytes: 8, Fraction: true},
		"TIME(0)":        {Text: "TIME(0)", RowBytes: 4},
	} {
		typ, err := ParseSQLType(text)
		must(t, err)
		got := facts{typ.String(), typ.Length(), typ.MaxBytes(), typ.RowBytes(), typ.Numeric(), typ.Single(), typ.Fraction()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for text, want := range map[string][2]int{"DECIMAL": {10, 0}, "DECIMAL(7)": {7, 0}, "DECIMAL(7,3)": {7, 3}} {
		typ, err := ParseSQLType(text)
		must(t, err)
		if got := [2]int{typ.Precision(), typ.Scale()}; got != want {
			t.Errorf("%s has precision and scale %v, want %v", text, got, want)
		}
	}
	for n, want := range map[int]string{-1: "VARCHAR(1)", 0: "VARCHAR(1)", 16383: "VARCHAR(16383)", 16384: "TEXT"} {
		if got := Varchar(n).String(); got != want {
			t.Errorf("Varchar(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestTableSize(t *testing.T) {
	t.Parallel()
	// The table of no schema takes 4563 bytes, and 2 for what is NULL.
	if columns, row, page := TableSize([]SQLType{{}, {}}); columns != 0 || row != 4563+2 || page != 309 {
		t.Errorf("an empty table has %d columns, %d bytes, %d on a page", columns, row, page)
	}
	types := []SQLType{Varchar(10), {}, {Base: "INT", Kind: SQLInteger}, Varchar(20000)}
	if columns, row, page := TableSize(types); columns != 3 || row != 4565+41+4+10 || page != 309+41+4+10 {
		t.Errorf("the table has %d columns, %d bytes, %d on a page", columns, row, page)
	}
	for name, want := range map[string]bool{"id": true, "ID": true, "Data_Id": true, "annotation": true, "label": false, "": false, "ids": false} {
		if ReservedColumn(name) != want {
			t.Errorf("ReservedColumn(%q) = %v", name, !want)
		}
	}
	if n := len(ReservedColumns()) + len("label")/5; n != FrameworkColumns {
		t.Errorf("%d columns of every table, want %d", n, FrameworkColumns)
	}
}

func TestBindsParameter(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"a :b": true, ":b": true, "(:id)": true, "a :b:": false, "a :day:": true, "é :é": true, "a, :1": true,
		"a:b": false, "a: b": false, "a :: b": false, "a ::b": false, `a \:b`: false, "a : b": false, "10:30": false, ":": false, "": false,
	} {
		if got := BindsParameter(name); got != want {
			t.Errorf("BindsParameter(%q) = %v", name, got)
		}
	}
}

func FuzzParseSQLType(f *testing.F) {
	for _, seed := range []string{"INT", "VARCHAR(5) NOT NULL", "decimal( 10 , 2 )", "FLOAT(10,2)", "CHAR(1)", "VARCHAR(1,2)", "INT;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		typ, err := ParseSQLType(text)
		if err != nil {
			return
		}
		again, err := ParseSQLType(typ.String())
		if err != nil || again.Unread != "" || again.String() != typ.String() || again.Kind != typ.Kind {
			t.Errorf("%q is %+v, whose canonical form is %+v, %v", text, typ, again, err)
		}
		if typ.RowBytes() < 1 || typ.MaxBytes() < 0 {
			t.Errorf("%q takes %d bytes of a row and holds %d", text, typ.RowBytes(), typ.MaxBytes())
		}
	})
}
