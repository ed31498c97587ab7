package dataset

import (
	"testing"
	"unicode/utf8"
)

func TestUTF8Checker(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]int64{
		"":                        -1,
		"plain":                   -1,
		"é€😀":                     -1,
		"ab\xff":                  2,
		"é\xc3":                   2,
		"é\xc3(":                  2,
		"\xed\xa0\x80":            0, // a surrogate
		"x\xc0\x80":               1, // overlong
		"\xf0\x9f\x98":            0,
		"ok\xf0\x9f\x98\x80\x80z": 6,
		"caf\xe9 au lait":         3,
	} {
		for block := 1; block <= 5; block++ {
			if got := invalidUTF8(input, block); got != want {
				t.Errorf("blocks of %d: first invalid byte of %q at %d, want %d", block, input, got, want)
			}
		}
	}
}

// invalidUTF8 is -1 for valid input.
func invalidUTF8(input string, block int) int64 {
	var c UTF8Checker
	for b := []byte(input); len(b) > 0; {
		n := min(block, len(b))
		_, _ = c.Write(b[:n])
		b = b[n:]
	}
	offset, bad := c.Invalid()
	if !bad {
		return -1
	}
	return offset
}

func FuzzUTF8Checker(f *testing.F) {
	f.Add("é€😀\xff", uint8(1))
	f.Add("\xf0\x9f\x98", uint8(2))
	f.Fuzz(func(t *testing.T, input string, block uint8) {
		got := invalidUTF8(input, int(block)%7+1)
		if (got < 0) != utf8.ValidString(input) {
			t.Fatalf("first invalid byte of %q at %d, but valid is %v", input, got, utf8.ValidString(input))
		}
		if got >= 0 && (!utf8.ValidString(input[:got]) || utf8.ValidString(input[:got]+input[got:])) {
			t.Errorf("%q is not valid up to byte %d", input, got)
		}
	})
}
