package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// A moment is a stream sequence or a time, and never both or neither.
func FuzzParseMoment(f *testing.F) {
	for _, text := range []string{"1", "18446744073709551615", "0", "-1", "+1", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000001+02:00", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := domain.ParseMoment(text)
		if err != nil {
			require.ErrorIs(t, err, domain.ErrMoment)
			require.Zero(t, m)
			return
		}
		require.True(t, m.StreamSequence > 0 != (m.Time != domain.Instant{}))
	})
}

// The id of an entry of the quarantine has one way to be written.
func FuzzParseQuarantineID(f *testing.F) {
	for _, text := range []string{"w-1", "r-9223372036854775807", "w-01", "x-1", "w--1", "w-", "-", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := domain.ParseQuarantineID(text)
		if err != nil {
			require.ErrorIs(t, err, domain.ErrQuarantineID)
			require.Zero(t, id)
			return
		}
		require.Equal(t, text, id.String())
	})
}
