package eventlog_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ticketrail/ticketrail/eventlog"
)

func streamConfig(t *testing.T, embedded *eventlog.Embedded, stream string) jetstream.StreamConfig {
	t.Helper()
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	s, err := js.Stream(t.Context(), stream)
	require.NoError(t, err)
	return s.CachedInfo().Config
}

// The stream of webhooks refuses rather than forgets, and that of rejected
// requests forgets rather than grows.
func TestOpenMakesTheStreams(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	log, err := eventlog.Open(t.Context(), embedded.Conn(), eventlog.Config{Embedded: true, Dir: dir})
	require.NoError(t, err)
	require.Equal(t, eventlog.Synced, log.Durability())
	require.Empty(t, eventlog.Synced.Note())

	webhooks := streamConfig(t, embedded, eventlog.WebhooksStream)
	require.Equal(t, []string{"webhooks.>"}, webhooks.Subjects)
	require.Equal(t, jetstream.FileStorage, webhooks.Storage)
	require.Equal(t, jetstream.LimitsPolicy, webhooks.Retention)
	require.Equal(t, jetstream.DiscardNew, webhooks.Discard)
	require.Positive(t, webhooks.MaxBytes)
	var disk unix.Statfs_t
	require.NoError(t, unix.Statfs(dir, &disk))
	free := int64(disk.Bavail) * disk.Bsize
	require.Less(t, webhooks.MaxBytes, free/5*4, "the read model needs room too")
	require.Zero(t, webhooks.MaxAge)
	require.EqualValues(t, -1, webhooks.MaxMsgs)
	require.EqualValues(t, -1, webhooks.MaxMsgsPerSubject)
	require.Equal(t, 2*time.Minute, webhooks.Duplicates)
	require.True(t, webhooks.AllowDirect && webhooks.AllowAtomicPublish)
	require.False(t, webhooks.DenyDelete, "an erasure deletes")
	require.False(t, webhooks.DenyPurge, "what is in the archive's store is trimmed")
	require.False(t, webhooks.AllowRollup || webhooks.AllowMsgTTL || webhooks.AllowMsgSchedules || webhooks.NoAck)
	require.Equal(t, jetstream.NoCompression, webhooks.Compression)
	require.Equal(t, jetstream.DefaultPersistMode, webhooks.PersistMode)

	rejected := streamConfig(t, embedded, eventlog.RejectedStream)
	require.Equal(t, []string{"rejected.>"}, rejected.Subjects)
	require.Equal(t, jetstream.DiscardOld, rejected.Discard)
	require.EqualValues(t, 64<<20, rejected.MaxBytes)
	require.Equal(t, 7*24*time.Hour, rejected.MaxAge)
}

// Opening again changes nothing; more room and a longer memory are given to the
// stream that is there.
func TestOpenRaisesLimits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	open := func(config eventlog.Config) {
		config.Embedded, config.Dir = true, dir
		_, err := eventlog.Open(t.Context(), embedded.Conn(), config)
		require.NoError(t, err)
	}
	open(eventlog.Config{MaxBytes: 1 << 20, MaxAge: time.Hour})
	before := streamConfig(t, embedded, eventlog.WebhooksStream)
	open(eventlog.Config{MaxBytes: 1 << 20, MaxAge: time.Hour})
	require.Equal(t, before, streamConfig(t, embedded, eventlog.WebhooksStream))

	open(eventlog.Config{MaxBytes: 2 << 20, MaxAge: 2 * time.Hour, DuplicateWindow: time.Minute})
	raised := streamConfig(t, embedded, eventlog.WebhooksStream)
	require.EqualValues(t, 2<<20, raised.MaxBytes)
	require.Equal(t, 2*time.Hour, raised.MaxAge)
	require.Equal(t, time.Minute, raised.Duplicates)

	open(eventlog.Config{})
	raised = streamConfig(t, embedded, eventlog.WebhooksStream)
	require.Greater(t, raised.MaxBytes, int64(2<<20))
	require.Zero(t, raised.MaxAge)
}

// A limit that would make the stream forget or refuse sooner is not applied
// silently: the operator is told.
func TestOpenLowersNoLimit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	base := eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 2 << 20}
	_, err := eventlog.Open(t.Context(), embedded.Conn(), base)
	require.NoError(t, err)
	before := streamConfig(t, embedded, eventlog.WebhooksStream)

	lessRoom, lessTime, tooMuch := base, base, base
	lessRoom.MaxBytes, lessTime.MaxAge, tooMuch.MaxBytes = 1<<20, time.Hour, 1<<60
	for setting, config := range map[string]eventlog.Config{
		"WEBHOOKS max_bytes": lessRoom,
		"WEBHOOKS max_age":   lessTime,
		"stream.max_bytes":   tooMuch,
	} {
		_, err := eventlog.Open(t.Context(), embedded.Conn(), config)
		var wrong *eventlog.SettingError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, setting, wrong.Setting)
		require.NotEmpty(t, wrong.Hint)
	}
	require.Equal(t, before, streamConfig(t, embedded, eventlog.WebhooksStream))
}

// A stream of our name that could lose webhooks is refused and left as it is.
func TestOpenRefusesAWeakerStream(t *testing.T) {
	t.Parallel()
	for setting, weaken := range map[string]func(*jetstream.StreamConfig){
		"discard":              func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
		"storage":              func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"retention":            func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy },
		"max_msgs":             func(c *jetstream.StreamConfig) { c.MaxMsgs = 3 },
		"max_msgs_per_subject": func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 },
		"max_msg_size":         func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1000 },
		"subjects":             func(c *jetstream.StreamConfig) { c.Subjects = []string{"webhooks.ivy.>"} },
		"compression":          func(c *jetstream.StreamConfig) { c.Compression = jetstream.S2Compression },
		"allow_rollup_hdrs":    func(c *jetstream.StreamConfig) { c.AllowRollup = true },
		"allow_msg_ttl":        func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true },
		"no_ack":               func(c *jetstream.StreamConfig) { c.NoAck = true },
		"persist_mode":         func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode },
		"republish":            func(c *jetstream.StreamConfig) { c.RePublish = &jetstream.RePublish{Destination: "copy.>"} },
		"subject_transform": func(c *jetstream.StreamConfig) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: "webhooks.>", Destination: "webhooks.x.>"}
		},
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			embedded := startEmbedded(t, dir)
			js, err := jetstream.New(embedded.Conn())
			require.NoError(t, err)
			weak := jetstream.StreamConfig{
				Name: eventlog.WebhooksStream, Subjects: []string{"webhooks.>"}, Discard: jetstream.DiscardNew, MaxBytes: 1 << 20,
			}
			weaken(&weak)
			_, err = js.CreateStream(t.Context(), weak)
			require.NoError(t, err)
			before := streamConfig(t, embedded, eventlog.WebhooksStream)

			_, err = eventlog.Open(t.Context(), embedded.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 1 << 20})
			var wrong *eventlog.SettingError
			require.ErrorAs(t, err, &wrong)
			require.Equal(t, "WEBHOOKS "+setting, wrong.Setting)
			require.ErrorContains(t, err, setting)
			require.NotEmpty(t, wrong.Hint)
			require.Equal(t, before, streamConfig(t, embedded, eventlog.WebhooksStream))
		})
	}
}

// What only strengthens a stream is put right without a word.
func TestOpenStrengthensAStream(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded := startEmbedded(t, dir)
	js, err := jetstream.New(embedded.Conn())
	require.NoError(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: eventlog.WebhooksStream, Subjects: []string{"webhooks.>"}, Discard: jetstream.DiscardNew, MaxBytes: 1 << 20,
		Metadata: map[string]string{"owner": "us"},
	})
	require.NoError(t, err)
	openLog(t, embedded, dir)
	config := streamConfig(t, embedded, eventlog.WebhooksStream)
	require.True(t, config.AllowDirect && config.AllowAtomicPublish)
	require.Equal(t, "us", config.Metadata["owner"])
}

// Without the embedded server's own connection nothing can be promised about it.
func TestOpenEmbeddedNeedsItsOwnConnection(t *testing.T) {
	t.Parallel()
	external := startExternal(t, t.TempDir(), -1)
	_, err := eventlog.Open(t.Context(), connectTo(t, external), eventlog.Config{Embedded: true, Dir: t.TempDir()})
	require.ErrorContains(t, err, "not that of an embedded server")
}
