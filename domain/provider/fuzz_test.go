package provider_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

func FuzzTranslateIvy(f *testing.F)     { fuzzTranslate(f, provider.Ivy{}) }
func FuzzTranslateOrdatic(f *testing.F) { fuzzTranslate(f, provider.Ordatic{}) }
func FuzzTranslatePayway(f *testing.F)  { fuzzTranslate(f, provider.Payway{}) }
func FuzzTranslateRuna(f *testing.F)    { fuzzTranslate(f, provider.Runa{}) }

func FuzzVerifyIvy(f *testing.F) {
	fuzzVerify(f, provider.Ivy{}, true, func(r *provider.Request, credential string) {
		r.Header = map[string][]string{"X-Ivy-Signature": {credential}}
	})
}

func FuzzVerifyOrdatic(f *testing.F) {
	fuzzVerify(f, provider.Ordatic{}, false, func(r *provider.Request, credential string) {
		r.Header = map[string][]string{"Authorization": {credential}}
	})
}

func FuzzVerifyPayway(f *testing.F) {
	fuzzVerify(f, provider.Payway{}, false, func(r *provider.Request, credential string) {
		r.Header = map[string][]string{"Authorization": {credential}}
	})
}

func FuzzVerifyRuna(f *testing.F) {
	fuzzVerify(f, provider.Runa{}, true, func(r *provider.Request, credential string) {
		r.Header = map[string][]string{
			"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {vectorTimestamp}, "Webhook-Signature": {credential},
		}
	})
}

// Whatever the bytes, a translation gives an event that a read model can keep, or
// one of the documented errors; the same one each time.
func fuzzTranslate(f *testing.F, p provider.Provider) {
	addBodies(f, p)
	f.Fuzz(func(t *testing.T, body []byte) {
		event, err := p.Translate(webhook(p, string(body)))
		again, errAgain := p.Translate(webhook(p, string(body)))
		require.Equal(t, event, again)
		require.Equal(t, err, errAgain)

		var u *domain.Untranslatable
		switch {
		case errors.As(err, &u):
			requireDocumented(t, u)
		case err != nil:
			require.ErrorIs(t, err, domain.ErrNotAboutOrder)
		default:
			requireKeepable(t, event)
		}
	})
}

// requireDocumented checks that a quarantine tells nothing of the sender's.
func requireDocumented(t *testing.T, u *domain.Untranslatable) {
	require.Contains(t, []string{
		domain.CauseMalformed, domain.CauseTooDeep, domain.CauseWrongType,
		domain.CauseKeyMissing, domain.CauseKeyUnusable, domain.CauseTooLong, domain.CauseTooManyElements,
	}, u.Cause)
	require.Regexp(t, `^(/[A-Za-z_]+)*$`, u.Where)
	require.Less(t, len(u.Where), 64)
}

// requireKeepable checks what a read model relies on.
func requireKeepable(t *testing.T, event *domain.Event) {
	require.NotEmpty(t, event.Key)
	require.LessOrEqual(t, len(event.Key), 256)
	require.NotContains(t, event.Key, "\x00")
	require.False(t, slices.ContainsFunc([]rune(event.Key), unicode.IsControl))
	for _, refund := range event.Refunds {
		require.NotEmpty(t, refund.ID)
	}
	for _, payment := range event.Payments {
		require.NotEmpty(t, payment.ID)
	}
	if event.Proof != nil {
		require.NotEmpty(t, event.Proof.Content)
		require.Len(t, event.Proof.ID, 32)
		require.Equal(t, len(event.Proof.Content), event.Proof.Size)
	}
	for i, a := range event.Anomalies {
		require.LessOrEqual(t, len([]rune(a.Detail)), 64)
		require.NotContains(t, event.Anomalies[:i], a, "an anomaly twice")
	}
	for _, instant := range []domain.Instant{event.OccurredAt, event.CreatedAt, event.CompletedAt, event.Stamp.Clock} {
		var read domain.Instant
		require.NoError(t, read.UnmarshalText([]byte(instant.String())))
		require.Zero(t, read.Compare(instant))
	}
}

// A made-up credential is never authentic, what is signed is, and where the body
// is signed no other body is.
func fuzzVerify(f *testing.F, p provider.Provider, signsBody bool, present func(*provider.Request, string)) {
	secret := p.NewSecret([24]byte{9, 9, 9})
	addBodiesWith(f, p, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	f.Add([]byte(`{}`), "Basic OnRyYW0tNTc=")
	f.Add([]byte(`{}`), "6f9ed23a7b505a3b6907c5f6eb2ad1b056fbf35a643d365a9a072ed7aabca153")
	f.Fuzz(func(t *testing.T, body []byte, credential string) {
		forged := &provider.Request{Body: body, At: now}
		present(forged, credential)
		require.ErrorIs(t, p.Verify(forged, []string{secret}), provider.ErrUnauthentic)
		if err := p.VerifyHead(head(forged), []string{secret}); err != nil {
			require.Equal(t, p.Verify(forged, []string{secret}), err)
		}

		r := signed(p, secret, string(body))
		require.NoError(t, p.Verify(r, []string{secret}))
		if signsBody && len(body) > 0 {
			r.Body = slices.Clone(body)
			r.Body[len(body)/2] ^= 1
			require.ErrorIs(t, p.Verify(r, []string{secret}), provider.ErrCredentialWrong)
		}
	})
}

// Identify takes a body exactly where the standard library has an object, and what
// it gives can stand in a subject and in a header.
func FuzzIdentify(f *testing.F) {
	for _, p := range provider.All() {
		addBodies(f, p)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var object map[string]json.RawMessage
		isObject := json.Unmarshal(body, &object) == nil && object != nil
		for _, p := range provider.All() {
			identity, err := p.Identify(&provider.Request{Body: body})
			require.Equal(t, isObject, err == nil, "%s %q", p.Name(), body)
			if err != nil {
				require.True(t, errors.Is(err, provider.ErrNotJSON) != errors.Is(err, provider.ErrNotObject))
				require.Equal(t, json.Valid(body), errors.Is(err, provider.ErrNotObject))
				continue
			}
			require.Contains(t, append(p.Events(), provider.Other), identity.Event)
			require.LessOrEqual(t, len(identity.WebhookID), 200)
			require.False(t, slices.ContainsFunc([]rune(identity.WebhookID), unicode.IsControl))
		}
	})
}

// addBodies makes the provider's webhooks of the test data the corpus.
func addBodies(f *testing.F, p provider.Provider) {
	for _, body := range files(f, filepath.Join(testdata, "webhooks", p.Name())) {
		f.Add(body)
	}
}

func addBodiesWith(f *testing.F, p provider.Provider, credential string) {
	for _, body := range files(f, filepath.Join(testdata, "webhooks", p.Name())) {
		f.Add(body, credential)
	}
}
