package preflight

func schemaRules() []Rule {
	return []Rule{
		{"schema-column-missing", SeverityError, "2.0", "the schema names a column that the CSV does not have", "correct the name in --schema, or add the column"},
		{"schema-type", SeverityError, "2.0", "the ingestor cannot use this SQL type", "use one of VARCHAR(n), TEXT, INT, BIGINT, FLOAT, DOUBLE, DECIMAL(p,s), BOOLEAN, DATE, DATETIME, TIMESTAMP, TIME"},
		{"schema-reserved", SeverityError, "2.0", "the schema names a column that the ingestor keeps for itself, in any letter case", "rename the column, or leave it out of --schema"},
		{"schema-label-feature", SeverityError, "2.0", "a feature is called label while another column is the label", "rename the column, or leave it out of --schema"},
		{"schema-case-duplicate", SeverityError, "5.1", "two columns differ only in letter case, which the database does not tell apart", "rename one of them, or leave it out of --schema"},
		{"schema-name-too-long", SeverityError, "2.0", "a column name is longer than 64 characters", "shorten it"},
		{"schema-name-colon", SeverityError, "5.1", "a column name holds a colon before a word, which the ingestor's SQL takes for a parameter", "rename the column"},
		{"schema-name-control", SeverityError, "2.0", "a column name holds a control character, such as a tab or a line break", "rename the column, or leave it out of --schema; look for a quote that is never closed, or a file that tabs separate"},
		{"schema-name-supplementary", SeverityWarning, "2.0", "a column name holds a character beyond U+FFFF, which MySQL does not take in names", "rename the column"},
		{"schema-too-many-columns", SeverityError, "2.0", "a table of the database cannot have this many columns", "leave columns out of --schema"},
		{"schema-row-size", SeverityError, "2.0", "a row of these types is longer than the database's 65,535 bytes", "use TEXT for long columns, or leave columns out of --schema"},
		{"schema-row-page", SeverityWarning, "2.0", "a row of so many text columns may not fit on a page of the database", "leave columns out of --schema"},
		{"schema-no-feature", SeverityWarning, "spec", "no column but the label is stored, and nothing can be learned from it", "add columns, or look whether the task is meant"},
		{"schema-skipped", SeverityNote, "spec", "a column has a name that the ingestor keeps for itself, and is left out of the schema", "rename it, if it is a feature"},
		{"schema-not-in-schema", SeverityNote, "2.0", "a column of the CSV is not in the schema, and is not stored", ""},
	}
}

func valueRules() []Rule {
	return []Rule{
		{"value-not-numeric", SeverityError, "2.0", "a value of a numeric column is no number", "correct the value, leave the cell empty, or declare the column VARCHAR(n)"},
		{"value-not-finite", SeverityError, "2.0", "a value of a numeric column is infinite, or overflows", "correct the value, or leave the cell empty"},
		{"value-not-integer", SeverityError, "2.0", "a value of an integer column has a fraction", "correct the value, or declare the column DOUBLE"},
		{"value-range", SeverityError, "5.1", "a number is out of the range of its column's type", "declare a wider type (BIGINT, DOUBLE, a longer DECIMAL)"},
		{"value-not-boolean", SeverityError, "2.0", "a value of a boolean column is none of 0, 1, true, false, yes, no, y, n, t, f", "correct the value, or declare the column VARCHAR(n)"},
		{"value-not-date", SeverityError, "2.0", "a value of a date or time column is no date, or is written in another way than the column's first value", "correct it, leave the cell empty, or write all values of the column in the same way"},
		{"value-date-fraction", SeverityWarning, "5.3", "a time has a part of a second, which the ingestor's tables do not keep, whatever the type says", "declare the column VARCHAR(n), or split the part off into a column of its own"},
		{"value-date-order", SeverityWarning, "2.2", "a date is read in one way when it is checked, as the column's first value is (day first, say), and in another when it is stored", "write all values of the column as YYYY-MM-DD"},
		{"value-time-zone", SeverityError, "5.1", "a date has a time zone, which the database refuses", "convert it to UTC and drop the zone"},
		{"value-too-long", SeverityError, "2.0", "a text is longer than its column", "declare a longer VARCHAR(n), or TEXT"},
		{"value-measured-length", SeverityError, "5.1", "the ingestor measures a column of numbers as numbers: 01234 beside an empty cell is 1234.0", "declare a longer VARCHAR(n), or TEXT"},
		{"value-extension", SeverityError, "5.1", "the ingestor stores a column called extension in 10 characters, whatever the schema says", "rename the column"},
		{"value-filename", SeverityError, "5.1", "the ingestor stores a column called filename in 255 characters, whatever the schema says", "rename the column"},
		{"value-boolean-number", SeverityWarning, "2.0", "a column of numbers holds true and false, which are stored as 1 and 0", "declare the column BOOLEAN or VARCHAR(n), unless it is meant"},
		{"value-infinite-text", SeverityWarning, "2.0", "a column of numbers holds values that are not finite, which no numeric column takes: it becomes text", "correct the values, or leave the cells empty"},
		{"value-stored-blank", SeverityError, "5.1", "a cell of a column called filename or extension is empty: the ingestor stores these columns in its own, and cannot store a missing value there", "fill it in, or rename the column"},
		{"value-date-cut", SeverityWarning, "2.2", "a value of a DATE column has a time, which is dropped", "declare the column DATETIME"},
		{"value-single-precision", SeverityWarning, "5.3", "FLOAT has single precision, which changes the value", "declare the column DOUBLE"},
		{"value-decimal-rounded", SeverityWarning, "5.3", "a number has more decimals than its column keeps", "declare DECIMAL(p,s) with more decimals, or DOUBLE"},
		{"value-leading-zero", SeverityWarning, "5.3", "a value with leading zeros stands in a numeric column, which drops them", "declare the column VARCHAR(n)"},
		{"value-big-integer", SeverityWarning, "5.3", "an integer beyond 2^53 stands in a column with empty cells, and is rounded", "fill the empty cells, or declare the column VARCHAR(n)"},
		{"value-date-number", SeverityWarning, "5.3", "dates without separators are numbers to the ingestor, read as nanoseconds since 1970", "write them as YYYY-MM-DD"},
		{"value-missing-version", SeverityError, "6", "a text in a typed column means missing to ingestor 0.3.9 only; 0.7 and later refuse it", "leave the cell empty"},
		{"value-missing-skew", SeverityWarning, "6", "ingestor versions differ on whether this text means a missing value", "leave the cell empty if it is missing"},
		{"value-missing-text", SeverityNote, "2.0", "a text that means missing stands in a text column, and is stored as NULL", "write it in another way if it is a value"},
	}
}
