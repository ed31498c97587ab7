package gen

import (
	"fmt"
	"image"
	"image/color"
)

// segmentedImages draws a disc or a block, and a mask of the same size whose gray values are classes: 0 is background. The mask
// of <stem>.jpg is <stem>_mask.png, and mask_id names it without its extension.
func segmentedImages(count int) (Dataset, error) {
	d := Dataset{CSV: "labels.csv", Header: []string{"filename", "mask_id", "label"}, Label: "label", Size: pictureSize()}
	for i := range count {
		stem := fmt.Sprintf("field_%04d", i)
		label, img, mask := field(i)
		picture, err := asJPEG(img)
		if err != nil {
			return Dataset{}, err
		}
		classes, err := asPNG(mask)
		if err != nil {
			return Dataset{}, err
		}
		d.Files = append(d.Files, File{"images/" + stem + ".jpg", picture}, File{"masks/" + stem + "_mask.png", classes})
		d.Rows = append(d.Rows, []string{stem + ".jpg", stem + "_mask", label})
	}
	return d, nil
}

func field(i int) (label string, img image.Image, mask *image.Gray) {
	random := sequence(3000 + i)
	size := pictureSize()
	picture := background(i)
	mask = image.NewGray(picture.Bounds())
	center, radius := image.Pt(16+random.next(32), 14+random.next(20)), 6+random.next(6)
	label, class, shade := "pond", uint8(1), color.RGBA{20, 60, 220, 255}
	if i%2 == 1 {
		label, class, shade = "barn", 2, color.RGBA{180, 40, 20, 255}
	}
	for y := range size.Y {
		for x := range size.X {
			dx, dy := x-center.X, y-center.Y
			inside := dx*dx+dy*dy < radius*radius
			if label == "barn" {
				inside = max(dx, -dx) < radius && max(dy, -dy) < radius
			}
			if inside {
				picture.SetRGBA(x, y, shade)
				mask.SetGray(x, y, color.Gray{Y: class})
			}
		}
	}
	return label, picture, mask
}
