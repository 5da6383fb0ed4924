package domain_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// The rate of a rebuild is that of its building: neither a long comparison nor what
// is read after it makes the stream look slower or faster than it was read.
func TestRateIsThatOfTheBuilding(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	after := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	r := domain.Rebuild{State: domain.RebuildBuilding, StartedAt: began, StreamSequence: 100, Target: 300}
	require.Zero(t, r.Rate(began))
	require.Equal(t, 10.0, r.Rate(after(10)))
	require.Equal(t, 20*time.Second, r.Remaining(after(10)))

	r.State, r.BuiltAt, r.BuiltTo, r.StreamSequence = domain.RebuildComparing, after(30), 300, 300
	require.Equal(t, 10.0, r.Rate(after(90)))
	r.Target = 400
	require.Zero(t, r.Remaining(after(90)), "nobody knows how long a comparison takes")
	r.State = domain.RebuildSwitching
	require.Equal(t, 10*time.Second, r.Remaining(after(90)))
	r.State, r.StreamSequence, r.EndedAt = domain.RebuildSwitched, 400, after(100)
	require.Equal(t, 10.0, r.Rate(after(500)))

	canceled := domain.Rebuild{State: domain.RebuildCanceled, StartedAt: began, StreamSequence: 50, EndedAt: after(5)}
	require.Equal(t, 10.0, canceled.Rate(after(500)))
}
