package provider_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// now is the time of receipt of the tests' requests; it is that of the first test
// vector of Standard Webhooks.
var now = time.Unix(1614265330, 0)

// Names and event tokens stand in configuration and in subjects, so they are made
// of harmless characters and name one thing each.
func TestNamesAndTokens(t *testing.T) {
	t.Parallel()
	harmless := regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	for _, p := range provider.All() {
		require.Regexp(t, harmless, p.Name())
		named, ok := provider.Named(p.Name())
		require.True(t, ok)
		require.Equal(t, p, named)

		events := p.Events()
		for _, event := range events {
			require.Regexp(t, harmless, event)
			require.NotEqual(t, provider.Other, event)
		}
		slices.Sort(events)
		require.Len(t, slices.Compact(slices.Clone(events)), len(events), "%s has a token twice", p.Name())
	}
	_, ok := provider.Named("sinqro")
	require.False(t, ok)
}

// A caller that changes the list it was given changes nobody else's.
func TestEventsAreTheCallersOwn(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		p.Events()[0] = "changed"
		require.NotContains(t, p.Events(), "changed")
	}
}

// A new secret is one that the provider can use, and what is signed with it is
// authentic with that secret alone, wherever it stands among others.
func TestSignedIsVerified(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		t.Run(p.Name(), func(t *testing.T) {
			t.Parallel()
			secret, other := p.NewSecret([24]byte{1, 2, 3}), p.NewSecret([24]byte{4, 5, 6})
			require.NoError(t, p.CheckSecret(secret))

			r := signed(p, secret, `{"id":"x"}`)
			require.NoError(t, p.Verify(r, []string{secret}))
			require.NoError(t, p.Verify(r, []string{other, secret}))
			require.NoError(t, p.Verify(r, []string{secret, "", other}))
			require.ErrorIs(t, p.Verify(r, []string{other}), provider.ErrCredentialWrong)
			require.ErrorIs(t, p.Verify(r, nil), provider.ErrUnauthentic)
		})
	}
}

// A request without any credential is told so.
func TestMissingCredential(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		err := p.Verify(&provider.Request{Body: []byte(`{}`), At: now}, []string{p.NewSecret([24]byte{})})
		require.ErrorIs(t, err, provider.ErrCredentialMissing, p.Name())
		require.ErrorIs(t, err, provider.ErrUnauthentic, p.Name())
	}
}

// Signing with an empty secret is something that anybody can do, so it proves
// nothing even where an empty secret slipped into the configuration.
func TestEmptySecretFitsNothing(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		for _, secret := range []string{"", "whsec_"} {
			r := signed(p, secret, `{}`)
			require.ErrorIs(t, p.Verify(r, []string{""}), provider.ErrUnauthentic, p.Name())
		}
	}
}

// A configured secret that cannot work is refused, by an error without the secret.
func TestUnusableSecrets(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		for _, secret := range []string{"", " padded-hunter2", "padded-hunter2\n", "hunter2\x00in-the-middle"} {
			err := p.CheckSecret(secret)
			require.Error(t, err, "%s %q", p.Name(), secret)
			require.NotContains(t, err.Error(), "hunter2")
		}
	}
	for _, secret := range []string{
		"whsec_",
		"whsec_not*base64",
		"whsec_c2hvcnQ=",
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"whsec_" + strings.Repeat("AAAA", 22),
	} {
		require.Error(t, provider.Runa{}.CheckSecret(secret), secret)
	}
}

// signed gives a request as the provider would send it.
func signed(p provider.Provider, secret, body string) *provider.Request {
	r := &provider.Request{Body: []byte(body), At: now}
	p.Sign(r, secret, "msg_2x7")
	return r
}
