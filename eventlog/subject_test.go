package eventlog_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/eventlog"
)

var subjectForm = regexp.MustCompile(`\Awebhooks(\.[a-z0-9_-]{1,64}){3}\z`)

// What a subject was made of can be read from it.
func TestSubjectIsReadBack(t *testing.T) {
	t.Parallel()
	token := rapid.StringMatching(`[a-z0-9_-]{1,64}`)
	rapid.Check(t, func(t *rapid.T) {
		provider, source, event := token.Draw(t, "provider"), token.Draw(t, "source"), token.Draw(t, "event")
		subject, err := eventlog.Subject(provider, source, event)
		require.NoError(t, err)
		p, s, e, ok := eventlog.ParseSubject(subject)
		require.True(t, ok)
		require.Equal(t, []string{provider, source, event}, []string{p, s, e})
	})
}

// Wildcards, separators, blanks, other scripts and over-long names never become
// part of a subject: some would close the connection for good.
func TestSubjectTakesTokensOnly(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", ".", "a.b", "*", ">", "a*", "a>", "a b", "a\tb", "a\r\nb", "\x00", "A", "ä", "$SYS",
		"../x", "\u202e", "😀", "a/b", strings.Repeat("a", 65), strings.Repeat("a", 5000),
	} {
		for position := range 3 {
			names := []string{"ivy", "shop", "order_created"}
			names[position] = name
			_, err := eventlog.Subject(names[0], names[1], names[2])
			require.ErrorIs(t, err, eventlog.ErrUnfit, "%q at %d", name, position)
		}
	}
}

// No text at all makes another subject than one of three tokens.
func FuzzSubject(f *testing.F) {
	f.Add("ivy", "shop", "order_created")
	f.Add("*", ">", "a.b")
	f.Add("", "\x00", strings.Repeat("a", 65))
	f.Fuzz(func(t *testing.T, provider, source, event string) {
		subject, err := eventlog.Subject(provider, source, event)
		if err != nil {
			require.ErrorIs(t, err, eventlog.ErrUnfit)
			return
		}
		require.Regexp(t, subjectForm, subject)
	})
}

// A text is read as a subject only where it has the form of one.
func FuzzParseSubject(f *testing.F) {
	for _, subject := range []string{"webhooks.ivy.shop.other", "webhooks.ivy.shop", "webhooks.ivy.shop.a.b", "rejected.a.b.c", "...", ""} {
		f.Add(subject)
	}
	f.Fuzz(func(t *testing.T, subject string) {
		provider, source, event, ok := eventlog.ParseSubject(subject)
		require.Equal(t, subjectForm.MatchString(subject), ok)
		if !ok {
			require.Empty(t, provider+source+event)
		}
	})
}
