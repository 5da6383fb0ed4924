package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// An id is read back as it was written, and no other text is one.
func TestQuarantineID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]domain.QuarantineID{
		"r-1":                   {Kind: domain.RejectedRequest, Sequence: 1},
		"w-9223372036854775807": {Kind: domain.UntranslatableWebhook, Sequence: 1<<63 - 1},
	} {
		id, err := domain.ParseQuarantineID(text)
		require.NoError(t, err)
		require.Equal(t, want, id)
		require.Equal(t, text, id.String())
	}
	for _, text := range []string{"", "r", "r-", "-1", "r-0", "r-01", "r-+1", "r--1", "R-1", "x-1", "w-9223372036854775808", "w-1 ", "w-1-1"} {
		_, err := domain.ParseQuarantineID(text)
		require.ErrorIs(t, err, domain.ErrQuarantineID, text)
	}
}
