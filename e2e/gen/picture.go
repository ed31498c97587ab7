package gen

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
)

// pictureSize is the pixels of every image that Make makes.
func pictureSize() image.Point { return image.Pt(64, 48) }

// background is a gradient that differs from one image to the next.
func background(i int) *image.RGBA {
	size := pictureSize()
	img := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			img.SetRGBA(x, y, color.RGBA{uint8(40 + 2*x), uint8(40 + 3*y), uint8(30 + 13*i%200), 255})
		}
	}
	return img
}

func fillBox(img draw.Image, box image.Rectangle, c color.Color) {
	draw.Draw(img, box, image.NewUniform(c), image.Point{}, draw.Src)
}

func asJPEG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, nil)
	return b.Bytes(), err
}

func asPNG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// classifiedImages is the dataset of Images in memory; the manifest names the images with their extension.
func classifiedImages(count int) (Dataset, error) {
	size := pictureSize()
	o := Images{Count: count, Width: size.X, Height: size.Y, Format: ".png", Labels: []string{"cat", "dog"}}
	d := Dataset{CSV: "labels.csv", Header: []string{"filename", "label"}, Label: "label", Size: size}
	for i := range count {
		var b bytes.Buffer
		if err := o.encode(&b, i); err != nil {
			return Dataset{}, err
		}
		d.Files = append(d.Files, File{"images/" + o.name(i), b.Bytes()})
		d.Rows = append(d.Rows, []string{o.name(i), o.Labels[i%len(o.Labels)]})
	}
	return d, nil
}
