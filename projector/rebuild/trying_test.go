package rebuild_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/rebuild"
)

// mute is a stream that knows how far it is, and cannot be read.
type mute struct{ *projectortest.Broker }

func (mute) Batches(context.Context, uint64, int) iter.Seq2[*eventlog.Batch, error] {
	return func(yield func(*eventlog.Batch, error) bool) { yield(nil, errors.New("its store is away")) }
}

// A rebuild that cannot go on tells what it tries again, for as long as it does.
func TestARebuildTellsWhatItTriesAgain(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.project(r.acceptOrders(2))
	rebuilder, err := rebuild.New(rebuild.Config{Log: mute{r.log}, Folder: r.folder, Model: r.model, Live: r.live})
	require.NoError(t, err)
	defer func() { require.NoError(t, rebuilder.Close()) }()
	begun, err := rebuilder.Start(domain.RebuildOptions{Plan: true})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		told, err := rebuilder.Rebuild(begun.ID)
		return err == nil && strings.Contains(told.Error, "its store is away")
	}, projectortest.Patience, time.Millisecond)
	require.NoError(t, rebuilder.Cancel(begun.ID))
	ended, err := rebuilder.Rebuild(begun.ID)
	require.NoError(t, err)
	require.Equal(t, domain.RebuildCanceled, ended.State)
	require.Empty(t, ended.Error)
}
