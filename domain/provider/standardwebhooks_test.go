package provider_test

import (
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// The first vector of the Standard Webhooks libraries; Runa documents it too.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTimestamp = "1614265330"
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	wrongSignature  = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
)

// vector gives the request of the first vector, with its headers in a family.
func vector(family string) *provider.Request {
	return &provider.Request{
		Header: map[string][]string{
			family + "Id":        {vectorID},
			family + "Timestamp": {vectorTimestamp},
			family + "Signature": {vectorSignature},
		},
		Body: []byte(vectorBody),
		At:   now,
	}
}

// The published vectors are authentic, under either family of headers.
func TestStandardWebhooksVectors(t *testing.T) {
	t.Parallel()
	require.NoError(t, provider.Runa{}.Verify(vector("Svix-"), []string{vectorSecret}))
	require.NoError(t, provider.Runa{}.Verify(vector("Webhook-"), []string{vectorSecret}))

	second := &provider.Request{
		Header: map[string][]string{
			"Svix-Id":        {"msg_loFOjxBNrRLzqYUf"},
			"Svix-Timestamp": {"1731705121"},
			"Svix-Signature": {"v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="},
		},
		Body: []byte(`{"event_type":"ping","data":{"success":true}}`),
		At:   time.Unix(1731705121, 0),
	}
	require.NoError(t, provider.Runa{}.Verify(second, []string{"whsec_plJ3nmyCDGBKInavdOK15jsl"}))
}

// Signing gives the vector's own signature.
func TestStandardWebhooksSign(t *testing.T) {
	t.Parallel()
	r := &provider.Request{Body: []byte(vectorBody), At: now}
	provider.Runa{}.Sign(r, vectorSecret, vectorID)
	require.Equal(t, vector("Svix-").Header, r.Header)
}

// Of the list of signatures one good one is enough, whatever stands beside it; a
// list without one, or one that is no sender's, is not.
func TestStandardWebhooksSignatureList(t *testing.T) {
	t.Parallel()
	for signature, want := range map[string]error{
		vectorSignature: nil,
		"v1,bad v2,bad " + vectorSignature + " v1,bad":                        nil,
		wrongSignature + " " + vectorSignature:                                nil,
		"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5B " + vectorSignature: nil,
		strings.Repeat("v2,bad ", 15) + vectorSignature:                       nil,

		wrongSignature: provider.ErrCredentialWrong,
		"v1,":          provider.ErrCredentialUnfit,
		"v1":           provider.ErrCredentialUnfit,
		"":             provider.ErrCredentialMissing,
		strings.Replace(vectorSignature, "v1,", "v2,", 1):    provider.ErrCredentialUnfit,
		strings.Replace(vectorSignature, "v1,", "", 1):       provider.ErrCredentialUnfit,
		strings.TrimSuffix(vectorSignature, "="):             provider.ErrCredentialUnfit,
		strings.Repeat("v2,bad ", 16) + vectorSignature:      provider.ErrCredentialUnfit,
		vectorSignature + " v2," + strings.Repeat("A", 4096): provider.ErrCredentialUnfit,
	} {
		r := vector("Svix-")
		r.Header["Svix-Signature"] = []string{signature}
		require.ErrorIs(t, provider.Runa{}.Verify(r, []string{vectorSecret}), want, signature)
	}
}

// Each of the three headers must be there exactly once, and all of one family:
// anything else leaves open which of them was signed.
func TestStandardWebhooksHeaders(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Svix-Id", "Svix-Timestamp", "Svix-Signature"} {
		missing := vector("Svix-")
		delete(missing.Header, name)
		require.ErrorIs(t, provider.Runa{}.Verify(missing, []string{vectorSecret}), provider.ErrCredentialMissing, name)

		empty := vector("Svix-")
		empty.Header[name] = []string{""}
		require.ErrorIs(t, provider.Runa{}.Verify(empty, []string{vectorSecret}), provider.ErrCredentialMissing, name)

		repeated := vector("Svix-")
		repeated.Header[name] = append(repeated.Header[name], repeated.Header[name][0])
		require.ErrorIs(t, provider.Runa{}.Verify(repeated, []string{vectorSecret}), provider.ErrCredentialRepeated, name)

		mixed := vector("Svix-")
		mixed.Header["Webhook-"+strings.TrimPrefix(name, "Svix-")] = mixed.Header[name]
		delete(mixed.Header, name)
		require.ErrorIs(t, provider.Runa{}.Verify(mixed, []string{vectorSecret}), provider.ErrCredentialUnfit, name)
	}
	both := vector("Svix-")
	maps.Copy(both.Header, vector("Webhook-").Header)
	require.ErrorIs(t, provider.Runa{}.Verify(both, []string{vectorSecret}), provider.ErrCredentialUnfit)
}

// A request is taken up to five minutes either way, inclusive.
func TestStandardWebhooksTolerance(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]error{
		0:                                  nil,
		300 * time.Second:                  nil,
		-300 * time.Second:                 nil,
		300*time.Second + time.Nanosecond:  provider.ErrTimestampTooOld,
		301 * time.Second:                  provider.ErrTimestampTooOld,
		-300*time.Second - time.Nanosecond: provider.ErrTimestampTooNew,
		-301 * time.Second:                 provider.ErrTimestampTooNew,
	} {
		r := vector("Svix-")
		r.At = now.Add(age)
		require.ErrorIs(t, provider.Runa{}.Verify(r, []string{vectorSecret}), want, age)
	}
}

// A timestamp has one form. Another one would be signed text that means the same
// time, and a reader that formats it again would check another text.
func TestStandardWebhooksTimestampForm(t *testing.T) {
	t.Parallel()
	for _, timestamp := range []string{
		"+1614265330", "01614265330", "1614265330.0", " 1614265330", "1614265330 ", "-1", "0x60380a72",
		"1.614265330e9", "1614265330000", strconv.FormatInt(1<<62, 10), "99999999999999999999", "NaN", "١٦١٤٢٦٥٣٣٠",
	} {
		r := &provider.Request{Body: []byte(vectorBody), At: now}
		provider.Runa{}.Sign(r, vectorSecret, vectorID)
		r.Header["Svix-Timestamp"] = []string{timestamp}
		require.ErrorIs(t, provider.Runa{}.Verify(r, []string{vectorSecret}), provider.ErrCredentialUnfit, timestamp)
	}
}

// An id with a full stop could move the border between id, timestamp and body
// without breaking the signature.
func TestStandardWebhooksIDWithoutFullStop(t *testing.T) {
	t.Parallel()
	r := &provider.Request{Body: []byte(vectorBody), At: now}
	provider.Runa{}.Sign(r, vectorSecret, "msg.1")
	require.ErrorIs(t, provider.Runa{}.Verify(r, []string{vectorSecret}), provider.ErrCredentialUnfit)
}

// The signature covers the id, the timestamp and every byte of the body.
func TestStandardWebhooksCoversEverything(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*provider.Request){
		"id":        func(r *provider.Request) { r.Header["Svix-Id"] = []string{vectorID + "x"} },
		"timestamp": func(r *provider.Request) { r.Header["Svix-Timestamp"] = []string{"1614265331"} },
		"body":      func(r *provider.Request) { r.Body = []byte(`{"test":2432232314}`) },
		"no body":   func(r *provider.Request) { r.Body = nil },
	} {
		r := vector("Svix-")
		change(r)
		require.ErrorIs(t, provider.Runa{}.Verify(r, []string{vectorSecret}), provider.ErrCredentialWrong, name)
	}
}
