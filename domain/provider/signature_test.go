package provider_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// mapped gives a provider with a signature, whose webhooks mean little.
func mapped(t testing.TB, s provider.Signature) *provider.Mapped {
	t.Helper()
	p, err := provider.NewMapped(provider.Mapping{
		Name: "acme", Signature: s, Event: provider.Place{Path: paths(t, "type")}, Order: paths(t, "id"),
		Events: []provider.MappedEvent{{Name: "paid"}},
	})
	require.NoError(t, err)
	return p
}

func paths(t testing.TB, texts ...string) provider.Paths {
	t.Helper()
	all := make(provider.Paths, len(texts))
	for i, text := range texts {
		require.NoError(t, all[i].UnmarshalText([]byte(text)))
	}
	return all
}

// signatures are all schemes, with a request that a published vector, or else openssl,
// says is right.
var signatures = map[string]struct {
	signature         provider.Signature
	secret            string
	body              string
	header, value, at string
}{
	// RFC 4231, test case 2.
	"hex": {
		provider.Signature{Scheme: "hmac", Header: "x-signature", Encoding: "hex"}, "Jefe", "what do ya want for nothing?",
		"X-Signature", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "",
	},
	"hex with a prefix": {
		provider.Signature{Scheme: "hmac", Header: "X-Hub-Signature-256", Encoding: "hex", Prefix: "sha256="}, "Jefe", "what do ya want for nothing?",
		"X-Hub-Signature-256", "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "",
	},
	"base64": {
		provider.Signature{Scheme: "hmac", Header: "X-Shopify-Hmac-SHA256", Encoding: "base64"}, "Jefe", "what do ya want for nothing?",
		"X-Shopify-Hmac-Sha256", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=", "",
	},
	// printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
	"with a time": {
		provider.Signature{Scheme: "timestamped-hmac", Header: "Stripe-Signature", Encoding: "hex"}, "whsec_test", `{"id":"evt_1"}`,
		"Stripe-Signature", "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925", "2023-11-14T22:13:20Z",
	},
	// printf '1700000000:{"id":"evt_1"}' | openssl dgst -sha256 -hmac pdl
	"with a time and other words": {
		provider.Signature{
			Scheme: "timestamped-hmac", Header: "Paddle-Signature", Encoding: "hex",
			Timestamp: "ts", Value: "h1", Separator: ";", Joint: ":", Tolerance: 5 * time.Second,
		}, "pdl", `{"id":"evt_1"}`,
		"Paddle-Signature", "ts=1700000000;h1=6065c7e7f1a9652d62bc90d0d622adf66a4113abca35612090d499f7115797cf", "2023-11-14T22:13:20Z",
	},
	"header": {
		provider.Signature{Scheme: "header", Header: "X-Api-Key"}, "s3cret", "{}",
		"X-Api-Key", "s3cret", "",
	},
	"header with a prefix": {
		provider.Signature{Scheme: "header", Header: "Authorization", Prefix: "Bearer "}, "s3cret", "{}",
		"Authorization", "Bearer s3cret", "",
	},
	// RFC 7617, section 2.
	"basic": {
		provider.Signature{Scheme: "basic"}, "Aladdin:open sesame", "{}",
		"Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "",
	},
}

// A right request of each scheme is taken, by any of several secrets; one with another
// secret, another body, no credential, two, or one of another form is not.
func TestMappedSignatures(t *testing.T) {
	t.Parallel()
	for name, v := range signatures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mapped(t, v.signature)
			request := func(change func(r *provider.Request)) *provider.Request {
				r := &provider.Request{Header: map[string][]string{v.header: {v.value}}, Body: []byte(v.body)}
				if v.at != "" {
					r.At = instant(t, v.at)
				}
				change(r)
				return r
			}
			verify := func(change func(r *provider.Request), secrets ...string) error {
				r := request(change)
				err := p.Verify(r, secrets)
				if head := p.VerifyHead(r, secrets); head != nil {
					require.Equal(t, err, head, "what the head refuses is refused for the same")
				}
				return err
			}
			asItIs := func(*provider.Request) {}
			require.NoError(t, p.CheckSecret(v.secret))
			require.NoError(t, verify(asItIs, v.secret))
			require.NoError(t, verify(asItIs, "old:one", v.secret, ""))
			require.ErrorIs(t, verify(asItIs, "old:one", ""), provider.ErrCredentialWrong)
			require.ErrorIs(t, verify(asItIs), provider.ErrCredentialWrong)
			require.ErrorIs(t, verify(func(r *provider.Request) { delete(r.Header, v.header) }, v.secret), provider.ErrCredentialMissing)
			require.ErrorIs(t, verify(func(r *provider.Request) { r.Header[v.header] = []string{v.value, v.value} }, v.secret), provider.ErrCredentialRepeated)
			changed := verify(func(r *provider.Request) { r.Body = append(bytes.Clone(r.Body), ' ') }, v.secret)
			if p.SignsBody() {
				require.ErrorIs(t, changed, provider.ErrCredentialWrong)
				require.ErrorIs(t, verify(func(r *provider.Request) { r.Header[v.header] = []string{v.value + "0"} }, v.secret), provider.ErrCredentialUnfit)
			} else {
				require.NoError(t, changed)
			}
			require.NotContains(t, p.Scheme(), v.secret)
		})
	}
}

// Whatever the scheme, what is signed is taken, with a secret that was made for it.
func TestMappedProvidersTakeWhatTheySign(t *testing.T) {
	t.Parallel()
	all := []provider.Signature{{Scheme: "standard-webhooks"}}
	for _, v := range signatures {
		all = append(all, v.signature)
	}
	for _, s := range all {
		p := mapped(t, s)
		secret := p.NewSecret([24]byte{1, 2, 3})
		require.NoError(t, p.CheckSecret(secret), s.Scheme)
		require.Error(t, p.CheckSecret(""), s.Scheme)
		r := &provider.Request{Body: []byte(`{"id":"1"}`), At: time.Unix(1_700_000_000, 0)}
		p.Sign(r, secret, "msg_1")
		require.NoError(t, p.Verify(r, []string{secret}), s.Scheme)
		require.NoError(t, p.VerifyHead(r, []string{secret}), s.Scheme)
		require.Error(t, p.Verify(r, []string{p.NewSecret([24]byte{4})}), s.Scheme)
	}
}

// A signed time is good for the tolerance either way, and must be written in one way.
// HMACs of rotated secrets stand beside one another, and parts of other names are passed over.
func TestMappedTimestamps(t *testing.T) {
	t.Parallel()
	p := mapped(t, provider.Signature{Scheme: "timestamped-hmac", Header: "S", Encoding: "hex", Tolerance: time.Minute})
	at := time.Unix(1_700_000_000, 0)
	signed := &provider.Request{Body: []byte("{}"), At: at}
	p.Sign(signed, "s", "")
	value := signed.Header["S"][0]
	hmac := value[len("t=1700000000,v1="):]
	for _, c := range []struct {
		value string
		after time.Duration
		want  error
	}{
		{value, time.Minute, nil},
		{value, -time.Minute, nil},
		{value, time.Minute + 1, provider.ErrTimestampTooOld},
		{value, -time.Minute - 1, provider.ErrTimestampTooNew},
		{"v0=1, v1=" + hmac + ", t=1700000000", 0, nil},
		{"t=1700000000,v1=" + string(bytes.Repeat([]byte("0"), 64)) + ",v1=" + hmac, 0, nil},
		{"t=1700000000,v1=abc,v1=" + hmac, 0, nil},
		{"t=1700000000,v1=abc", 0, provider.ErrCredentialUnfit},
		{"t=1700000000", 0, provider.ErrCredentialUnfit},
		{"v1=" + hmac, 0, provider.ErrCredentialUnfit},
		{"t=1700000000,t=1700000000,v1=" + hmac, 0, provider.ErrCredentialUnfit},
		{"t=01700000000,v1=" + hmac, 0, provider.ErrCredentialUnfit},
		{"t=1700000001,v1=" + hmac, 0, provider.ErrCredentialWrong},
		{"t=1700000000" + string(bytes.Repeat([]byte(",v1="+hmac), 20)), 0, provider.ErrCredentialUnfit},
	} {
		r := &provider.Request{Header: map[string][]string{"S": {c.value}}, Body: []byte("{}"), At: at.Add(c.after)}
		err := p.Verify(r, []string{"s"})
		require.ErrorIs(t, err, c.want, c.value)
		require.Equal(t, c.want == nil, err == nil, c.value)
	}
}

// What is needed to verify and identify a refused request again is kept, and no secret is.
func TestMappedProvidersKeepNoSecret(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signature provider.Signature
		want      []string
	}{
		"hmac":   {provider.Signature{Scheme: "hmac", Header: "x-sig", Encoding: "hex"}, []string{"X-Id", "X-Topic", "X-Sig"}},
		"header": {provider.Signature{Scheme: "header", Header: "x-topic"}, []string{"X-Id"}},
		"basic":  {provider.Signature{Scheme: "basic"}, []string{"X-Id", "X-Topic"}},
	} {
		p, err := provider.NewMapped(provider.Mapping{
			Name: "acme", Signature: c.signature, WebhookID: provider.Place{Header: "x-id"}, Event: provider.Place{Header: "x-topic"},
			Order: paths(t, "id"), Events: []provider.MappedEvent{{Name: "paid"}},
		})
		require.NoError(t, err)
		require.Equal(t, c.want, slices.Clip(p.KeptHeaders()), name)
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at
}

// A made-up credential is never authentic, and what is signed is.
func FuzzVerifyMappedTimestamp(f *testing.F) {
	p := mapped(f, provider.Signature{Scheme: "timestamped-hmac", Header: "S", Encoding: "base64"})
	secret := p.NewSecret([24]byte{9})
	f.Add([]byte("{}"), "t=1700000000,v1=W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=")
	f.Add([]byte("{}"), "v1=,t=,,v1")
	f.Fuzz(func(t *testing.T, body []byte, credential string) {
		r := &provider.Request{Header: map[string][]string{"S": {credential}}, Body: body, At: time.Unix(1_700_000_000, 0)}
		require.ErrorIs(t, p.Verify(r, []string{secret}), provider.ErrUnauthentic)
		p.Sign(r, secret, "")
		require.NoError(t, p.Verify(r, []string{secret}))
	})
}
