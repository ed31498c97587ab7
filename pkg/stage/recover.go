package stage

import (
	"encoding/hex"
	"fmt"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// recover asks what became of jobs that were on the way when their session broke: it may have finished some, and of a shard that was cut
// off it keeps what came whole. The rest goes back to the queue.
func (t *transfer) recover(s *session, lost []*job, nonce string) error {
	for n, j := range lost {
		if j.kind == frameRange {
			j.big.suspects()
		}
		there := map[string][32]byte{}
		done, err := s.listen(t.plan, "O "+j.id+" "+nonce+j.receipt(), func(line []byte) {
			if sum, name, ok := parseSum(line); ok && len(there) <= len(j.files) {
				there[name] = sum
			}
		})
		switch {
		case err != nil:
			s.close()
			t.queue.putBack(lost[n:]...)
			return err
		case done:
			t.arrived(j)
		case len(there) > 0 && j.kind == frameShard:
			t.partly(j, there)
		default:
			t.queue.putBack(j)
		}
	}
	return nil
}

// receipt is that of a range, as far as it was read.
func (j *job) receipt() string {
	if j.kind != frameRange {
		return ""
	}
	j.big.mu.Lock()
	defer j.big.mu.Unlock()
	if j.number >= len(j.big.sums) {
		return ""
	}
	return fmt.Sprintf(" %d.%d.%s", j.big.offset(j.number), j.big.length(j.number), hex.EncodeToString(j.big.sums[j.number][:]))
}

// partly counts the files of a shard that came, and makes a smaller one of the rest.
func (t *transfer) partly(j *job, there map[string][32]byte) {
	m := t.plan.Manifest
	var came, rest []int32
	for _, i := range j.files {
		if sum, found := there[m[i].Path]; found && sum == m[i].SHA256 {
			came = append(came, i)
		} else {
			rest = append(rest, i)
		}
	}
	if len(rest) == 0 {
		t.arrived(j)
		return
	}
	t.patience.progress()
	t.mu.Lock()
	t.report.Files += int64(len(came))
	t.report.Bytes += sizeOf(m, came)
	t.options.Progress(t.report.Progress)
	t.mu.Unlock()
	t.queue.done(shardOf(m, rest))
}

// shardOf is the job that sends the files.
func shardOf(m dataset.Manifest, files []int32) *job {
	return &job{kind: frameShard, files: files, id: digest(sumsOf(m, files)), payload: sizeOf(m, files)}
}
