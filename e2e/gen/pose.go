package gen

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
)

// keypoints draws stick figures. Annotation holds the pixels of each joint, Visibility 1 or 0 for each, both as JSON objects
// with the same names in every row.
func keypoints(count int) (Dataset, error) {
	joints := []string{"head", "left_hand", "right_hand", "left_foot", "right_foot"}
	d := Dataset{
		CSV: "labels.csv", Header: []string{"filename", "label", "Annotation", "Visibility"}, Label: "label", Size: pictureSize(), Keypoints: len(joints),
	}
	for i := range count {
		name := fmt.Sprintf("pose_%04d.jpeg", i)
		label, places := figure(i)
		img := background(i)
		at, visible := map[string][2]int{}, map[string]int{}
		for j, joint := range joints {
			at[joint] = [2]int{places[j].X, places[j].Y}
			visible[joint] = 1
			if (i+j)%7 == 6 {
				visible[joint] = 0
			} else {
				fillBox(img, image.Rectangle{Min: places[j], Max: places[j].Add(image.Pt(3, 3))}, color.White)
			}
		}
		picture, err := asJPEG(img)
		if err != nil {
			return Dataset{}, err
		}
		annotation, err := json.Marshal(at)
		if err != nil {
			return Dataset{}, err
		}
		visibility, err := json.Marshal(visible)
		if err != nil {
			return Dataset{}, err
		}
		d.Files = append(d.Files, File{"images/" + name, picture})
		d.Rows = append(d.Rows, []string{name, label, string(annotation), string(visibility)})
	}
	return d, nil
}

// figure is a standing or a jumping one: head, hands and feet, all within the picture.
func figure(i int) (label string, places []image.Point) {
	random := sequence(2000 + i)
	x, y := 24+random.next(16), 6+random.next(6)
	label, arms, legs := "standing", 18, 4
	if i%2 == 1 {
		label, arms, legs = "jumping", 2, 10
	}
	return label, []image.Point{{x, y}, {x - 9, y + arms}, {x + 9, y + arms}, {x - legs, y + 30}, {x + legs, y + 30}}
}
