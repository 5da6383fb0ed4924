package provider_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// The hex signature is the plain HMAC-SHA256 of the raw body, by vectors that two
// other companies publish for the same scheme.
func TestIvySignatureVectors(t *testing.T) {
	t.Parallel()
	for _, vector := range []struct{ secret, body, signature string }{
		{
			"dummysecret",
			`{"code":"PLC","createdAt":"2023-02-20T18:19:03.20162269Z","fullCode":"PLACED",` +
				`"id":"a38ba215-f949-4b2c-982a-0582a9d0c10e","merchantId":"cad65e8f-6fc6-438a-b159-e64a902a6b9a",` +
				`"orderId":"2c97e104-35ed-4c18-85d7-854a40b6b9e3"}`,
			"6f9ed23a7b505a3b6907c5f6eb2ad1b056fbf35a643d365a9a072ed7aabca153",
		},
		{
			"c5c26d5a-70d6-46c7-a652-d7c09825ad29",
			`{"kind": "event.courier_update", "location": {"lat": 37.7974109, "lng": -122.424145}}`,
			"cdff8133fb065f8d37a2c1c94c3331b6a82766d14e7ea4faacc4886558cedd65",
		},
	} {
		r := &provider.Request{Header: map[string][]string{"X-Ivy-Signature": {vector.signature}}, Body: []byte(vector.body)}
		require.NoError(t, provider.Ivy{}.Verify(r, []string{vector.secret}))

		again := &provider.Request{Body: r.Body}
		provider.Ivy{}.Sign(again, vector.secret, "unused")
		require.Equal(t, r.Header, again.Header)
	}
}

// Ivy sends one signature in one form, and it covers every byte.
func TestIvySignatureForm(t *testing.T) {
	t.Parallel()
	const secret = "a plain text"
	good := signed(provider.Ivy{}, secret, `{"a":1}`).Header["X-Ivy-Signature"][0]
	for signature, want := range map[string]error{
		strings.ToUpper(good):    provider.ErrCredentialUnfit,
		"sha256=" + good:         provider.ErrCredentialUnfit,
		good[:62]:                provider.ErrCredentialUnfit,
		good + "00":              provider.ErrCredentialUnfit,
		" " + good:               provider.ErrCredentialUnfit,
		strings.Repeat("zz", 32): provider.ErrCredentialUnfit,
		strings.Repeat("0", 64):  provider.ErrCredentialWrong,
		"":                       provider.ErrCredentialMissing,
		good[1:] + good[:1]:      provider.ErrCredentialWrong,
	} {
		r := signed(provider.Ivy{}, secret, `{"a":1}`)
		r.Header["X-Ivy-Signature"] = []string{signature}
		require.ErrorIs(t, provider.Ivy{}.Verify(r, []string{secret}), want, signature)
	}
	spaced := signed(provider.Ivy{}, secret, `{"a":1}`)
	spaced.Body = []byte(`{"a": 1}`)
	require.ErrorIs(t, provider.Ivy{}.Verify(spaced, []string{secret}), provider.ErrCredentialWrong)

	repeated := signed(provider.Ivy{}, secret, `{"a":1}`)
	repeated.Header["X-Ivy-Signature"] = []string{good, good}
	require.ErrorIs(t, provider.Ivy{}.Verify(repeated, []string{secret}), provider.ErrCredentialRepeated)
}

// Ordatic's Authorization is compared as a whole, scheme and all.
func TestOrdaticAuthorization(t *testing.T) {
	t.Parallel()
	const secret = "Bearer 5up-er"
	for _, c := range []struct {
		header []string
		want   error
	}{
		{[]string{secret}, nil},
		{[]string{"5up-er"}, provider.ErrCredentialWrong},
		{[]string{"bearer 5up-er"}, provider.ErrCredentialWrong},
		{[]string{"Bearer 5up-er "}, provider.ErrCredentialWrong},
		{[]string{"Bearer 5up-e"}, provider.ErrCredentialWrong},
		{[]string{""}, provider.ErrCredentialMissing},
		{nil, provider.ErrCredentialMissing},
		{[]string{secret, secret}, provider.ErrCredentialRepeated},
	} {
		r := &provider.Request{Header: map[string][]string{"Authorization": c.header}, Body: []byte(`{}`)}
		require.ErrorIs(t, provider.Ordatic{}.Verify(r, []string{"Bearer older", secret}), c.want, c.header)
	}
}

// Payway's secret comes as the URL's token or as the password of basic
// authentication, never as both.
func TestPaywayCredential(t *testing.T) {
	t.Parallel()
	const secret = "tram-57"
	for _, c := range []struct {
		token, authorization []string
		want                 error
	}{
		{token: []string{secret}},
		{authorization: []string{"Basic cGF5d2F5OnRyYW0tNTc="}},                            // payway:tram-57
		{authorization: []string{"basic OnRyYW0tNTc="}},                                    // :tram-57
		{authorization: []string{"Basic cGF5d2F5Og=="}, want: provider.ErrCredentialWrong}, // payway:
		{authorization: []string{"Basic dHJhbS01Nw=="}, want: provider.ErrCredentialUnfit}, // tram-57
		{authorization: []string{"Basic !"}, want: provider.ErrCredentialUnfit},
		{authorization: []string{"Bearer tram-57"}, want: provider.ErrCredentialUnfit},
		{authorization: []string{secret}, want: provider.ErrCredentialUnfit},
		{authorization: []string{""}, want: provider.ErrCredentialMissing},
		{authorization: []string{"Basic OnRyYW0tNTc=", "Basic OnRyYW0tNTc="}, want: provider.ErrCredentialRepeated},
		{token: []string{"tram-58"}, want: provider.ErrCredentialWrong},
		{token: []string{""}, want: provider.ErrCredentialMissing},
		{token: []string{secret, secret}, want: provider.ErrCredentialRepeated},
		{token: []string{secret}, authorization: []string{"Basic OnRyYW0tNTc="}, want: provider.ErrCredentialUnfit},
	} {
		r := &provider.Request{
			Header: map[string][]string{"Authorization": c.authorization},
			Query:  map[string][]string{"token": c.token},
			Body:   []byte(`{}`),
		}
		require.ErrorIs(t, provider.Payway{}.Verify(r, []string{"older", secret}), c.want, "%v %v", c.token, c.authorization)
	}
}

// No error of a verification holds anything that the request said.
func TestVerificationErrorsAreSilent(t *testing.T) {
	t.Parallel()
	const said = "hunter2"
	for _, p := range provider.All() {
		r := &provider.Request{Header: map[string][]string{}, Query: map[string][]string{"token": {said}}, At: now}
		for _, name := range []string{"Svix-Id", "Svix-Timestamp", "Svix-Signature", "X-Ivy-Signature", "Authorization"} {
			r.Header[name] = []string{said}
		}
		err := p.Verify(r, []string{p.NewSecret([24]byte{})})
		require.ErrorIs(t, err, provider.ErrUnauthentic)
		require.NotContains(t, err.Error(), said)
	}
}

// What the head of a request is refused for, the whole request is refused for
// too, and what is authentic has a head that passes without its body.
func TestTheHeadIsJudgedAsTheWholeIs(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		secrets := []string{p.NewSecret([24]byte{1})}
		authentic := signed(p, secrets[0], `{}`)
		require.NoError(t, p.VerifyHead(head(authentic), secrets), p.Name())

		nothing := &provider.Request{At: now}
		require.ErrorIs(t, p.VerifyHead(nothing, secrets), provider.ErrCredentialMissing, p.Name())

		late := signed(p, secrets[0], `{}`)
		late.At = now.Add(time.Hour)
		for name, r := range map[string]*provider.Request{
			"authentic": authentic, "nothing": nothing, "late": late,
			"another secret": signed(p, p.NewSecret([24]byte{2}), `{}`),
			"unfit":          altered(authentic, func([]string) []string { return []string{"unfit"} }),
			"repeated":       altered(authentic, func(values []string) []string { return append(values, values...) }),
		} {
			if err := p.VerifyHead(head(r), secrets); err != nil {
				require.Equal(t, p.Verify(r, secrets), err, "%s: %s", p.Name(), name)
			}
		}
	}
}

// Whose body is not signed is judged by its head alone: no body makes a difference. Whose
// body is signed is refused with another one.
func TestSignsBodySaysWhetherTheBodyMatters(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		secrets := []string{p.NewSecret([24]byte{1})}
		for _, secret := range []string{secrets[0], p.NewSecret([24]byte{2})} {
			r := signed(p, secret, `{}`)
			was := p.Verify(r, secrets)
			r.Body = []byte(`{"another":"body"}`)
			if p.SignsBody() {
				require.ErrorIs(t, p.Verify(r, secrets), provider.ErrCredentialWrong, p.Name())
				continue
			}
			require.Equal(t, was, p.Verify(r, secrets), p.Name())
			require.Equal(t, was, p.VerifyHead(head(r), secrets), p.Name())
		}
	}
}

// A shared secret is wrong or not whatever the body is, so the head tells.
func TestTheHeadTellsAWrongSharedSecret(t *testing.T) {
	t.Parallel()
	for _, p := range []provider.Provider{provider.Ordatic{}, provider.Payway{}} {
		r := signed(p, p.NewSecret([24]byte{2}), `{}`)
		require.ErrorIs(t, p.VerifyHead(head(r), []string{p.NewSecret([24]byte{1})}), provider.ErrCredentialWrong)
	}
}

// head gives a request before its body has been read.
func head(r *provider.Request) *provider.Request {
	return &provider.Request{Header: r.Header, Query: r.Query, At: r.At}
}

// altered gives a request with each of its headers and parameters changed.
func altered(r *provider.Request, change func([]string) []string) *provider.Request {
	changed := &provider.Request{Header: map[string][]string{}, Query: map[string][]string{}, Body: r.Body, At: r.At}
	for name, values := range r.Header {
		changed.Header[name] = change(values)
	}
	for name, values := range r.Query {
		changed.Query[name] = change(values)
	}
	return changed
}
