package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// The schemes that a [Signature] can have.
const (
	SchemeStandardWebhooks = "standard-webhooks"
	SchemeHMAC             = "hmac"
	SchemeTimestampedHMAC  = "timestamped-hmac"
	SchemeHeader           = "header"
	SchemeBasic            = "basic"
)

// The encodings of an HMAC.
const (
	EncodingHex    = "hex"
	EncodingBase64 = "base64"
)

// Signature says how a mapped provider shows that it is the sender. What a scheme has no
// use for must be empty.
type Signature struct {
	Scheme    string        `yaml:"scheme" help:"standard-webhooks; hmac: of the raw body, in a header; timestamped-hmac: of a time and the raw body, both in a header of parts, as Stripe has it; header: a secret in a header; basic: basic authentication, the secret is user:password."`
	Header    string        `yaml:"header" help:"Header of the schemes hmac, timestamped-hmac and header."`
	Prefix    string        `yaml:"prefix" help:"What stands in that header before an HMAC, or before a secret and is no part of it."`
	Encoding  string        `yaml:"encoding" help:"hex or base64: how an HMAC is written."`
	Timestamp string        `yaml:"timestamp" help:"timestamped-hmac: name of the part that is the time in Unix seconds; t where it is left out."`
	Value     string        `yaml:"signature" help:"timestamped-hmac: name of the parts that are HMACs; v1 where it is left out."`
	Separator string        `yaml:"separator" help:"timestamped-hmac: what stands between two parts; a comma where it is left out."`
	Joint     string        `yaml:"joint" help:"timestamped-hmac: what is signed between time and body; a full stop where it is left out."`
	Tolerance time.Duration `yaml:"tolerance" help:"timestamped-hmac: how far the time may be from that of receipt, up to 1h; 5m where it is left out."`
}

// maxTolerance is how long a request that somebody recorded may be good for.
const maxTolerance = time.Hour

// signatory is what a scheme does of the work of a [Provider].
type signatory interface {
	Verify(r *Request, secrets []string) error
	VerifyHead(r *Request, secrets []string) error
	SignsBody() bool
	Scheme() string
	NewSecret(random [24]byte) string
	CheckSecret(secret string) error
	Sign(r *Request, secret, id string)
}

// signatory gives the scheme, for a signature that check has found right.
func (s *Signature) signatory() signatory {
	header := textproto.CanonicalMIMEHeaderKey(s.Header)
	mac := macForm{prefix: s.Prefix, base64: s.Encoding == EncodingBase64}
	switch s.Scheme {
	case SchemeHMAC:
		return signedBody{plainSecret{}, header, mac}
	case SchemeTimestampedHMAC:
		return signedTime{
			header: header, mac: mac, timestamp: orElse(s.Timestamp, "t"), value: orElse(s.Value, "v1"),
			separator: orElse(s.Separator, ","), joint: orElse(s.Joint, "."), tolerance: orElse(s.Tolerance, timestampTolerance),
		}
	case SchemeHeader:
		return sentSecret{plainSecret{}, header, s.Prefix}
	case SchemeBasic:
		return basicSecret{}
	}
	return standardWebhooks{}
}

func orElse[T comparable](value, otherwise T) T {
	var none T
	if value == none {
		return otherwise
	}
	return value
}

// check gives what is wrong with the signature, nil where nothing is.
func (s *Signature) check() error {
	const at = "signature."
	isHMAC := s.Scheme == SchemeHMAC || s.Scheme == SchemeTimestampedHMAC
	isTimestamped := s.Scheme == SchemeTimestampedHMAC
	hasHeader := isHMAC || s.Scheme == SchemeHeader
	return firstError(
		oneOf(at+"scheme", s.Scheme, SchemeStandardWebhooks, SchemeHMAC, SchemeTimestampedHMAC, SchemeHeader, SchemeBasic),
		require(!hasHeader || isHeaderName(s.Header), at+"header", "write the name of the header that holds it, such as X-Signature", "it is no name of a header"),
		unused(hasHeader, at+"header", s.Header, s.Scheme),
		unused(hasHeader, at+"prefix", s.Prefix, s.Scheme),
		unused(isHMAC, at+"encoding", s.Encoding, s.Scheme),
		unused(isTimestamped, at+"timestamp", s.Timestamp, s.Scheme),
		unused(isTimestamped, at+"signature", s.Value, s.Scheme),
		unused(isTimestamped, at+"separator", s.Separator, s.Scheme),
		unused(isTimestamped, at+"joint", s.Joint, s.Scheme),
		require(isTimestamped || s.Tolerance == 0, at+"tolerance", "leave it out", "the scheme %s has no use for it", s.Scheme),
		require(s.Tolerance <= maxTolerance, at+"tolerance", "write a duration up to 1h", "%s is too long", s.Tolerance),
		require(!isTimestamped || orElse(s.Timestamp, "t") != orElse(s.Value, "v1"), at+"signature", "name two parts", "it is the part of the time too"),
		when(isHMAC, oneOf(at+"encoding", s.Encoding, EncodingHex, EncodingBase64)),
	)
}

func unused(used bool, key, value, scheme string) error {
	return require(used || value == "", key, "leave it out", "the scheme %s has no use for it", scheme)
}

// isHeaderName tells whether a text is a token of RFC 9110.
func isHeaderName(text string) bool {
	other := func(r rune) bool {
		isLetter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		return !isLetter && !isDigit(byte(r)) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r) || r > '~'
	}
	return text != "" && len(text) <= maxWord && !strings.ContainsFunc(text, other)
}

// plainSecret is a secret that is used as it stands.
type plainSecret struct{}

// NewSecret gives 48 hex digits.
func (plainSecret) NewSecret(random [24]byte) string { return hex.EncodeToString(random[:]) }

// CheckSecret takes any text without control characters or surrounding space.
func (plainSecret) CheckSecret(secret string) error { return checkPlain(secret) }

// macForm is how an HMAC-SHA256 is written.
type macForm struct {
	prefix string
	base64 bool
}

func (f macForm) read(text string) ([]byte, error) {
	encoded, prefixed := strings.CutPrefix(text, f.prefix)
	decode := hex.DecodeString
	if f.base64 {
		decode = strictBase64.DecodeString
	}
	mac, err := decode(encoded)
	if !prefixed || err != nil || len(mac) != sha256.Size {
		return nil, ErrCredentialUnfit
	}
	return mac, nil
}

func (f macForm) write(mac []byte) string {
	if f.base64 {
		return f.prefix + base64.StdEncoding.EncodeToString(mac)
	}
	return f.prefix + hex.EncodeToString(mac)
}

func (f macForm) String() string {
	if f.base64 {
		return "in base64"
	}
	return "in hex"
}

// signedBody is an HMAC of the raw body in a header.
type signedBody struct {
	plainSecret
	header string
	mac    macForm
}

// Verify compares the HMAC.
func (s signedBody) Verify(r *Request, secrets []string) error {
	signature, err := s.signature(r)
	if err != nil {
		return err
	}
	return tryAll(secrets, func(secret string) bool {
		return hmac.Equal(signature, authenticate([]byte(secret), r.Body))
	})
}

// VerifyHead checks the form of the HMAC.
func (s signedBody) VerifyHead(r *Request, _ []string) error {
	_, err := s.signature(r)
	return err
}

func (s signedBody) signature(r *Request) ([]byte, error) {
	text, err := single(r.Header[s.header])
	if err != nil {
		return nil, err
	}
	return s.mac.read(text)
}

// SignsBody gives true.
func (signedBody) SignsBody() bool { return true }

// Scheme says that the body is signed.
func (s signedBody) Scheme() string {
	return fmt.Sprintf("the HMAC-SHA256 of the raw body in the header %s, %s", s.header, s.mac)
}

// Sign sets the header.
func (s signedBody) Sign(r *Request, secret, _ string) {
	r.setHeader(s.header, s.mac.write(authenticate([]byte(secret), r.Body)))
}

// signedTime is a header of named parts: a time, and HMACs of that and the raw body.
type signedTime struct {
	plainSecret
	header, timestamp, value, separator, joint string
	mac                                        macForm
	tolerance                                  time.Duration
}

// Verify compares each HMAC of the header.
func (s signedTime) Verify(r *Request, secrets []string) error {
	timestamp, signatures, err := s.read(r)
	if err != nil {
		return err
	}
	return tryAll(secrets, func(secret string) bool {
		return holds(signatures, s.authenticate(secret, timestamp, r.Body))
	})
}

// VerifyHead checks the time, and the form of the HMACs.
func (s signedTime) VerifyHead(r *Request, _ []string) error {
	_, _, err := s.read(r)
	return err
}

// authenticate takes the time as it was written: a number that was formatted again would
// make two texts of one signature.
func (s signedTime) authenticate(secret, timestamp string, body []byte) []byte {
	return authenticate([]byte(secret), []byte(timestamp+s.joint), body)
}

// read gives the time and the HMACs, once all that needs no body has been checked. Parts
// of other names are passed over, as are HMACs of another form: a sender may add them.
func (s signedTime) read(r *Request) (timestamp string, signatures [][]byte, err error) {
	text, err := single(r.Header[s.header])
	switch {
	case err != nil:
		return "", nil, err
	case len(text) > maxSignatureHeader || strings.Count(text, s.separator) >= maxSignatures:
		return "", nil, ErrCredentialUnfit
	}
	for part := range strings.SplitSeq(text, s.separator) {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == s.timestamp && timestamp != "":
			return "", nil, ErrCredentialUnfit
		case name == s.timestamp:
			timestamp = value
		case name == s.value:
			if signature, err := s.mac.read(value); err == nil {
				signatures = append(signatures, signature)
			}
		}
	}
	if len(signatures) == 0 {
		return "", nil, ErrCredentialUnfit
	}
	return timestamp, signatures, checkTimestamp(timestamp, r.At, s.tolerance)
}

// SignsBody gives true.
func (signedTime) SignsBody() bool { return true }

// Scheme says that time and body are signed.
func (s signedTime) Scheme() string {
	return fmt.Sprintf("the HMAC-SHA256 of timestamp and raw body in the part %s of the header %s, %s, the timestamp within %s",
		s.value, s.header, s.mac, s.tolerance)
}

// Sign sets the header.
func (s signedTime) Sign(r *Request, secret, _ string) {
	timestamp := strconv.FormatInt(r.At.Unix(), 10)
	signature := s.mac.write(s.authenticate(secret, timestamp, r.Body))
	r.setHeader(s.header, s.timestamp+"="+timestamp+s.separator+s.value+"="+signature)
}

// sentSecret is a secret that is sent in a header.
type sentSecret struct {
	plainSecret
	header, prefix string
}

// Verify compares the header with each secret.
func (s sentSecret) Verify(r *Request, secrets []string) error {
	text, err := single(r.Header[s.header])
	if err != nil {
		return err
	}
	presented, prefixed := strings.CutPrefix(text, s.prefix)
	if !prefixed {
		return ErrCredentialUnfit
	}
	return tryAll(secrets, func(secret string) bool { return sameText(presented, secret) })
}

// VerifyHead is Verify, which needs no body.
func (s sentSecret) VerifyHead(r *Request, secrets []string) error { return s.Verify(r, secrets) }

// SignsBody gives false: the secret itself is sent.
func (sentSecret) SignsBody() bool { return false }

// Scheme says that the header is a shared secret.
func (s sentSecret) Scheme() string {
	return "the header " + s.header + ", compared with the configured values"
}

// Sign sets the header.
func (s sentSecret) Sign(r *Request, secret, _ string) { r.setHeader(s.header, s.prefix+secret) }

// basicSecret is a user and a password, with a colon between, that are sent by basic
// authentication.
type basicSecret struct{}

// Verify compares user and password with each secret.
func (basicSecret) Verify(r *Request, secrets []string) error {
	authorization, err := single(r.Header[authorizationHeader])
	if err != nil {
		return err
	}
	pair, err := basicPair(authorization)
	if err != nil {
		return err
	}
	return tryAll(secrets, func(secret string) bool { return sameText(pair, secret) })
}

// VerifyHead is Verify, which needs no body.
func (s basicSecret) VerifyHead(r *Request, secrets []string) error { return s.Verify(r, secrets) }

// SignsBody gives false: the secret itself is sent.
func (basicSecret) SignsBody() bool { return false }

// Scheme says that user and password are compared.
func (basicSecret) Scheme() string {
	return "user and password of basic authentication, compared with the configured values"
}

// NewSecret gives a user and a password.
func (basicSecret) NewSecret(random [24]byte) string {
	return "ticketrail:" + hex.EncodeToString(random[:])
}

// CheckSecret takes user:password.
func (basicSecret) CheckSecret(secret string) error {
	if !strings.Contains(secret, ":") {
		return errors.New("the secret is not user:password")
	}
	return checkPlain(secret)
}

// Sign sets the header Authorization.
func (basicSecret) Sign(r *Request, secret, _ string) {
	r.setHeader(authorizationHeader, "Basic "+base64.StdEncoding.EncodeToString([]byte(secret)))
}
