package recovery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/archive/archivetest"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// some is how many webhooks a stream has of which some are erased: they fill several
// blocks, and leave room for the tombstones.
const some = 60

func (r *running) erase(sequences ...uint64) {
	receipt, err := r.Erase(r.patient(), "ivy", "shop", archivetest.Erasure(r.t, r.Log, sequences...))
	require.NoError(r.t, err)
	require.NoError(r.t, r.keeper.WaitErased(r.patient(), receipt.StreamSequence))
}

// requireNowhere requires that nothing in a folder holds the body of some webhooks,
// compressed or not.
func requireNowhere(t *testing.T, dir string, sequences ...uint64) {
	t.Helper()
	text := archivetest.Text(t, dir)
	for _, sequence := range sequences {
		require.NotContains(t, text, fmt.Sprintf(`{"n":%d,`, sequence))
		require.NotContains(t, text, fmt.Sprintf(`{\"n\":%d,`, sequence))
	}
}

// sequences gives the stream sequences from one to another.
func sequences(from, to uint64) (all []uint64) {
	for sequence := from; sequence <= to; sequence++ {
		all = append(all, sequence)
	}
	return all
}

// requireEqual checks a data folder and starts a broker on it. It requires that the
// stream reads as it did before the erasures, that nothing is left of what was erased,
// that the archive is the same, and that the stream goes on right after.
func requireEqual(t *testing.T, data string, last uint64, chain domain.Digest, erased ...uint64) {
	t.Helper()
	require.NoError(t, recovery.Check(filesOf(data), nil))
	r := run(t, data)
	defer r.stop()
	r.erase(erased...)
	requireNowhere(t, data, erased...)
	info, err := r.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{1, last, last}, []uint64{info.First, info.Last, info.Messages})
	var is domain.Digest
	for sequence := range uint64(some) {
		w, err := r.Webhook(t.Context(), sequence+1)
		require.NoError(t, err)
		is = w.Chain(is)
	}
	require.Equal(t, chain, is)
	whole, _ := r.chain()
	require.Equal(t, last, whole)
	found, err := recovery.Compare(filesOf(data), 0)
	require.NoError(t, err)
	require.Equal(t, last, found.Compared)
	r.fill(int(last)+1, int(last)+1)
}

// erasedFolders gives a data folder after a stop and after a crash, of a stream some
// webhooks of which were erased, with the digest chain that it had before.
func erasedFolders(t *testing.T, orders ...[]uint64) (clean, crashed string, chain domain.Digest) {
	t.Helper()
	clean, crashed = t.TempDir(), t.TempDir()
	r := run(t, clean)
	r.fill(1, some)
	_, chain = r.chain()
	r.stop()
	r = run(t, clean)
	for _, order := range orders {
		r.erase(order...)
	}
	copyInUse(t, clean, crashed)
	r.stop()
	return clean, crashed, chain
}

// makeErasedFolders is makeFolders for a stream of which the beginning, a whole block and
// the end are erased.
func makeErasedFolders(t *testing.T) (f folders) {
	f.clean, f.crashed, _ = erasedFolders(t, sequences(1, 3), append(sequences(15, 45), some))
	r := run(t, copied(t, f.clean))
	defer r.stop()
	f.last, f.chain = r.chain()
	return f
}

// What was erased is not missing, whatever it is: the check passes after a stop, after a
// crash and with nothing to go by but the blocks, and a restore from the archive gives a
// stream that reads the same.
func TestWhatWasErasedIsNotMissing(t *testing.T) {
	t.Parallel()
	for name, orders := range map[string][][]uint64{
		"first block":    {sequences(1, 30)},
		"whole block":    {sequences(12, 50)},
		"several orders": {{3, 9, 12}, {1, 2, 10}, {59, 60}},
		"all":            {sequences(1, 40), sequences(41, some)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clean, crashed, chain := erasedFolders(t, orders...)
			var erased []uint64
			for _, order := range orders {
				erased = append(erased, order...)
			}
			last := uint64(some + len(orders))

			restored := copied(t, clean)
			made, err := recovery.Restore(filesOf(restored), recovery.Source{})
			require.NoError(t, err)
			require.Equal(t, uint64(1), made.First)
			require.NoError(t, os.RemoveAll(filepath.Join(restored, "aside")))
			requireEqual(t, restored, last, chain, erased...)

			unindexed := copied(t, clean)
			require.NoError(t, os.Remove(filepath.Join(streamFolder(unindexed), "msgs", "index.db")))
			requireEqual(t, unindexed, last, chain, erased...)

			rebuilt := copied(t, clean)
			_, err = recovery.RebuildArchive(filesOf(rebuilt))
			require.NoError(t, err)
			require.NoError(t, os.RemoveAll(filepath.Join(rebuilt, "aside")))
			requireEqual(t, rebuilt, last, chain, erased...)

			requireEqual(t, clean, last, chain, erased...)
			requireEqual(t, crashed, last, chain, erased...)
		})
	}
}

// An end that was lost with the tombstone is put back with it, and so is what follows.
func TestALostTombstoneIsPutBack(t *testing.T) {
	t.Parallel()
	clean, crashed, chain := erasedFolders(t, []uint64{1, 2, 20, 58}, []uint64{21, 59, 60})
	for _, data := range []string{clean, crashed} {
		paths, err := filepath.Glob(filepath.Join(streamFolder(data), "msgs", "*.blk"))
		require.NoError(t, err)
		newest := paths[len(paths)-1]
		info, err := os.Stat(newest)
		require.NoError(t, err)
		require.NoError(t, os.Truncate(newest, info.Size()/3))
		requireEqual(t, data, some+2, chain, 1, 2, 20, 58, 21, 59, 60)
	}
}

// stuck is a copy that has everything and never erases.
type stuck struct{}

func (stuck) Ready() error                       { return nil }
func (stuck) Wait(context.Context, uint64) error { return eventlog.ErrUnavailable }

// An erasure that a crash has ended after its tombstone was stored is finished before the
// broker opens its files: also where the broker has noted that a webhook is deleted, and
// did not come to overwrite it; and where it was writing a block anew.
func TestAnUnfinishedErasureIsFinished(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	r.fill(1, some)
	_, chain := r.chain()
	r.AnswerAfter(stuck{})
	_, err := r.Erase(t.Context(), "ivy", "shop", archivetest.Erasure(r.t, r.Log, 4, 33))
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
	r.stop()
	require.Contains(t, archivetest.Text(t, filepath.Join(data, "stream")), `{"n":33,`)

	noted := copied(t, data)
	noteDeleted(t, noted, 33)
	left := filepath.Join(streamFolder(noted), "msgs", "9.blk.tmp")
	require.NoError(t, os.WriteFile(left, []byte(`{"n":4,`), 0o600))

	for _, data := range []string{data, noted} {
		var log bytes.Buffer
		require.NoError(t, recovery.Check(filesOf(data), slog.New(slog.NewTextHandler(&log, nil))))
		require.Contains(t, log.String(), "being erased")
		requireNowhere(t, filepath.Join(data, "stream"), 4, 33)
		log.Reset()
		require.NoError(t, recovery.Check(filesOf(data), slog.New(slog.NewTextHandler(&log, nil))))
		require.Empty(t, log.String())
		requireEqual(t, data, some+1, chain, 4, 33)
	}
}

// noteDeleted appends to the newest block what the server writes before it overwrites a
// message.
func noteDeleted(t *testing.T, data string, sequence uint64) {
	t.Helper()
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: filepath.Join(data, "stream")})
	require.NoError(t, err)
	js, err := jetstream.New(server.Conn())
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), eventlog.WebhooksStream)
	require.NoError(t, err)
	require.NoError(t, stream.DeleteMsg(t.Context(), sequence)) // it overwrites nothing
	require.NoError(t, server.Close())
	require.Contains(t, archivetest.Text(t, filepath.Join(data, "stream")), fmt.Sprintf(`{"n":%d,`, sequence))
}

// A comparison finds nothing while webhooks are erased, wherever it is then.
func TestCompareWhileWebhooksAreErased(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	defer r.stop()
	r.fill(1, some)
	erased := make(chan error)
	go func() {
		for sequence := uint64(1); sequence <= some; sequence += 6 {
			if _, err := r.Erase(r.t.Context(), "ivy", "shop", archivetest.Erasure(r.t, r.Log, sequence)); err != nil {
				erased <- err
			}
		}
		close(erased)
	}()
	for going := true; going; {
		select {
		case err, open := <-erased:
			require.NoError(t, err)
			going = open
		default:
		}
		_, err := recovery.Compare(filesOf(data), 0)
		require.NoError(t, err)
	}
}

// What has expired is not missing where webhooks were erased before, and neither is the
// tombstone that has expired with them.
func TestAnErasureExpires(t *testing.T) {
	t.Parallel()
	const maxAge = time.Second
	data := t.TempDir()
	r := run(t, data)
	r.fill(1, 20)
	r.erase(1, 2, 9, 20)
	change(t, r.server, func(config *jetstream.StreamConfig) { config.MaxAge, config.Duplicates = maxAge, maxAge })
	require.Eventually(t, func() bool {
		info, err := r.Info(t.Context())
		require.NoError(t, err)
		require.Equal(t, info.Last-info.First+1, info.Messages)
		return info.Messages == 0
	}, patience, 10*time.Millisecond)
	r.stop()
	require.NoError(t, recovery.Check(filesOf(data), nil))
	r = runFor(t, data, maxAge)
	info, err := r.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{22, 21}, []uint64{info.First, info.Last})
	r.fill(22, 25)
	r.stop()
	require.NoError(t, recovery.Check(filesOf(data), nil))
}

// An archive of a time before the erasure catches up with it.
func TestAnOlderArchiveErasesToo(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	r.fill(1, some)
	_, chain := r.chain()
	older := copied(t, filepath.Join(data, "archive"))
	r.erase(1, 2, 3, 60)
	r.stop()
	require.NoError(t, os.RemoveAll(filepath.Join(data, "archive")))
	require.NoError(t, os.CopyFS(filepath.Join(data, "archive"), os.DirFS(older)))
	requireEqual(t, data, some+1, chain, 1, 2, 3, 60)
}

// A webhook that is gone and that no tombstone names is missing.
func TestWhatWasDeletedIsMissing(t *testing.T) {
	t.Parallel()
	data, _, _ := erasedFolders(t, []uint64{1, 20, 21})
	noteDeleted(t, data, 22)
	refused(t, data, "begins with stream sequence 23", "restore")
}

// A stream that an older program made lets nothing be erased; made anew, it does.
func TestARestoredStreamLetsWebhooksBeErased(t *testing.T) {
	t.Parallel()
	data := filled(t, some)
	meta := filepath.Join(streamFolder(data), "meta.inf")
	denyDelete := func() any {
		content, err := os.ReadFile(meta)
		require.NoError(t, err)
		var settings map[string]any
		require.NoError(t, json.Unmarshal(content, &settings))
		return settings["deny_delete"]
	}
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: filepath.Join(data, "stream")})
	require.NoError(t, err)
	change(t, server, func(config *jetstream.StreamConfig) { config.DenyDelete = true })
	require.NoError(t, server.Close())
	require.Equal(t, true, denyDelete())

	_, err = recovery.Restore(filesOf(data), recovery.Source{})
	require.NoError(t, err)
	require.Equal(t, false, denyDelete())
	require.NoError(t, os.RemoveAll(filepath.Join(data, "aside")))
	r := run(t, data)
	defer r.stop()
	r.erase(1)
	requireNowhere(t, data, 1)
}

// change changes the settings of the stream of webhooks.
func change(t *testing.T, server *eventlog.Embedded, do func(*jetstream.StreamConfig)) {
	t.Helper()
	js, err := jetstream.New(server.Conn())
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), eventlog.WebhooksStream)
	require.NoError(t, err)
	config := stream.CachedInfo().Config
	do(&config)
	_, err = js.UpdateStream(t.Context(), config)
	require.NoError(t, err)
}

// A stream is made anew from a copy of the archive that was taken while orders were
// erased.
func TestACopyOfAnErasedArchiveIsRestored(t *testing.T) {
	t.Parallel()
	data, _, chain := erasedFolders(t, []uint64{5, 6, 50})
	backup := t.TempDir()
	_, err := archive.Copy(filepath.Join(data, "archive"), backup)
	require.NoError(t, err)
	fresh := t.TempDir()
	_, err = recovery.Restore(filesOf(fresh), recovery.Source{Archive: backup, Settings: eventlog.Config{MaxBytes: smallStream}})
	require.NoError(t, err)
	require.NoError(t, os.CopyFS(filepath.Join(fresh, "archive"), os.DirFS(backup)))
	requireEqual(t, fresh, some+1, chain, 5, 6, 50)
}

// A backup from before an erasure that the folder knows of brings nothing back: neither the
// archive nor the stream that is made of it has any of it, before anybody opens them.
func TestABackupFromBeforeAnErasureIsErased(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := run(t, data)
	r.fill(1, some)
	_, chain := r.chain()
	files := filesOf(data)
	backup := copied(t, files.Archive)
	r.erase(5, 6, 60)
	r.stop()
	made := files.Archive + recovery.Making
	require.NoError(t, os.CopyFS(made, os.DirFS(backup)))
	source := recovery.Source{Archive: made, With: []recovery.Swap{{Made: made, Place: files.Archive}}}

	plan, err := recovery.Plan(files, source)
	require.NoError(t, err)
	require.EqualValues(t, some+1, plan.Erased)
	require.Empty(t, plan.Lost)
	_, err = recovery.Restore(files, source)
	require.NoError(t, err)
	requireNowhere(t, data, 5, 6, 60)
	requireEqual(t, data, some+1, chain, 5, 6, 60)
}

// What the stream had forgotten when it was erased is nowhere after the next start, which
// finds nothing wrong; and a stream that is made anew from the archive is the same.
func TestForgottenWebhooksAreErased(t *testing.T) {
	t.Parallel()
	const maxAge = 10 * time.Second
	data := t.TempDir()
	r := runFor(t, data, maxAge)
	r.fill(1, 20)
	forgotten := archivetest.Erasure(r.t, r.Log, 1, 9, 10, 20)
	require.Eventually(t, func() bool {
		info, err := r.Info(t.Context())
		return err == nil && info.Messages == 0
	}, patience, 10*time.Millisecond)
	receipt, err := r.Erase(r.patient(), "ivy", "shop", forgotten)
	require.NoError(t, err)
	require.NoError(t, r.keeper.WaitErased(r.patient(), receipt.StreamSequence))
	requireNowhere(t, filepath.Join(data, "archive"), 1, 9, 10, 20)
	found, err := recovery.Compare(filesOf(data), 0)
	require.NoError(t, err)
	require.Equal(t, uint64(21), found.Mark.StreamSequence)
	r.stop()
	require.NoError(t, recovery.Check(filesOf(data), nil))
	requireNowhere(t, data, 1, 9, 10, 20)

	fresh := t.TempDir()
	_, err = recovery.Restore(filesOf(fresh), recovery.Source{Archive: filepath.Join(data, "archive"), Settings: eventlog.Config{MaxBytes: smallStream}})
	require.NoError(t, err)
	requireNowhere(t, fresh, 1, 9, 10, 20)
	r = run(t, fresh)
	defer r.stop()
	last, chain := r.chain()
	require.Equal(t, uint64(21), last)
	require.Equal(t, found.Mark.Chain, chain)
}
