package provider

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// The bounds of a Standard Webhooks request.
const (
	// timestampTolerance is how far the signed timestamp may be from the time of
	// receipt, either way and inclusive; the reference libraries have the same.
	timestampTolerance = 5 * time.Minute
	// maxTimestampDigits ends in the year 33658, far from where times overflow.
	maxTimestampDigits = 12
	// maxSignatures and maxSignatureHeader bound the work that an unauthentic
	// request can cause. A sender has two or three secrets at once when it rotates.
	maxSignatures      = 16
	maxSignatureHeader = 4096 // bytes
)

// standardSecretPrefix begins every symmetric secret; the rest is base64.
const standardSecretPrefix = "whsec_"

// The bounds of a key, in bytes. The specification asks for 24 at least, but
// Svix's own documentation shows one of 18.
const (
	minStandardKey = 16
	maxStandardKey = 64
)

// standardFamilies are the prefixes of the three headers: Svix's own, and the
// neutral one that senders may switch to.
var standardFamilies = []string{"Svix-", "Webhook-"}

// standardWebhooks is the scheme of Standard Webhooks, with svix-* or webhook-* headers.
type standardWebhooks struct{}

// Verify checks the signature.
func (standardWebhooks) Verify(r *Request, secrets []string) error { return verifyStandard(r, secrets) }

// VerifyHead checks the timestamp, and the form of the other headers.
func (standardWebhooks) VerifyHead(r *Request, _ []string) error {
	_, _, err := readStandard(r)
	return err
}

// SignsBody gives true.
func (standardWebhooks) SignsBody() bool { return true }

// Scheme says that id, time and body are signed.
func (standardWebhooks) Scheme() string {
	return "a Standard Webhooks signature: HMAC-SHA256 of id, timestamp and raw body, the timestamp within 5 minutes"
}

// NewSecret gives a secret as Svix makes them.
func (standardWebhooks) NewSecret(random [24]byte) string {
	return standardSecretPrefix + base64.StdEncoding.EncodeToString(random[:])
}

// CheckSecret takes "whsec_" and the base64 of 16 to 64 bytes.
func (standardWebhooks) CheckSecret(secret string) error {
	_, err := standardKey(secret)
	return err
}

// Sign sets the three svix-* headers.
func (standardWebhooks) Sign(r *Request, secret, id string) { signStandard(r, secret, id) }

// standardWebhookID gives the id in the headers, empty where there is none that can be one.
func standardWebhookID(header map[string][]string) string {
	headers, _ := readStandardHeaders(header) // no headers, no id
	return usableWebhookID(headers.id)
}

// standardHeaders are the three headers, as the sender wrote them.
type standardHeaders struct {
	id, timestamp, signature string
}

// verifyStandard checks a request by Standard Webhooks 1.0.0, "Signature scheme",
// symmetric signatures (v1) only.
func verifyStandard(r *Request, secrets []string) error {
	headers, signatures, err := readStandard(r)
	if err != nil {
		return err
	}
	return tryAll(secrets, func(secret string) bool {
		key, err := standardKey(secret)
		return err == nil && holds(signatures, headers.sign(key, r.Body))
	})
}

// readStandard gives the headers and the signatures in them, once all that needs
// no body has been checked.
func readStandard(r *Request) (headers standardHeaders, signatures [][]byte, err error) {
	if headers, err = readStandardHeaders(r.Header); err != nil {
		return headers, nil, err
	}
	if err := checkTimestamp(headers.timestamp, r.At, timestampTolerance); err != nil {
		return headers, nil, err
	}
	signatures, err = parseSignatures(headers.signature)
	return headers, signatures, err
}

// signStandard signs a request as Svix does.
func signStandard(r *Request, secret, id string) {
	key, err := standardKey(secret)
	if err != nil {
		// A secret of another form signs what no receiver takes: the tool that
		// plays the sender gets the answer that such a sender would get.
		key = []byte(secret)
	}
	headers := standardHeaders{id: id, timestamp: strconv.FormatInt(r.At.Unix(), 10)}
	signature := base64.StdEncoding.EncodeToString(headers.sign(key, r.Body))
	r.setHeader("Svix-Id", headers.id)
	r.setHeader("Svix-Timestamp", headers.timestamp)
	r.setHeader("Svix-Signature", "v1,"+signature)
}

// sign authenticates the header texts as they came: a number that was formatted
// again would make two texts of one signature.
func (h standardHeaders) sign(key, body []byte) []byte {
	return authenticate(key, []byte(h.id+"."+h.timestamp+"."), body)
}

// readStandardHeaders takes the headers of the one family that is there.
func readStandardHeaders(header map[string][]string) (headers standardHeaders, err error) {
	family, err := standardFamily(header)
	if err != nil {
		return standardHeaders{}, err
	}
	for _, part := range []struct {
		name string
		text *string
	}{
		{"Id", &headers.id},
		{"Timestamp", &headers.timestamp},
		{"Signature", &headers.signature},
	} {
		if *part.text, err = single(header[family+part.name]); err != nil {
			return standardHeaders{}, err
		}
	}
	// A full stop in the id would let the same signature cover another split of
	// id, timestamp and body; the specification forbids it.
	if strings.Contains(headers.id, ".") {
		return standardHeaders{}, ErrCredentialUnfit
	}
	return headers, nil
}

func standardFamily(header map[string][]string) (family string, err error) {
	for _, prefix := range standardFamilies {
		if len(header[prefix+"Id"])+len(header[prefix+"Timestamp"])+len(header[prefix+"Signature"]) == 0 {
			continue
		}
		if family != "" {
			return "", ErrCredentialUnfit
		}
		family = prefix
	}
	if family == "" {
		return "", ErrCredentialMissing
	}
	return family, nil
}

// checkTimestamp takes Unix seconds in their one canonical form.
func checkTimestamp(text string, now time.Time, tolerance time.Duration) error {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || len(text) > maxTimestampDigits || strconv.FormatInt(seconds, 10) != text {
		return ErrCredentialUnfit
	}
	switch age := now.Sub(time.Unix(seconds, 0)); {
	case age > tolerance:
		return ErrTimestampTooOld
	case age < -tolerance:
		return ErrTimestampTooNew
	}
	return nil
}

// strictBase64 takes one text only for each signature.
var strictBase64 = base64.StdEncoding.Strict()

// parseSignatures gives the v1 entries of the space-separated list. Entries of
// other versions, and entries that are not base64, are passed over: a sender may
// add them beside a good one.
func parseSignatures(header string) ([][]byte, error) {
	if len(header) > maxSignatureHeader || strings.Count(header, " ") >= maxSignatures {
		return nil, ErrCredentialUnfit
	}
	var signatures [][]byte
	for entry := range strings.SplitSeq(header, " ") {
		encoded, isV1 := strings.CutPrefix(entry, "v1,")
		if !isV1 {
			continue
		}
		signature, err := strictBase64.DecodeString(encoded)
		if err == nil && len(signature) > 0 {
			signatures = append(signatures, signature)
		}
	}
	if len(signatures) == 0 {
		return nil, ErrCredentialUnfit
	}
	return signatures, nil
}

// holds compares with every signature, in constant time.
func holds(signatures [][]byte, want []byte) (found bool) {
	for _, signature := range signatures {
		found = hmac.Equal(signature, want) || found
	}
	return found
}

// standardKey gives the key of a secret.
func standardKey(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, standardSecretPrefix)
	if !ok {
		return nil, errors.New("the secret does not begin with " + standardSecretPrefix)
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case err != nil:
		return nil, errors.New("the secret is not base64 after " + standardSecretPrefix)
	case len(key) < minStandardKey || len(key) > maxStandardKey:
		return nil, errors.New("the secret does not hold 16 to 64 bytes after " + standardSecretPrefix)
	}
	return key, nil
}
