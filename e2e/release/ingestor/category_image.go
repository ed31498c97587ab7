package main

import "github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"

func imageCategories() []category {
	images := func(in *ingestor) validator { return fileType(in, "images", in.config.extension) }
	return []category{
		{
			name: "image_classification", files: "images", noun: "image", extension: ".jpeg", targetSize: []int{256, 256}, missing: pandas.OnlyEmpty,
			validators: func(in *ingestor) []validator {
				return ending(in, images(in), imageResolution(in))
			},
		},
		{
			name: "object_detection", files: "images", noun: "image", extension: ".jpg", targetSize: []int{1920, 1080}, missing: pandas.OnlyEmpty,
			twin: annotationTwin(),
			validators: func(in *ingestor) []validator {
				return ending(in, images(in), fileType(in, "annotations", ".xml"), pascalVOC(in), filePairing(in, "annotations", "annotation", ""), imageResolution(in))
			},
		},
		{
			name: "keypoint_detection", files: "images", noun: "image", extension: ".jpg", annotation: "Annotation", missing: pandas.OnlyEmpty,
			validators: func(in *ingestor) []validator {
				return ending(in, images(in), imageResolution(in), keypointAnnotation(in), keypointVisibility(in))
			},
		},
		{
			name: "semantic_segmentation", files: "images", noun: "image", extension: ".jpg", targetSize: []int{512, 512}, missing: pandas.OnlyEmpty,
			twin: maskTwin(),
			validators: func(in *ingestor) []validator {
				return ending(in, images(in), fileType(in, "masks", ".png"), filePairing(in, "masks", "mask", "_mask"), imageResolution(in))
			},
		},
	}
}
