package run

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// maxKey is the length of a Kubernetes label value. jobs-manager itself takes 64
// characters, but a longer key would not be found again by its label.
const maxKey = 63

// NewKey returns a new idempotency key: 26 lower-case letters and digits with
// 130 random bits, valid as a label value and as part of an object's name.
func NewKey() string {
	return strings.ToLower(rand.Text())
}

// CheckKey reports why key cannot be an idempotency key: it has to be 1 to 63 of
// A-Z a-z 0-9 . _ - and to start and end with a letter or a digit (contract,
// cluster §2.2 and §2.4: it becomes the value of a label).
func CheckKey(key string) error {
	if key == "" {
		return fmt.Errorf("idempotency key is empty")
	}
	for _, c := range []byte(key) {
		if !isAlphanumeric(c) && !strings.ContainsRune("._-", rune(c)) {
			return fmt.Errorf("idempotency key %q: %q is not allowed; use letters, digits, \".\", \"_\" and \"-\"", key, c)
		}
	}
	if !isAlphanumeric(key[0]) || !isAlphanumeric(key[len(key)-1]) {
		return fmt.Errorf("idempotency key %q: it must start and end with a letter or a digit", key)
	}
	if len(key) > maxKey {
		return fmt.Errorf("idempotency key %q: it has %d characters, at most %d are allowed", key, len(key), maxKey)
	}
	return nil
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
