package preflight

// vocRules are the rules about Pascal VOC annotations.
func vocRules() []Rule {
	return []Rule{
		{"voc-xml", SeverityError, "2.2", "an annotation is no well-formed XML, or in an encoding that the ingestor does not read", "correct the file, or write it as UTF-8"},
		{"voc-root", SeverityError, "2.2", "the root element of an annotation is not annotation, without a namespace", "write Pascal VOC, with the root element <annotation>"},
		{"voc-missing-element", SeverityError, "2.2", "an annotation lacks an element that the ingestor demands", "add the element; LabelImg leaves out source/annotation, for one"},
		{"voc-empty-element", SeverityError, "2.2", "an element that must have text is empty or blank", "write something into it; Roboflow leaves folder empty, for one"},
		{"voc-flag", SeverityError, "2.2", "segmented or truncated is not exactly 0 or 1, without blanks", "write 0 or 1"},
		{"voc-size", SeverityError, "2.2", "width, height or depth is no positive whole number", "write the size of the image in pixels, and its number of channels"},
		{"voc-difficult", SeverityError, "2.2", "difficult is no whole number from 0 up", "write 0 or 1"},
		{"voc-bndbox", SeverityError, "2.2", "a corner of a box is no whole number from 0 up, or the corners are not in order", "write whole pixels, with xmin below xmax and ymin below ymax"},
		{"voc-extension", SeverityError, "2.0", "an annotation's name does not end in .xml in lower case, as the ingestor looks for it", "rename the file to end in .xml"},
		{"voc-filename", SeverityError, "5.1", "a row names an image with its extension: ingestor 0.3.9 looks for an annotation of that name, and every such record fails", "write the names without extension"},
		{"voc-no-object", SeverityWarning, "2.2", "an annotation has no object", "remove the image and its annotation, unless it is meant"},
		{"voc-difficult-level", SeverityWarning, "2.2", "difficult is beyond 1, the highest level of Pascal VOC", "write 0 or 1, unless it is meant"},
		{"voc-box-outside", SeverityWarning, "5.3", "a box reaches beyond the image: ingestor 0.3.9 takes it as it is, newer ones refuse it", "correct the box, or the size that the annotation gives the image"},
		{"voc-image-size", SeverityWarning, "5.3", "the size in an annotation is not that of its image: ingestor 0.3.9 takes it as it is, newer ones refuse it", "write the size of the image, or put the right image there"},
	}
}
