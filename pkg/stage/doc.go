// Package stage brings a dataset onto the shared volume of a release: it makes the stage Pod, and through it sends the files, has them
// verified where they lie, and publishes them under a name that is derived from their content.
//
// A staged tree appears by one rename, after every file was checked against the manifest with sha256, and is never changed afterwards.
// Until then it is a hidden work directory of one attempt. A connection that is cut, a Pod that is killed or a volume that is full
// leaves at most a work directory behind, which the next push of the table removes once the Pod that owned it is gone.
//
// The other side is a shell with the usual tools; nothing of ours is installed there. Only lines that carry the nonce of their session
// count: neither an exit status nor the end of a stream proves anything.
package stage
