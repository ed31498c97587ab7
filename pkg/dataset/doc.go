// Package dataset describes a dataset on disk: which tasks there are and what each of them needs, which files a
// directory holds, what a CSV and an image header say, and the manifest that a transfer is made from.
//
// The package reads through os.Root. It follows a symbolic link only where it was told to, and never out of the dataset.
// It knows nothing of clusters, and it holds no judgment about the data: that is pkg/preflight.
package dataset
