package progress

import (
	"fmt"
	"strings"
	"time"
)

// form is how much is said of a quantity.
type form int

const (
	nothing form = iota
	part         // 1.20 GiB
	whole        // 1.20 GiB of 2.93 GiB
)

// detail is how much a line says.
type detail struct {
	bar    int  // the fewest cells for the bar; 0 is none
	first  form // of what the phase counts: bytes, or things
	second form // of the files of a transfer
	sent   bool // the bytes on the wire
	brief  bool // the shortest words for a wait
	bare   bool // no name of the phase
}

// words is what a line says beside its name and its bar.
func (v view) words(d detail) []string {
	var words []string
	if percent, known := v.percent(); known {
		words = append(words, fmt.Sprintf("%d%%", percent))
	}
	bytes, things := d.first, d.second
	if v.ofFiles() {
		bytes, things = nothing, d.first
	}
	switch {
	case bytes == whole && v.TotalBytes > 0:
		words = append(words, Bytes(v.Bytes)+" of "+Bytes(v.TotalBytes))
	case bytes != nothing:
		words = append(words, Bytes(v.Bytes))
	}
	switch {
	case v.kind == ofBytes || things == nothing:
	case things == whole && v.TotalFiles > 0:
		words = append(words, fmt.Sprintf("%d of %s", v.Files, plural(v.TotalFiles, v.noun)))
	default:
		words = append(words, plural(v.Files, v.noun))
	}
	if d.sent && v.kind == ofTransfer {
		words = append(words, Bytes(v.Sent)+" sent")
	}
	words = append(words, v.pace(d.brief)...)
	if v.Retries > 0 {
		words = append(words, retries(v.Retries))
	}
	return words
}

// pace is how it goes on: the rate and the time that is left, or what stands in
// the way of them.
func (v view) pace(brief bool) []string {
	switch {
	case v.Step != "" && brief:
		return []string{v.Step}
	case v.Step != "":
		return []string{v.Step + " for " + span(v.waiting)}
	case v.kind == ofTransfer && v.complete():
		return []string{"all acknowledged"}
	case v.stalled() && brief:
		return []string{"no ack for " + span(v.waiting)}
	case v.stalled():
		words := []string{"nothing acknowledged for " + span(v.waiting)}
		if v.sending >= 1 {
			// A slow link fills the first shards for a long time; that is no standstill.
			words = append(words, "sending "+perSecond(v.sending))
		}
		return words
	}
	var words []string
	done, total := v.measure()
	if v.rate > 0 && !v.ofFiles() {
		words = append(words, perSecond(v.rate))
	}
	if left, ok := eta(total-done, v.rate); ok && total > done {
		words = append(words, "ETA "+span(left))
	}
	return words
}

// percent is rounded down: 100 means that nothing is missing.
func (v view) percent() (percent int64, known bool) {
	done, total := v.measure()
	if total <= 0 {
		return 0, false
	}
	most := int64(100)
	if !v.complete() {
		most = 99
	}
	return min(max(clamp(float64(done)/float64(total)*100), 0), most), true
}

// plain is the line that stands for the bar where there is none.
func (v view) plain() string {
	return v.name + ": " + strings.Join(v.words(detail{first: whole, second: whole, sent: true}), ", ")
}

// report is the line that a finished phase leaves behind; a phase in which
// nothing was done leaves none.
func (v view) report() string {
	if v.kind == ofTransfer {
		return v.transferReport()
	}
	amount := Bytes(v.Bytes)
	done := v.Bytes
	if v.kind == ofThings {
		amount, done = plural(v.Files, v.noun), v.Files
	}
	if done <= 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s in %s%s", v.name, amount, Duration(v.took), v.average())
}

func (v view) transferReport() string {
	var words []string
	if v.Files > 0 || v.Bytes > 0 || v.Sent > 0 {
		words = append(words, fmt.Sprintf("%s, %s in %s%s", Bytes(v.Bytes), plural(v.Files, v.noun), Duration(v.took), v.average()),
			Bytes(v.Sent)+" sent")
	}
	if v.Compressed > 0 {
		words = append(words, Bytes(v.Compressed)+" compressed on the way")
	}
	if v.Retries > 0 {
		words = append(words, retries(v.Retries))
	}
	if v.TakenOverFiles > 0 {
		words = append(words, v.takenOver()+" taken over")
	}
	if len(words) == 0 {
		return ""
	}
	return v.name + ": " + strings.Join(words, ", ")
}

// average is the rate of the whole phase, in parentheses; a phase of less than
// a second has none worth telling.
func (v view) average() string {
	if v.took < time.Second || v.Bytes <= 0 {
		return ""
	}
	return " (" + Rate(v.Bytes, v.took) + ")"
}

// skipped says what will not be sent.
func (v view) skipped() string {
	return v.name + ": " + v.takenOver() + " on the volume already, not sent again"
}

func (v view) takenOver() string {
	return fmt.Sprintf("%s (%s)", plural(v.TakenOverFiles, v.noun), Bytes(v.TakenOverBytes))
}

func retries(n int) string {
	if n == 1 {
		return "1 retry"
	}
	return fmt.Sprintf("%d retries", n)
}
