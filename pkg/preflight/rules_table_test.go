package preflight

import (
	"fmt"
	"strings"
)

func schemaCases() []ruleCase {
	declared := func(rule, schema, breaks, passes string, also ...string) ruleCase {
		return ruleCase{rule: rule, name: schema, tabular: true, params: schemaOf(strings.Split(schema, ";")...), breaks: csvOf(breaks), passes: csvOf(passes), also: also}
	}
	inferred := func(rule, breaks, passes string, also ...string) ruleCase {
		return ruleCase{rule: rule, tabular: true, breaks: csvOf(breaks), passes: csvOf(passes), also: also}
	}
	broken := func(typ string) ruleCase {
		c := declared("schema-type", "a:"+typ+";label:TEXT", "a,label\n1,x\n1,y\n", "a,label\n1,x\n1,y\n")
		c.fixed = schemaOf("a:INT", "label:TEXT")
		return c
	}
	wide := func(n int, name, cell string) string {
		header, row := make([]string, n), make([]string, n)
		for i := range n {
			header[i], row[i] = fmt.Sprintf("%s%d", name, i), cell
		}
		return strings.Join(header, ",") + ",label\n" + strings.Join(row, ",") + ",x\n" + strings.Join(row, ",") + ",y\n"
	}
	long := strings.Repeat("n", 65)
	var varchars []string
	for i := range 60 {
		varchars = append(varchars, fmt.Sprintf("v%d:VARCHAR(255)", i))
	}
	rowSize := declared("schema-row-size", strings.Join(append(varchars, "label:TEXT"), ";"), wide(60, "v", "x"), wide(60, "v", "x"))
	rowSize.name, rowSize.fixed = "60 VARCHAR(255)", schemaOf(append(varchars[:59:59], "v59:VARCHAR(40)", "label:TEXT")...)
	cases := []ruleCase{
		declared("schema-column-missing", "age:INT;label:TEXT", "Age,label\n1,a\n2,b\n", features),
		declared("schema-reserved", "ID:INT;label:TEXT", "ID,label\n1,a\n2,b\n", "ID,label\n1,a\n2,b\n"),
		inferred("schema-label-feature", "label,a,target\n1,2,x\n2,3,y\n", "label_2,a,target\n1,2,x\n2,3,y\n"),
		inferred("schema-case-duplicate", "Age,age,label\n1,2,x\n2,3,y\n", "Age,age_2,label\n1,2,x\n2,3,y\n"),
		inferred("schema-name-too-long", long+",label\n1,x\n2,y\n", long[:64]+",label\n1,x\n2,y\n"),
		inferred("schema-name-colon", "a :b,label\n1,x\n2,y\n", "a:b,label\n1,x\n2,y\n"),
		inferred("schema-name-supplementary", "a😀,label\n1,x\n2,y\n", "aé,label\n1,x\n2,y\n"),
		inferred("schema-name-control", "\"a\nb\",label\n1,x\n2,y\n", "a b,label\n1,x\n2,y\n"),
		inferred("schema-too-many-columns", wide(1007, "c", "1"), wide(1006, "c", "1")),
		inferred("schema-row-page", wide(250, "c", "twelve chars"), wide(150, "c", "twelve chars")),
		inferred("schema-skipped", "id,a,label\n1,2,x\n2,3,y\n", "key,a,label\n1,2,x\n2,3,y\n"),
		inferred("schema-no-feature", "id,label\n1,x\n2,y\n", "id,a,label\n1,1,x\n2,2,y\n"),
		declared("schema-not-in-schema", "age:INT;label:TEXT", "age,more,label\n1,2,a\n2,3,b\n", features),
		rowSize,
	}
	cases[1].passes, cases[1].fixed = csvOf("id_2,label\n1,a\n2,b\n"), schemaOf("id_2:INT", "label:TEXT")
	cases[2].params = func(p *Params) { p.LabelColumn = "target" }
	for _, typ := range []string{"CHAR(3)", "TINYINT", "SMALLINT", "MEDIUMINT", "BLOB", "LONGBLOB", "INT(11)", "BIGINT(20)", "VARCHAR", "JSON", "VARCHAR(0)", "VARCHAR(16384)", "DECIMAL(66)", "DECIMAL(5,6)", "", "TINYINT(1)", "BOOLEAN(1)"} {
		cases = append(cases, broken(typ))
	}
	return cases
}

func valueCases() []ruleCase {
	// typed has one column of a type; the label column has a class more, in a last row that never breaks anything.
	typed := func(rule, typ, breaks, passes string, also ...string) ruleCase {
		column := func(cell string) string {
			return "a,label\n" + strings.ReplaceAll(cell, "|", ",x\n") + ",x\nGOOD,y\n"
		}
		good := map[string]string{"INT": "1", "BIGINT": "1", "FLOAT": "1", "DOUBLE": "1", "BOOLEAN": "1"}[typ]
		fill := func(cell string) tree { return csvOf(strings.Replace(column(cell), "GOOD", good, 1)) }
		return ruleCase{rule: rule, name: typ + " " + breaks, tabular: true, params: schemaOf("a:"+typ, "label:TEXT"), breaks: fill(breaks), passes: fill(passes), also: also}
	}
	inferred := func(rule, breaks, passes string, also ...string) ruleCase {
		return ruleCase{rule: rule, tabular: true, breaks: csvOf(breaks), passes: csvOf(passes), also: also}
	}
	skew := typed("value-missing-skew", "VARCHAR(9)", "none", "NA")
	skew2 := typed("value-missing-skew", "TEXT", "#NA", "NA")
	return []ruleCase{
		typed("value-not-numeric", "INT", "x", " 7 "),
		typed("value-not-numeric", "DOUBLE", `"1,5"`, "1.5"),
		{rule: "value-boolean-number", tabular: true, params: schemaOf("a:INT", "label:TEXT"), breaks: csvOf("a,label\nTrue,x\nfalse,y\n"), passes: csvOf("a,label\n1,x\n0,y\n")},
		typed("value-not-numeric", "INT", "True", "0"),
		inferred("value-infinite-text", "a,label\n1.5,x\ninf,y\n", "a,label\n1.5,x\n2,y\n"),
		inferred("value-stored-blank", "filename,a,label\nf.txt,1,x\n,2,y\n", "filename,a,label\nf.txt,1,x\ng,2,y\n"),
		typed("value-date-cut", "DATE", "2024-01-01 10:00:00", "2024-01-01 00:00:00"),
		typed("value-range", "DECIMAL(4,2)", "99.995", "99.99"),
		typed("value-missing-version", "INT", "#NA", "NA"),
		typed("value-missing-version", "DATE", "#N/A N/A", "#N/A"),
		typed("value-not-numeric", "FLOAT", "none", "None", "value-missing-skew"),
		typed("value-not-numeric", "INT", " NA ", "NA"),
		typed("value-not-finite", "DOUBLE", "inf", "nan"),
		typed("value-not-finite", "DOUBLE", "1e400", "1e300"),
		typed("value-not-integer", "INT", "1.5", "2.0"),
		typed("value-range", "INT", "2147483648", "2147483647"),
		typed("value-range", "INT", "-2147483649", "-2147483648"),
		typed("value-range", "BIGINT", "9223372036854775808", "9223372036854775807"),
		typed("value-range", "FLOAT", "1e39", "1e38", "value-single-precision"),
		typed("value-range", "DECIMAL(5,2)", "1000", "999.99"),
		typed("value-not-boolean", "BOOLEAN", "maybe", "Yes"),
		typed("value-not-boolean", "BOOLEAN", "2", "0.0"),
		typed("value-not-date", "DATE", "2024-01-01|soon", "2024-01-01|2024-01-02"),
		typed("value-not-date", "DATE", "2024-01-01|2024/01/02", "2024/01/01|2024/01/02"),
		typed("value-not-date", "DATETIME", "2024-01-01 10:00|2024-01-01 10:00:00", "2024-01-01 10:00:00|2024-01-01 10:00:01"),
		typed("value-not-date", "DATE", "01/02/2024|13/02/2024", "13/02/2024|14/02/2024"),
		typed("value-not-date", "DATE", "2024-02-30", "2024-02-29"),
		typed("value-date-fraction", "DATETIME", "2024-01-01 10:00:00.5", "2024-01-01 10:00:00.000"),
		inferred("value-date-fraction", "d,label\n2024-01-01 10:00:00.25,a\n2024-01-01 10:00:00.50,b\n", "d,label\n2024-01-01 10:00:00.00,a\n2024-01-01 10:00:00.0,b\n"),
		typed("value-date-order", "DATE", "13/02/2024|01/02/2024", "13/02/2024|02/02/2024"),
		typed("value-time-zone", "DATETIME", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00"),
		typed("value-too-long", "VARCHAR(3)", "ébcd", "ébc"),
		typed("value-too-long", "VARCHAR(3)", "abc ", "abc"),
		typed("value-too-long", "TEXT", strings.Repeat("x", 65536), strings.Repeat("x", 65535)),
		inferred("value-too-long", "s,label\n"+strings.Repeat("é", 32768)+",a\nx,b\n", "s,label\n"+strings.Repeat("é", 32767)+",a\nx,b\n"),
		typed("value-measured-length", "VARCHAR(5)", "01234|", "01234|x"),
		typed("value-measured-length", "VARCHAR(4)", "1e10", "1e1"),
		inferred("value-extension", "extension,n,label\n12345678901,1,a\nx,2,b\n", "extension,n,label\n1234567890,1,a\nx,2,b\n"),
		inferred("value-filename", "filename,n,label\n"+strings.Repeat("x", 256)+",1,a\nx,2,b\n", "filename,n,label\n"+strings.Repeat("x", 255)+",1,a\nx,2,b\n"),
		typed("value-single-precision", "FLOAT", "123456789.125", "1234.5"),
		typed("value-decimal-rounded", "DECIMAL(5,2)", "1.005", "1.00500e0"),
		typed("value-leading-zero", "INT", "007", "7"),
		typed("value-big-integer", "BIGINT", "9007199254740993|", "9007199254740992|"),
		typed("value-date-number", "DATE", "20240101", "2024-01-01"),
		skew, skew2,
		inferred("value-missing-text", "s,label\nNA,a\nx,b\n", "s,label\n,a\nx,b\n"),
	}
}
