package provider

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"unicode"
)

// single gives the one value of a header or a query parameter.
func single(values []string) (string, error) {
	switch {
	case len(values) > 1:
		return "", ErrCredentialRepeated
	case len(values) == 0 || values[0] == "":
		return "", ErrCredentialMissing
	}
	return values[0], nil
}

// tryAll gives nil where a secret fits. It tries every one, so that the time it
// takes does not tell which of them fitted. An empty secret fits nothing:
// anybody could sign with it.
func tryAll(secrets []string, fits func(secret string) bool) error {
	err := ErrCredentialWrong
	for _, secret := range secrets {
		if secret != "" && fits(secret) {
			err = nil
		}
	}
	return err
}

// usualSecret is in bytes, and no limit.
const usualSecret = 128

// sameText compares in a time that tells neither the content nor the length.
func sameText(a, b string) bool {
	var room [usualSecret]byte
	x := sha256.Sum256(append(room[:0], a...))
	y := sha256.Sum256(append(room[:0], b...))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// basicPair gives what RFC 7617 sends: user and password, with a colon between.
func basicPair(authorization string) (string, error) {
	scheme, encoded, _ := strings.Cut(authorization, " ")
	pair, err := base64.StdEncoding.DecodeString(encoded)
	if !strings.EqualFold(scheme, "Basic") || err != nil || !bytes.Contains(pair, []byte(":")) {
		return "", ErrCredentialUnfit
	}
	return string(pair), nil
}

// authenticate gives the HMAC-SHA256 of the parts, one after the other.
func authenticate(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// checkPlain tells why a text cannot be a secret that is used as it stands.
func checkPlain(secret string) error {
	switch {
	case secret == "":
		return errors.New("the secret is empty")
	case strings.TrimSpace(secret) != secret:
		return errors.New("the secret begins or ends with white space")
	case strings.ContainsFunc(secret, unicode.IsControl):
		return errors.New("the secret holds a control character")
	}
	return nil
}

// setHeader sets a header of a request that may have none yet.
func (r *Request) setHeader(name, value string) {
	if r.Header == nil {
		r.Header = make(map[string][]string)
	}
	r.Header[name] = []string{value}
}
