package preflight

func keypointRules() []Rule {
	return []Rule{
		{"keypoint-column", SeverityError, "2.2", "the CSV has no column of exactly this name, letter case and blanks included", "name the columns Annotation and Visibility"},
		{"keypoint-json", SeverityError, "2.2", "a cell of Annotation or Visibility is no JSON object", `write {"name": [x, y], ...} and {"name": 1, ...}`},
		{"keypoint-count", SeverityError, "2.2", "a row has another number of keypoints than the dataset", "set --number-of-keypoints to the number, or correct the row"},
		{"keypoint-names", SeverityError, "2.2", "the keypoints of a row have other names than those of the first row", "use the same names in every row"},
		{"keypoint-coordinates", SeverityError, "2.2", "a keypoint is not two numbers that are not negative", "write [x, y] in pixels"},
		{"keypoint-box", SeverityError, "2.2", "the keypoints of a row lie on one line along an axis, or on one point", "correct the row, or remove it"},
		{"keypoint-outside", SeverityError, "6", "a keypoint lies outside of the image, which newer ingestors refuse", "correct the row; if the images were resized, scale the keypoints as well"},
		{"keypoint-visibility", SeverityError, "2.2", "a visibility is neither 0 nor 1", "write 1 for visible and 0 for hidden (COCO's 2 is 1, its 1 is 0)"},
		{"keypoint-visibility-names", SeverityError, "2.2", "Visibility does not have the names of the row's Annotation", "give each keypoint of the row one visibility"},
	}
}

func idRules() []Rule {
	return []Rule{
		{"id-column", SeverityError, "2.0", "the CSV has no column of the name in data_id", "correct data_id.column in the spec, or add the column"},
		{"id-blank", SeverityError, "2.0", "a row has no id, and its record is skipped", "fill it in, or remove the row"},
		{"id-rewritten", SeverityWarning, "2.0", "ids look like numbers, and are stored as such: 007 as 7", "name the column in the schema as VARCHAR(n), or use ids with a letter in them"},
		{"id-duplicate", SeverityError, "2.0", "two rows have one id, and only the later one is kept", "make the ids unique, or take data_id out of the spec"},
		{"id-too-long", SeverityError, "2.0", "an id is longer than 255 characters", "shorten it"},
	}
}

func timeRules() []Rule {
	return []Rule{
		{"time-column", SeverityError, "2.2", "the CSV has no column called exactly timestamp", "name the column timestamp"},
		{"time-type", SeverityError, "2.2", "the schema does not have timestamp as TIMESTAMP", "declare timestamp:TIMESTAMP in --schema"},
		{"time-invalid", SeverityError, "2.2", "a timestamp is missing, or is no date", "write all timestamps as YYYY-MM-DD or YYYY-MM-DD HH:MM:SS"},
		{"time-ambiguous", SeverityError, "2.2", "a timestamp is one date with the month first and another with the day first", "write it as YYYY-MM-DD"},
		{"time-order", SeverityError, "2.2", "a timestamp is before that of the row above", "sort the rows by timestamp"},
		{"time-future", SeverityError, "2.2", "a timestamp is not before today, by the clock of the cluster in UTC", "leave rows of today and later out"},
		{"feature-not-numeric", SeverityError, "2.2", "a value of a feature is no number; the task takes numeric features only", "encode the column as numbers, or leave it out with --schema"},
		{"sequence-column", SeverityError, "6", "the CSV has no column called exactly sequence_id", "name the column that tells sequences apart sequence_id"},
		{"sequence-schema", SeverityError, "spec", "the schema lacks sequence_id or timestamp", "declare both in --schema"},
		{"sequence-blank", SeverityError, "6", "a row has no sequence_id", "fill it in, or remove the row"},
		{"sequence-label", SeverityError, "6", "the rows of a sequence have different labels", "give all rows of a sequence one label"},
		{"sequence-order", SeverityError, "6", "the rows of a sequence are not in order of timestamp", "sort the rows of each sequence by timestamp"},
		{"sequence-as-id", SeverityError, "6", "data_id names the sequence, so that each sequence would become one row", "take data_id out of the spec, or name a column that differs in every row"},
		{"duration-column", SeverityError, "2.2", "the CSV has no such time column; names match exactly", "name the column time, or name it with --time-column"},
		{"duration-not-numeric", SeverityError, "2.2", "a time is no number", "write times as numbers, e.g. in days"},
		{"duration-negative", SeverityError, "2.2", "a time is negative", "correct the value, or remove the row"},
		{"duration-blank", SeverityWarning, "2.2", "a row has no time", "fill it in, or remove the row"},
	}
}
