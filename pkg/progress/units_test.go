package progress

import (
	"math"
	"testing"
	"time"
)

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 17: "17 B", 1023: "1023 B", 1024: "1.00 KiB", 1536: "1.50 KiB", -1536: "-1.50 KiB", -17: "-17 B",
		1 << 20: "1.00 MiB", 12_900_000: "12.3 MiB", 999 << 20: "999 MiB", 1000 << 20: "0.98 GiB", 1023 << 10: "1.00 MiB",
		1 << 30: "1.00 GiB", 1 << 62: "4.00 EiB", math.MaxInt64: "8.00 EiB", math.MinInt64: "-8.00 EiB",
		10230: "9.99 KiB", 10239: "10.0 KiB", 102399: "100 KiB", -102399: "-100 KiB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 340*time.Millisecond + 400*time.Microsecond: "340ms", 2123 * time.Millisecond: "2.1s", 200 * time.Second: "3m20s",
		time.Hour + 1499*time.Millisecond: "1h0m1s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestRate(t *testing.T) {
	for _, tt := range []struct {
		n    int64
		took time.Duration
		want string
	}{
		{40 << 20, 24 * time.Second, "1.67 MiB/s"},
		{10, 4 * time.Second, "2 B/s"},
		{0, time.Second, "0 B/s"},
		{1 << 20, 100 * time.Millisecond, "10.0 MiB/s"},
		{math.MaxInt64, time.Nanosecond, "8.00 EiB/s"},
		{1 << 20, 0, ""},
		{1 << 20, -time.Second, ""},
	} {
		if got := Rate(tt.n, tt.took); got != tt.want {
			t.Errorf("Rate(%d, %v) = %q, want %q", tt.n, tt.took, got, tt.want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 999 * time.Millisecond: "0s", 59*time.Second + 999*time.Millisecond: "59s", time.Minute: "1m00s", 200 * time.Second: "3m20s",
		2*time.Hour + 5*time.Minute + 59*time.Second: "2h05m", 47*time.Hour + 59*time.Minute: "47h59m", 48 * time.Hour: "2d",
		99 * 24 * time.Hour: "99d", longest: ">99d", math.MaxInt64: ">99d",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestETA(t *testing.T) {
	for _, tt := range []struct {
		remaining int64
		rate      float64
		want      string
	}{
		{100, 10, "10s"},
		{101, 10, "11s"}, // rounded up: nothing is ready before it is
		{1, 1e9, "1s"},
		{0, 10, "0s"},
		{-5, 10, "0s"},
		{1 << 40, 1 << 20, "12d"},
		{math.MaxInt64, 1, ">99d"},
		{math.MaxInt64, 1e-300, ">99d"},
		{100, 0, "unknown"},
		{100, -1, "unknown"},
		{100, math.NaN(), "unknown"},
		{100, math.Inf(1), "0s"},
	} {
		got := "unknown"
		if left, ok := eta(tt.remaining, tt.rate); ok {
			got = span(left)
		}
		if got != tt.want {
			t.Errorf("eta(%d, %g) = %s, want %s", tt.remaining, tt.rate, got, tt.want)
		}
	}
}
