package progress

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Bytes renders a size in binary units with three significant digits: 17 B,
// 1.50 KiB, 12.3 MiB, and 0.98 MiB for 1000 KiB. Below 1024 it is exact.
func Bytes(n int64) string {
	const units = "KMGTPE"
	if n < 1024 && n > -1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	value, unit := float64(n)/1024, 0
	// The limits are those of the rounding, so that no fourth digit appears.
	for math.Abs(value) >= 999.5 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	decimals := 2
	switch size := math.Abs(value); {
	case size >= 99.95:
		decimals = 0
	case size >= 9.995:
		decimals = 1
	}
	return fmt.Sprintf("%.*f %ciB", decimals, value, units[unit])
}

// Duration renders d for people: 340ms, 2.1s, 3m20s.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

// Rate renders n bytes in took as bytes per second: 1.67 MiB/s. It is empty
// when took is not positive.
func Rate(n int64, took time.Duration) string {
	if took <= 0 {
		return ""
	}
	return perSecond(float64(n) / took.Seconds())
}

func perSecond(rate float64) string { return Bytes(clamp(rate)) + "/s" }

// clamp makes an int64 of f, also where f is beyond the type.
func clamp(f float64) int64 {
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

// longest is more than anybody waits for; it keeps an estimate inside a
// time.Duration.
const longest = 100 * 24 * time.Hour

// span renders a waiting time in the unit that a person still follows: 20s,
// 3m20s, 2h05m, 4d, >99d.
func span(d time.Duration) string {
	switch d = d.Truncate(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	case d < longest:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	default:
		return ">99d"
	}
}

// eta is how long the remaining units take at rate units per second, in whole
// seconds and never zero while something remains. ok is false without a rate.
func eta(remaining int64, rate float64) (left time.Duration, ok bool) {
	if rate <= 0 || math.IsNaN(rate) {
		return 0, false
	}
	seconds := math.Ceil(float64(max(remaining, 0)) / rate)
	if seconds >= longest.Seconds() {
		return longest, true
	}
	return time.Duration(seconds) * time.Second, true
}

// plural renders n of a noun: 1 file, 2 files.
func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.FormatInt(n, 10) + " " + noun
}
