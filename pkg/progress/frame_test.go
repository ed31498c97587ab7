package progress

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cheggaaa/pb/v3"
)

// busy is a transfer in full swing.
func busy() view {
	return view{
		Transfer: Transfer{Files: 8412, TotalFiles: 20_000, Bytes: 1320 << 20, TotalBytes: 3000 << 20, Sent: 1400 << 20, InFlight: 300 << 20},
		name:     "Staging", noun: "file", kind: ofTransfer, took: time.Minute, rate: 45.1 * (1 << 20), sending: 50 << 20,
	}
}

func with(v view, change func(*view)) view {
	change(&v)
	return v
}

func views() map[string]view {
	return map[string]view{
		"busy":       busy(),
		"retries":    with(busy(), func(v *view) { v.Retries = 12 }),
		"stalled":    with(busy(), func(v *view) { v.waiting, v.sending, v.Retries = 200*time.Second, 0, 3 }),
		"slow":       with(busy(), func(v *view) { v.waiting = 20 * time.Second; v.sending = 123 << 10 }),
		"publishing": with(busy(), func(v *view) { v.Step, v.waiting = "publishing", 12*time.Second }),
		"complete":   with(busy(), func(v *view) { v.Files, v.Bytes, v.InFlight, v.waiting = v.TotalFiles, v.TotalBytes, 0, time.Hour }),
		"begun":      {Transfer: Transfer{TotalFiles: 3, TotalBytes: 100}, name: "Staging", noun: "file", kind: ofTransfer},
		"no totals":  {name: "Staging", noun: "file", kind: ofTransfer},
		"empty":      {Transfer: Transfer{Files: 1, TotalFiles: 3, Sent: 2048}, name: "Staging", noun: "file", kind: ofTransfer, rate: 1},
		"bytes":      {Transfer: Transfer{Bytes: 10 << 20, TotalBytes: 40 << 20}, name: "Checking", kind: ofBytes, rate: 5 << 20},
		"walk":       {Transfer: Transfer{Files: 123_456}, name: "Looking", noun: "file", kind: ofThings, rate: 90_000},
		"count":      {Transfer: Transfer{Files: 50_000, TotalFiles: 200_000}, name: "Checking", noun: "file", kind: ofThings, rate: 10_000},
		"wide name":  with(busy(), func(v *view) { v.name = "数据集上传" }),
		"long name":  with(busy(), func(v *view) { v.name = strings.Repeat("long", 60) }),
		"beyond":     with(busy(), func(v *view) { v.Bytes, v.InFlight = v.TotalBytes+5, math.MaxInt64 }),
		"negative":   with(busy(), func(v *view) { v.Bytes, v.Files, v.InFlight = -5, -1, -3 }),
	}
}

func TestFrameFits(t *testing.T) {
	for name, v := range views() {
		for width := range 260 {
			frame := v.frame(width)
			if got := pb.CellCount(frame); got > width {
				t.Errorf("%s: %d cells on a terminal of %d: %q", name, got, width, frame)
			}
			if strings.ContainsAny(frame, "\r\n\t\x1b") {
				t.Errorf("%s: %q is no plain line", name, frame)
			}
		}
	}
}

func TestFrames(t *testing.T) {
	var got strings.Builder
	for _, name := range []string{
		"busy", "retries", "stalled", "slow", "publishing", "complete", "begun", "no totals", "empty", "bytes", "walk", "count", "wide name", "beyond",
	} {
		fmt.Fprintf(&got, "%s\n", name)
		for _, width := range []int{40, 60, 80, 100, 140, 200} {
			fmt.Fprintf(&got, "%4d |%s|\n", width, views()[name].frame(width))
		}
		fmt.Fprintf(&got, "plain %s\n", views()[name].plain())
		fmt.Fprintf(&got, "   end %s\n\n", views()[name].report())
	}
	golden(t, "frames", got.String())
}

// The bar is full when everything is acknowledged, and only then; what is on
// the way is drawn lightly behind it.
func TestBar(t *testing.T) {
	for _, tt := range []struct {
		acknowledged, inFlight int64
		want                   string
	}{
		{0, 0, "[          ]"},
		{0, 250, "[--        ]"},
		{250, 250, "[==---     ]"},
		{990, 9, "[========= ]"},
		{990, 10, "[=========-]"},
		{999, 1, "[=========-]"},
		{1000, 0, "[==========]"},
		{1000, 50, "[==========]"},
		{-10, 0, "[          ]"},
	} {
		v := view{Transfer: Transfer{Bytes: tt.acknowledged, TotalBytes: 1000, InFlight: tt.inFlight}, kind: ofTransfer}
		if got := v.bar(12); got != tt.want {
			t.Errorf("%d acknowledged, %d in flight: %s, want %s", tt.acknowledged, tt.inFlight, got, tt.want)
		}
	}
}

func TestPercent(t *testing.T) {
	for _, tt := range []struct {
		state Transfer
		kind  kind
		want  string
	}{
		{Transfer{Bytes: 999, TotalBytes: 1000}, ofBytes, "99"},
		{Transfer{Bytes: 1000, TotalBytes: 1000}, ofBytes, "100"},
		{Transfer{Bytes: 1 << 61, TotalBytes: 1 << 62}, ofBytes, "50"},
		{Transfer{Bytes: 1500, TotalBytes: 1000}, ofBytes, "100"},
		{Transfer{Bytes: -1, TotalBytes: 1000}, ofBytes, "0"},
		{Transfer{Bytes: 5}, ofBytes, "unknown"},
		{Transfer{Bytes: 1000, TotalBytes: 1000, Files: 2, TotalFiles: 3}, ofTransfer, "99"}, // an empty file is missing
		{Transfer{Files: 2, TotalFiles: 3}, ofTransfer, "66"},
		{Transfer{Bytes: math.MaxInt64, TotalBytes: 1}, ofBytes, "100"},
		{Transfer{}, ofTransfer, "unknown"},
		{Transfer{Files: 2, TotalFiles: 3}, ofThings, "66"},
		{Transfer{Files: 2}, ofThings, "unknown"},
	} {
		got := "unknown"
		if percent, known := (view{Transfer: tt.state, kind: tt.kind}).percent(); known {
			got = fmt.Sprint(percent)
		}
		if got != tt.want {
			t.Errorf("%+v: %s percent, want %s", tt.state, got, tt.want)
		}
	}
}

func TestReport(t *testing.T) {
	full := Transfer{
		Files: 19_000, TotalFiles: 19_000, Bytes: 3000 << 20, TotalBytes: 3000 << 20, Sent: 1400 << 20,
		TakenOverFiles: 1000, TakenOverBytes: 30 << 20, Compressed: 2000 << 20, Retries: 3,
	}
	for _, tt := range []struct {
		state Transfer
		took  time.Duration
		want  string
	}{
		{full, 65 * time.Second, "Staging: 2.93 GiB, 19000 files in 1m5s (46.2 MiB/s), 1.37 GiB sent, 1.95 GiB compressed on the way, 3 retries, " +
			"1000 files (30.0 MiB) taken over"},
		{Transfer{Files: 1, Bytes: 100, Sent: 2000, Retries: 1}, 200 * time.Millisecond, "Staging: 100 B, 1 file in 200ms, 1.95 KiB sent, 1 retry"},
		{Transfer{TakenOverFiles: 1, TakenOverBytes: 5}, time.Second, "Staging: 1 file (5 B) taken over"},
		{Transfer{Files: 2, Sent: 1024}, 2 * time.Second, "Staging: 0 B, 2 files in 2s, 1.00 KiB sent"},
		{Transfer{}, time.Second, ""},
	} {
		v := view{Transfer: tt.state, name: "Staging", noun: "file", kind: ofTransfer, took: tt.took}
		if got := v.report(); got != tt.want {
			t.Errorf("report\n got %q\nwant %q", got, tt.want)
		}
	}
}

// One byte of exabytes that is missing leaves a cell empty.
func TestShare(t *testing.T) {
	for _, tt := range []struct {
		part, total int64
		want        int
	}{
		{1<<62 - 1, 1 << 62, 9},
		{1 << 62, 1 << 62, 10},
		{math.MinInt64, 1, 0},
		{math.MaxInt64, 1, 10},
	} {
		if got := share(tt.part, tt.total, 10); got != tt.want {
			t.Errorf("share(%d, %d) = %d cells of 10, want %d", tt.part, tt.total, got, tt.want)
		}
	}
}
