package gen

import (
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
)

// vocAnnotation is a Pascal VOC file with every element that the ingestor demands (contract/ingestor.md §2.2).
type vocAnnotation struct {
	XMLName   xml.Name    `xml:"annotation"`
	Folder    string      `xml:"folder"`
	Filename  string      `xml:"filename"`
	Source    vocSource   `xml:"source"`
	Size      vocSize     `xml:"size"`
	Segmented int         `xml:"segmented"`
	Objects   []vocObject `xml:"object"`
}

type vocSource struct {
	Database   string `xml:"database"`
	Annotation string `xml:"annotation"`
	Image      string `xml:"image"`
}

type vocSize struct {
	Width  int `xml:"width"`
	Height int `xml:"height"`
	Depth  int `xml:"depth"`
}

type vocObject struct {
	Name      string `xml:"name"`
	Pose      string `xml:"pose"`
	Truncated int    `xml:"truncated"`
	Difficult int    `xml:"difficult"`
	Box       vocBox `xml:"bndbox"`
}

type vocBox struct {
	XMin int `xml:"xmin"`
	YMin int `xml:"ymin"`
	XMax int `xml:"xmax"`
	YMax int `xml:"ymax"`
}

// detectedObjects draws boxes of three classes, with their Pascal VOC files. The manifest has names without extension, which
// is the only form under which ingestor 0.3.9 finds the annotations (contract/ingestor.md §5.1, 1).
func detectedObjects(count int) (Dataset, error) {
	d := Dataset{CSV: "labels.csv", Header: []string{"filename", "label"}, Label: "label", Size: pictureSize()}
	for i := range count {
		stem := fmt.Sprintf("street_%04d", i)
		img, note := street(i, stem+".jpg")
		picture, err := asJPEG(img)
		if err != nil {
			return Dataset{}, err
		}
		text, err := xml.MarshalIndent(note, "", "  ")
		if err != nil {
			return Dataset{}, err
		}
		d.Files = append(d.Files, File{"images/" + stem + ".jpg", picture}, File{"annotations/" + stem + ".xml", append(text, '\n')})
		d.Rows = append(d.Rows, []string{stem, note.Objects[0].Name})
	}
	return d, nil
}

// street draws one to three objects and describes them; the class of the first one goes round.
func street(i int, name string) (image.Image, vocAnnotation) {
	classes := []string{"car", "person", "bicycle"}
	colors := []color.RGBA{{200, 30, 30, 255}, {30, 200, 30, 255}, {30, 30, 200, 255}}
	random := sequence(1000 + i)
	size := pictureSize()
	img := background(i)
	note := vocAnnotation{
		Folder:   "images",
		Filename: name,
		Source:   vocSource{Database: "Generated streets", Annotation: "PASCAL VOC", Image: "generated"},
		Size:     vocSize{size.X, size.Y, 3},
	}
	for j := range 1 + i%3 {
		class := (i + j) % len(classes)
		w, h := 8+random.next(16), 8+random.next(12)
		x, y := random.next(size.X-w), random.next(size.Y-h)
		fillBox(img, image.Rect(x, y, x+w, y+h), colors[class])
		note.Objects = append(note.Objects, vocObject{Name: classes[class], Pose: "Unspecified", Difficult: j % 2, Box: vocBox{x, y, x + w, y + h}})
	}
	return img, note
}
