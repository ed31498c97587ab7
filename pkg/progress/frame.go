package progress

import (
	"strings"

	"github.com/cheggaaa/pb/v3"
)

const (
	wideBar   = 12
	narrowBar = 7
	widestBar = 50
)

// details are the ways to draw a line, the most telling first; the first that
// fits is taken. Percent, pace and retries are in all of them: they are what
// a person looks for.
var details = [...]detail{
	{bar: wideBar, first: whole, second: whole, sent: true},
	{bar: wideBar, first: whole, second: whole},
	{bar: wideBar, first: whole, second: part},
	{bar: wideBar, first: part, second: part},
	{bar: narrowBar, first: part},
	{first: part},
	{bar: narrowBar},
	{},
	{first: part, brief: true},
	{brief: true},
	{bare: true},
	{bare: true, brief: true},
}

// frame is the line on a terminal of width cells, and never more than these.
func (v view) frame(width int) string {
	for _, d := range details {
		if line, fits := v.drawn(d, width); fits {
			return line
		}
	}
	line, _ := v.drawn(details[len(details)-1], width)
	return pb.StripString(line, max(width, 0))
}

// drawn is the line with this much detail, and whether it fits.
func (v view) drawn(d detail, width int) (line string, fits bool) {
	said := strings.Join(v.words(d), ", ")
	_, total := v.measure()
	switch {
	case d.bare:
		return said, pb.CellCount(said) <= width
	case d.bar == 0 || total <= 0:
		line = strings.TrimSuffix(v.name+" "+said, " ")
		return line, pb.CellCount(line) <= width
	}
	room := width - pb.CellCount(v.name) - pb.CellCount(said) - 2
	if room < d.bar {
		return "", false
	}
	return v.name + " " + v.bar(min(room, widestBar)) + " " + said, true
}

// bar draws what is acknowledged heavily and what is on its way lightly. pb's
// own bar knows one quantity, and rounds it up: it is full before all is there.
func (v view) bar(cells int) string {
	cells -= len("[]")
	done, total := v.measure()
	sent := done
	if v.kind == ofTransfer && v.TotalBytes > 0 {
		sent += min(v.InFlight, max(total-done, 0))
	}
	heavy := share(done, total, cells)
	light := share(sent, total, cells) - heavy
	return "[" + strings.Repeat("=", heavy) + strings.Repeat("-", max(light, 0)) + strings.Repeat(" ", cells-heavy-max(light, 0)) + "]"
}

// share is how many of the cells stand for a part of total, rounded down.
func share(part, total int64, cells int) int {
	most := int64(cells)
	n := clamp(float64(part) / float64(total) * float64(cells))
	if part < total {
		most--
	}
	return int(min(max(n, 0), most))
}
