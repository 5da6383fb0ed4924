package archive_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/archive/archivetest"
)

// firstObject gives the first object of the store.
func (s *trimming) firstObject() (name string, content []byte) {
	s.t.Helper()
	names, err := s.store.List(s.t.Context(), "")
	require.NoError(s.t, err)
	content, err = s.store.Get(s.t.Context(), names[0])
	require.NoError(s.t, err)
	return names[0], content
}

// Two archives begin with the same stream sequence. A store that has only the first segment
// of another one is that one's, and what came there all the same outlasts an erasure here:
// nobody else may have it.
func TestAnotherArchivesFirstObjectIsLeftAlone(t *testing.T) {
	t.Parallel()
	other, s := startTrimming(t), startTrimming(t)
	other.fill(block)
	s.fill(block)
	require.NoError(t, other.once())
	name, content := other.firstObject()
	require.NoError(t, s.store.Put(t.Context(), name, content))
	require.ErrorIs(t, s.once(), archive.ErrForeign)

	require.NoError(t, s.store.Delete(t.Context(), name))
	require.NoError(t, s.once())
	require.NoError(t, s.store.Put(t.Context(), name, content))
	require.NoError(t, s.stored.Erase(t.Context(), archivetest.Erasure(t, s.joined, 1).Webhooks))
	have, err := s.store.Get(t.Context(), name)
	require.NoError(t, err)
	require.Equal(t, content, have)
}

// An object that was put and never noted, since the store did not give it out again, is none
// that an erasure looks for. It is gone when its segment is put without what was erased.
func TestWhatWasPutInVainDoesNotOutlastAnErasure(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.fill(block)
	s.store.mute.Store(true)
	require.ErrorIs(t, s.once(), errStoreAway)
	require.Contains(t, archivetest.Text(t, s.store.String()), "canary-1.")
	receipt, err := s.log.Erase(t.Context(), "ivy", "shop", archivetest.Erasure(t, s.log, 1))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, s.keeper.WaitErased(ctx, receipt.StreamSequence))
	s.store.mute.Store(false)
	require.NoError(t, s.once())
	require.Positive(t, s.stored.Last())
	require.NotContains(t, archivetest.Text(t, s.store.String()), "canary-1.")
}

// Where the disk with the store is not mounted any more there is a folder in its place, as
// empty as one that is new. Nothing is put there, and nothing trimmed for it.
func TestAnEmptyPlaceIsNotTakenForTheStore(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.fill(block)
	require.NoError(t, s.carrier.Carry(t.Context()))
	began, place := s.first(), s.store.String()
	require.NoError(t, os.Rename(place, place+" unmounted"))
	s.fill(2 * block)
	var damaged *archive.DamageError
	require.ErrorAs(t, s.carrier.Carry(t.Context()), &damaged)
	require.NoDirExists(t, place)
	require.Equal(t, began, s.first())
	require.NoError(t, os.Rename(place+" unmounted", place))
	require.NoError(t, s.carrier.Carry(t.Context()))
	require.Greater(t, s.first(), began)
}

// forgetful is a stream that does not always tell where it stands.
type forgetful struct {
	archive.Readable
	silent bool
}

var errSilent = errors.New("the stream does not say")

func (f *forgetful) Info(ctx context.Context) (domain.StreamInfo, error) {
	if f.silent {
		return domain.StreamInfo{}, errSilent
	}
	return f.Readable.Info(ctx)
}

// Where it cannot be told what was trimmed, a reader is told so: it is given neither what
// comes later, as if the rest were lost, nor that there is nothing.
func TestWhatMayBeTrimmedIsNotTakenForMissing(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.fill(3 * block)
	require.NoError(t, s.once())
	require.Greater(t, s.first(), uint64(1))
	joined := archive.Join(s.stored, &forgetful{s.log, true})
	_, err := joined.Webhook(t.Context(), 1)
	require.ErrorIs(t, err, errSilent)
	for batch, err := range joined.Batches(t.Context(), 1, 7) {
		require.Nil(t, batch)
		require.ErrorIs(t, err, errSilent)
	}
}

// What was erased of what was trimmed is read nowhere any more, also while the store has it
// still, and is not buried a second time.
func TestWhatWasTrimmedAndErasedIsNotReadMeanwhile(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.fill(3 * block)
	require.NoError(t, s.once())
	require.Greater(t, s.first(), uint64(2))
	erasure := archivetest.Erasure(t, s.joined, 2)
	s.store.away.Store(true)
	receipt, err := s.log.Erase(t.Context(), "ivy", "shop", erasure)
	require.NoError(t, err)
	for range 2 { // also when it is known that the stream does not have it
		w, err := s.joined.Webhook(t.Context(), 2)
		require.NoError(t, err)
		require.NotNil(t, w.Remains)
		again, err := s.log.Erase(t.Context(), "ivy", "shop", erasure)
		require.NoError(t, err)
		require.Equal(t, receipt.StreamSequence, again.StreamSequence)
		_, err = s.log.Info(t.Context())
		require.NoError(t, err)
	}
	s.store.away.Store(false)
}

// A store that is the archive's own folder, by whatever name, is none. Its objects are not
// taken for segments, which leave the folder.
func TestTheArchivesFolderIsNoStore(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.store.Folder = archive.Folder(s.dir)
	require.NoError(t, s.carrier.Carry(t.Context()))
	s.fill(3 * block)
	for range 3 {
		if err := s.carrier.Carry(t.Context()); err != nil {
			require.ErrorIs(t, err, archive.ErrForeign)
		}
	}
	s.chain(7)
	_, err := s.stored.Check(t.Context())
	require.NoError(t, err)
}

// A folder always has what comes after the last object of its store. One that does not is
// from another moment than its ledger: gone on with, it would have the store taken for a copy
// of webhooks that are not there.
func TestAFolderThatEndsBeforeItsStore(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.reached.Store(1) // nothing leaves the folder
	s.fill(2 * block)
	require.NoError(t, s.once())
	other := t.TempDir()
	require.NoError(t, archive.CopyLedger(s.dir, other))
	segments, err := filepath.Glob(filepath.Join(s.dir, "*.jsonl.zst"))
	require.NoError(t, err)
	require.NoError(t, eventlog.CopyFile(segments[0], filepath.Join(other, filepath.Base(segments[0]))))
	var damaged *archive.DamageError
	info, err := s.log.Info(t.Context())
	require.NoError(t, err)
	_, err = archive.Open(other, info.Identity)
	require.ErrorAs(t, err, &damaged)
	_, err = archive.Copy(other, filepath.Join(t.TempDir(), "copy"))
	require.ErrorAs(t, err, &damaged)
	_, err = archive.Copy(s.dir, filepath.Join(t.TempDir(), "copy"))
	require.NoError(t, err)
}

// What leaves the folder while it is looked at is no damage: the store has it.
func TestALookOutlastsWhatLeavesTheFolder(t *testing.T) {
	t.Parallel()
	s := startTrimming(t)
	s.reached.Store(1) // nothing is trimmed by itself
	s.fill(2 * block)
	require.NoError(t, s.once())
	segments, err := filepath.Glob(filepath.Join(s.dir, "*.jsonl.zst"))
	require.NoError(t, err)
	var leave sync.Once
	found, err := archive.LookAgain(s.dir, func(name string, _ []byte) bool {
		if name != filepath.Base(segments[0]) {
			leave.Do(func() { require.NoError(t, os.Remove(segments[0])) })
		}
		return false
	})
	require.NoError(t, err)
	require.Contains(t, []int{len(segments) - 1, len(segments)}, found.Segments(), "it may have been read before")
	require.Zero(t, found.Before().StreamSequence)
}
