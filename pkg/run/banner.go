package run

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Banner is the summary that the ingestor prints after it has registered a
// dataset (contract, ingestor §3.4). A nil count is one that was not printed.
type Banner struct {
	IngestorID string `json:"ingestorID,omitempty"`
	// Table is the physical table. Only newer ingestors print it; it can differ
	// from the spec's table.
	Table string `json:"table,omitempty"`

	Total        *int64 `json:"total,omitempty"`        // Total Records Found
	Processed    *int64 `json:"processed,omitempty"`    // Successfully Processed
	Inserted     *int64 `json:"inserted,omitempty"`     // Inserted to Database
	Sent         *int64 `json:"sent,omitempty"`         // Sent to API
	Skipped      *int64 `json:"skipped,omitempty"`      // Skipped Records
	FileFailures *int64 `json:"fileFailures,omitempty"` // File Transfer Failures
	DBFailures   *int64 `json:"dbFailures,omitempty"`   // Failed DB Insertion
	SendFailures *int64 `json:"sendFailures,omitempty"` // Failed to Send to API

	// Status is the ingestor's closing sentence. It is shown, never trusted: it
	// says "successfully" of zero records, and nothing of skipped ones.
	Status string `json:"status,omitempty"`
}

// Records returns the counts in the form that is printed.
func (b *Banner) Records() *RecordsStatus {
	return &RecordsStatus{
		Total:                b.Total,
		Processed:            b.Processed,
		Inserted:             b.Inserted,
		Sent:                 b.Sent,
		Skipped:              b.Skipped,
		FileTransferFailures: b.FileFailures,
		FailedInsertion:      b.DBFailures,
		FailedSend:           b.SendFailures,
	}
}

// bannerReader collects the lines between a banner's title and its closing rule.
type bannerReader struct {
	banner *Banner
	open   bool
	filled bool // a known line was read, so the next double rule is the closing one
}

// maxField bounds a text that is kept out of a banner.
const maxField = 256

// read takes one line without escape sequences and reports whether it belonged
// to a banner.
func (r *bannerReader) read(text string) bool {
	text = strings.TrimSpace(text)
	if isTitle(text) {
		// A later attempt prints its own banner: the last one counts.
		*r = bannerReader{banner: &Banner{}, open: true}
		return true
	}
	if !r.open {
		return false
	}
	switch {
	case strings.HasPrefix(text, "══"):
		r.open = !r.filled
	case strings.Contains(text, "Ingestion completed"):
		r.banner.Status = shorten(text, maxField)
		r.filled = true
	default:
		return r.field(text)
	}
	return true
}

func isTitle(text string) bool {
	return strings.HasSuffix(strings.TrimRightFunc(text, notLetter), "INGESTION SUMMARY") && !isRecord(text)
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// field reads one "label: value" line. Unknown labels are left alone: newer
// ingestors add lines.
func (r *bannerReader) field(text string) bool {
	label, value, found := strings.Cut(text, ":")
	if !found {
		return false
	}
	label = normalLabel(label)
	value = strings.TrimSpace(value)
	b := r.banner
	switch label {
	case "ingestor id":
		b.IngestorID = shorten(value, maxField)
	case "destination table":
		b.Table = shorten(value, maxField)
	default:
		count, known := b.counts()[label]
		if !known {
			return false
		}
		// An unreadable number must not keep the value of an earlier line.
		*count = nil
		if n, ok := parseCount(value); ok {
			*count = &n
		}
	}
	r.filled = true
	return true
}

func (b *Banner) counts() map[string]**int64 {
	return map[string]**int64{
		"total records found":    &b.Total,
		"successfully processed": &b.Processed,
		"inserted to database":   &b.Inserted,
		"sent to api":            &b.Sent,
		"skipped records":        &b.Skipped,
		"file transfer failures": &b.FileFailures,
		"failed db insertion":    &b.DBFailures,
		"failed to send to api":  &b.SendFailures,
	}
}

// normalLabel drops the pictograms in front of a label (with their variation
// selectors), letter case and repeated spaces.
func normalLabel(label string) string {
	label = strings.TrimLeftFunc(label, notLetter)
	return strings.ToLower(strings.Join(strings.Fields(label), " "))
}

// parseCount reads a whole number of zero or more, plain or with thousands
// separators: comma, dot, underscore, apostrophe, or a narrow or non-breaking
// space. Words after the number are ignored.
func parseCount(text string) (int64, bool) {
	var n int64
	digits, group, separator := 0, 0, rune(0)
	for i, r := range text {
		switch {
		case r >= '0' && r <= '9':
			d := int64(r - '0')
			if n > (math.MaxInt64-d)/10 {
				return 0, false
			}
			n = n*10 + d
			digits++
			group++
			if separator != 0 && group > 3 {
				return 0, false
			}
		case isThousands(r) && startsWithDigit(text[i+utf8.RuneLen(r):]):
			firstOK := separator == 0 && group >= 1 && group <= 3
			nextOK := separator == r && group == 3
			if !firstOK && !nextOK {
				return 0, false
			}
			separator, group = r, 0
		case unicode.IsSpace(r):
			return n, complete(digits, group, separator)
		default:
			return 0, false
		}
	}
	return n, complete(digits, group, separator)
}

func complete(digits, group int, separator rune) bool {
	return digits > 0 && (separator == 0 || group == 3)
}

func isThousands(r rune) bool {
	switch r {
	case ',', '.', '_', '\'', '\u00a0', '\u2009', '\u202f':
		return true
	}
	return false
}

func startsWithDigit(text string) bool {
	return text != "" && text[0] >= '0' && text[0] <= '9'
}
