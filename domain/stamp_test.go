package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

// A stamp's text is its four parts, readable by people.
func TestStampText(t *testing.T) {
	t.Parallel()
	stamp := domain.NewStamp(instant(t, "2024-01-03T14:25:06Z"), 3, 7,
		domain.Digest{0x9f, 0x86, 0xd0, 0x81, 0x88, 0x4c, 0x7d, 0x65, 0xff})
	text, err := stamp.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "2024-01-03T14:25:06Z/3/7/9f86d081884c7d65", string(text))
}

// A text that is no stamp is an error, never a panic.
func TestStampRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "///", "/1/2", "/1/2/3/4", "yesterday/1/2/0000000000000000", "/x/2/0000000000000000",
		"/1/256/0000000000000000", "/4294967296/2/0000000000000000", "/1 2/3/0000000000000000",
		"/1/2/10000000000000000", "/1/2/xyz",
	} {
		var stamp domain.Stamp
		require.Error(t, stamp.UnmarshalText([]byte(text)), text)
	}
}

// A stamp that was written reads as itself.
func TestStampRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		stamp := domain.Stamp{
			Clock:   instants.Draw(t, "clock"),
			History: rapid.Uint32().Draw(t, "history"),
			Rank:    rapid.Uint8().Draw(t, "rank"),
			Body:    rapid.Uint64().Draw(t, "body"),
		}
		text, err := stamp.MarshalText()
		require.NoError(t, err)
		var read domain.Stamp
		require.NoError(t, read.UnmarshalText(text))
		require.Equal(t, stamp, read)
	})
}

// Stamps are totally ordered: of any two one is greater or they are the same, and
// the order is transitive.
func TestStampsAreTotallyOrdered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := smallStamp(t), smallStamp(t), smallStamp(t)
		require.Equal(t, -a.Compare(b), b.Compare(a))
		require.Equal(t, a == b, a.Compare(b) == 0)
		if a.Compare(b) <= 0 && b.Compare(c) <= 0 {
			require.LessOrEqual(t, a.Compare(c), 0)
		}
	})
}

// smallStamp draws stamps that are often equal in some of their parts.
func smallStamp(t *rapid.T) domain.Stamp {
	return domain.Stamp{
		Clock:   rapid.SampledFrom([]domain.Instant{{}, second(1), second(2)}).Draw(t, "clock"),
		History: rapid.Uint32Max(1).Draw(t, "history"),
		Rank:    rapid.Uint8Max(1).Draw(t, "rank"),
		Body:    rapid.Uint64Max(1).Draw(t, "body"),
	}
}
