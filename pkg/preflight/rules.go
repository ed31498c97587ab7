package preflight

import "fmt"

// Rule is one rule of the ingestor that the preflight mirrors.
type Rule struct {
	// ID is stable: scripts may depend on it.
	ID       string
	Severity Severity
	// Section is where contract/ingestor.md states the rule; "spec" stands for contract/spec.md.
	Section string
	// Summary is one sentence on what breaks the rule and what the ingestor would do.
	Summary string
	// Remedy is what the user does about it, unless a finding knows better.
	Remedy string
}

// RuleGroup is what rules are about.
type RuleGroup struct {
	Title string
	Rules []Rule
}

// RuleGroups is the register of all rules, in the order in which findings are shown.
func RuleGroups() []RuleGroup {
	return []RuleGroup{
		{"Layout", layoutRules()},
		{"CSV", csvRules()},
		{"File names", filenameRules()},
		{"Images", imageRules()},
		{"Files in pairs", pairingRules()},
		{"Pascal VOC annotations", vocRules()},
		{"Masks", maskRules()},
		{"Texts", textRules()},
		{"BIO tags", bioRules()},
		{"Tokenizer", tokenizerRules()},
		{"Labels", labelRules()},
		{"Record ids", idRules()},
		{"Keypoints", keypointRules()},
		{"Time", timeRules()},
		{"Schema", schemaRules()},
		{"Values", valueRules()},
	}
}

// Rules are the rules of all groups. It must not be changed at run time.
var Rules = allRules()

func allRules() []Rule {
	var all []Rule
	for _, g := range RuleGroups() {
		all = append(all, g.Rules...)
	}
	return all
}

// ruleByID panics on an id that is not registered: that is a mistake in this package, and every test would meet it.
func ruleByID(id string) Rule {
	for _, r := range Rules {
		if r.ID == id {
			return r
		}
	}
	panic(fmt.Sprintf("preflight: rule %q is not registered", id))
}

func layoutRules() []Rule {
	return []Rule{
		{"table-name", SeverityError, "2.0", "the table name is not letters, digits and underscores after a letter, or is too long", "choose another name with --table"},
		{"csv-missing", SeverityError, "2.1", "the dataset has no CSV, or several and none is labels.csv", "put one labels.csv (or, for a tabular task, one CSV) into the root of the dataset"},
		{"csv-name", SeverityWarning, "2.1", "the CSV's name ends in .CSV, not .csv: the ingestor's encoding check passes it over", "rename it to end in .csv"},
		{"dir-missing", SeverityError, "2.0", "a directory that the task needs is missing; the ingestor knows directories by fixed names only", "create or rename it"},
		{"dir-empty", SeverityError, "2.0", "a directory that the task needs holds no file", "put the files into it"},
		{"sidecar-missing", SeverityError, "2.2", "a file that the task needs beside its directory is missing", "add it to the root of the dataset"},
		{"file-symlink", SeverityError, "2.0", "a symbolic link stands where a file would be staged", "push with --follow-symlinks if its target stays inside the dataset, else copy the dataset with its links resolved (cp -RL) and push the copy"},
		{"file-special", SeverityError, "2.0", "a FIFO, socket or device stands where a file would be staged", "remove it"},
		{"file-name", SeverityError, "2.0", "a file's name cannot be carried to the cluster", "rename it"},
		{"file-unreadable", SeverityError, "2.0", "a file cannot be read", "give yourself read permission"},
		{"file-hidden", SeverityNote, "2.0", "hidden files and what desktops leave behind are not staged; the ingestor would skip them", ""},
		{"file-not-staged", SeverityNote, "2.0", "files that the task does not use are not staged", ""},
		{"file-case-variants", SeverityNote, "2.0", "two files differ only in the case of their names", "rename one, if the dataset will ever stand on a Mac or on Windows"},
	}
}

func csvRules() []Rule {
	return []Rule{
		{"csv-not-utf8", SeverityError, "2.0", "the CSV is not UTF-8", "save it as UTF-8 (in Excel: Save As, CSV UTF-8)"},
		{"csv-nul", SeverityError, "5.2", "the CSV holds a NUL byte: old ingestors lose the text behind it, newer ones refuse the file", "remove the byte"},
		{"csv-unclosed-quote", SeverityError, "2.0", "a quoted field is never closed", "close the quote, or double it if it is meant as text"},
		{"csv-empty", SeverityError, "2.3", "the CSV has no data row", "add rows below the header"},
		{"csv-index-shift", SeverityError, "5.1", "the first data row has more fields than the header, so that all columns would shift", "take the extra delimiter off the end of the rows (push --fix does so), or name the extra column"},
		{"csv-ragged-row", SeverityError, "2.0", "a row has more fields than the rows before it", "quote the field that holds a delimiter, or remove the extra field"},
		{"csv-record-too-long", SeverityError, "2.0", "a row or the header is longer, or has more fields, than any table can hold", "look for a quote that is never closed"},
		{"csv-duplicate-header", SeverityError, "2.0", "two columns have the same name", "rename one of them"},
		{"csv-blank-header", SeverityError, "2.3", "a column has no name", "name it, or remove it (pandas: to_csv(index=False))"},
		{"csv-unnamed-column", SeverityWarning, "2.3", "a column has no name; the ingestor ignores it", "remove it (pandas: to_csv(index=False))"},
		{"csv-padded-header", SeverityWarning, "2.0", "a column name has blanks around it: the ingestor's readings do not all strip them", "remove the blanks, or push with --fix"},
		{"csv-short-row", SeverityWarning, "2.0", "a row has fewer fields than the header; the others are read as missing", "add the missing fields"},
		{"csv-backslash-header", SeverityError, "2.0", "a column name holds a backslash: the ingestor's readings give the column different names", "rename the column"},
		{"csv-backslash", SeverityWarning, "5.3", "a backslash is an escape character to the ingestor: it is dropped, and a delimiter or quote behind it loses its meaning", "write / for \\, or double the backslash"},
		{"csv-cr-only", SeverityWarning, "5.2", "rows end in a carriage return alone", "save the file with LF or CRLF line ends, or push with --fix"},
		{"csv-mixed-line-ends", SeverityNote, "5.2", "rows end in different ways", "save the file with one kind of line end, or push with --fix"},
		{"csv-repaired", SeverityNote, "2.0", "--fix repaired the CSV on its way to the cluster; the file on disk is as it was", ""},
	}
}

func filenameRules() []Rule {
	return []Rule{
		{"filename-column", SeverityError, "2.0", "the CSV has no column named exactly filename", "name the column filename"},
		{"filename-blank", SeverityError, "2.0", "a row has no file name", "fill it in, or remove the row"},
		{"filename-numeric", SeverityError, "2.0", "1,000 rows on end have only numbers for file names: the ingestor reads numbers, and every such record fails", "write the names with their extension"},
		{"filename-subpath", SeverityError, "2.0", "a file name holds a path; the ingestor copies from one flat directory", "put the files directly into the directory, and write names without a path"},
		{"file-missing", SeverityError, "2.0", "a row names a file that is not there; names match exactly, letter case and blanks included", "add the file, or remove the row"},
		{"filename-duplicate", SeverityWarning, "2.0", "two rows name the same file; each becomes a record of its own", "remove one, unless it is meant"},
		{"file-unreferenced", SeverityWarning, "2.0", "no row names the file: it is sent and checked, but never becomes a record", "remove the file, or add a row"},
		{"file-mixed-extensions", SeverityError, "2.0", "files of a directory have different extensions; .jpg and .jpeg differ too", "rename or convert them to one extension"},
		{"file-extension", SeverityError, "2.0", "the extension is none that the ingestor takes", "convert the file to an allowed format, or move it out of the directory"},
		{"file-extension-case", SeverityWarning, "2.0", "an extension is not in lower case: the file is copied as it is, and the table names it in lower case", "rename the file to end in lower case"},
		{"filename-missing-text", SeverityError, "2.0", "a file name without extension is a text that the ingestor's validators take for a missing value", "write the name with its extension"},
	}
}

func imageRules() []Rule {
	return []Rule{
		{"image-empty", SeverityError, "2.0", "an image file has 0 bytes", "replace or remove it"},
		{"image-unreadable", SeverityError, "2.0", "an image has no header that PIL reads", "replace or remove it"},
		{"image-unknown-format", SeverityWarning, "5.2", "the content is of a format whose size cannot be read here; the ingestor may take it", "convert it to what its extension says"},
		{"image-truncated", SeverityWarning, "5.3", "an image has no end mark: the file was cut short, which the ingestor does not notice", "replace it, or remove it with its row"},
		{"image-too-many-pixels", SeverityError, "2.0", "an image is beyond PIL's limit of 178,956,970 pixels", "scale it down"},
		{"image-too-small", SeverityError, "6", "an image is smaller than 32x32, which newer ingestors refuse (0.3.9 takes it)", "scale it up, or set spec.file_options.min_size in the spec"},
		{"image-mixed-resolution", SeverityError, "2.0", "images have different sizes; the ingestor resizes nothing", "resize all images to one size"},
		{"image-target-size", SeverityError, "2.0", "the images are not of the target size", "set --target-size to the size of the images, or resize them"},
	}
}

func labelRules() []Rule {
	return []Rule{
		{"label-column", SeverityError, "2.0", "the CSV has no such label column; names match exactly", "name the column with --label-column"},
		{"label-case", SeverityWarning, "5.3", "the label column is written in another letter case in the CSV; 0.3.9 stores NULL for every label then, newer ingestors find it", "write the name as the CSV has it (push does so by itself)"},
		{"label-absent", SeverityWarning, "5.3", "the CSV has no label column, and NULL is stored for every label of this task", "add the column, or name it with --label-column"},
		{"label-reserved", SeverityError, "2.0", "the label column has a name that the ingestor keeps for itself", "rename the column"},
		{"label-blank", SeverityError, "5.1", "a row has no label, and its record, or its whole batch, fails", "fill it in, or remove the row"},
		{"label-null", SeverityWarning, "5.1", "a row has no label; NULL is stored", "fill it in, or remove the row"},
		{"label-not-numeric", SeverityWarning, "spec", "a label of a regression is no number", "use a classification task, or a numeric label"},
		{"label-too-long", SeverityError, "2.0", "a label is longer than 255 characters", "shorten it"},
		{"label-single-class", SeverityError, "2.3", "all rows have the same label; the backend demands two", "add rows of another class"},
		{"label-one-value", SeverityWarning, "6", "all rows have the same label, and some ingestors demand two of this task as well", "add rows with another label, if the run is refused"},
		{"label-bucket-shared", SeverityWarning, "2.0", "the bucket policy hashes labels into 64 buckets, and different classes share one: 0.3.9 stores the bucket alone", "use --label-policy=passthrough for classes"},
		{"label-padded", SeverityWarning, "5.3", "a label has blanks around it: another class than the label without them to 0.3.9, the same to newer ingestors", "remove the blanks"},
		{"label-rewritten", SeverityWarning, "5.3", "labels look like numbers or booleans, and are stored as such: 01 as 1, true as 1", "use labels with a letter in them, such as class_01"},
	}
}
