package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

const (
	// readyTimeout is how long a stream that is ready may take to say so.
	readyTimeout = 2 * time.Second
	// leastRoom is what a stream must have left to be ready: an ordinary webhook.
	leastRoom = 16 << 10
	// leaderTimeout bounds the wait for the leader of the stream's servers.
	leaderTimeout = 5 * time.Second
)

// Config says how the streams must be.
type Config struct {
	// Replicas is the number of servers that keep each stream; 1 where it is 0.
	Replicas int
	// MaxBytes is what the webhooks may take on disk. 0 means what an existing
	// stream has; on the embedded server at least half of what its disk
	// has room for. An external server's disk cannot be seen, so a new stream there
	// needs a number. The limit of an existing stream is never lowered.
	MaxBytes int64
	// MaxBody is the largest body of a webhook in bytes. A server that does not
	// take messages of that size is refused; 0 leaves it unchecked.
	MaxBody int64
	// MaxAge is how long webhooks are kept; 0 means for ever. It is never lowered.
	MaxAge time.Duration
	// DuplicateWindow is how long an identical webhook is absorbed; 2 minutes
	// where it is 0.
	DuplicateWindow time.Duration
	// Reading is a connection of its own for [Log.Batches], so that no receipt has to
	// wait behind the many webhooks that a reader is sent; the same one where it is nil.
	Reading *nats.Conn
	// Embedded says that the connection is that of an [Embedded] server, and Dir
	// is then the server's folder.
	Embedded bool
	Dir      string
	// Looks says that another process makes and mends the streams, and finishes erasures: here
	// they are only checked, which takes no right to change them.
	Looks bool
	// Beside is what other streams of the embedded server may take than those of a [Log],
	// in bytes.
	Beside int64
	// MinFree is what must be left on Dir's disk for a webhook to be taken, in
	// bytes. 0 means 256 MiB, or a twentieth of a disk that is smaller than 5 GiB.
	MinFree int64
	// KeptHeaders are headers of rejected requests that are kept beside the usual ones,
	// with canonical names: none may hold a secret.
	KeptHeaders []string
}

// Log is the stream of webhooks and, beside it, the streams of rejected requests
// and of decisions about them. It is safe for concurrent use, and does not own its
// connections.
type Log struct {
	js        jetstream.JetStream
	reading   jetstream.JetStream // for Batches
	webhooks  jetstream.Stream
	rejected  jetstream.Stream
	decisions jetstream.Stream
	// storeWebhook and storeAside store a message, the latter one that is no webhook's.
	storeWebhook, storeAside store
	leader                   nats.JetStreamManager
	copy                     Copy // nil where receipts wait for none
	erased                   *erasures
	erasing                  sync.Mutex // one erasure at a time
	embedded                 *Embedded  // nil where the server is external
	dir                      string     // of the embedded server
	minFree                  int64
	keptHeaders              []string // of rejected requests
	beside                   int64
	roomSeen                 atomic.Pointer[time.Time] // when the disk had so much; nil at first
	roomLeft                 atomic.Int64              // see takeRoom
}

// Open makes the streams, or checks the ones that are there: a stream that could
// lose webhooks, or a server that could not take them, is a [SettingError]. When
// it returns on an embedded server, the streams' files are on disk by name as well.
func Open(ctx context.Context, nc *nats.Conn, config Config) (*Log, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("open the streams: %w", err)
	}
	reading, err := jetstream.New(cmp.Or(config.Reading, nc))
	if err != nil {
		return nil, fmt.Errorf("open the streams: %w", err)
	}
	leader, err := nc.JetStream()
	if err != nil {
		return nil, fmt.Errorf("open the streams: %w", err)
	}
	if err := checkPayload(nc, config.MaxBody); err != nil {
		return nil, err
	}
	log := &Log{
		js: js, reading: reading, leader: leader, dir: config.Dir, minFree: config.MinFree, beside: config.Beside,
		keptHeaders: slices.Concat(keptHeaders, config.KeptHeaders),
	}
	log.erased = newErasures(log)
	if config.Embedded {
		embedded, ok := nc.Opts.InProcessServer.(*Embedded)
		if !ok {
			return nil, errors.New("open the streams: the connection is not that of an embedded server")
		}
		log.embedded = embedded
	}
	if err := log.ensureStreams(ctx, config); err != nil {
		return nil, err
	}
	if err := log.openStores(); err != nil {
		return nil, err
	}
	webhooks := log.webhooks.CachedInfo()
	log.noteRoom(webhooks.State, webhooks.Config.MaxBytes)
	return log, nil
}

func (l *Log) openStores() error {
	config := PublisherConfig{Timeout: defaultPublishTimeout, Server: l.embedded}
	l.storeAside = single{l.js, config, noCopy}.store
	copy := func() Copy { return l.copy }
	if l.embedded == nil {
		roaming := &roaming{storing: l.js.Conn(), reading: l.reading.Conn()}
		l.storeWebhook = roaming.watch(single{l.js, config, copy}.store)
		return nil
	}
	committer, err := newCommitter(l.embedded, defaultPublishTimeout, copy)
	if err != nil {
		return fmt.Errorf("open the streams: %w", err)
	}
	l.storeWebhook = committer.store
	return nil
}

func (l *Log) ensureStreams(ctx context.Context, config Config) error {
	webhooks, err := l.wantedWebhooks(ctx, config)
	if err != nil {
		return err
	}
	open := ensureStream
	if config.Looks {
		open = lookAtStream
	}
	if l.rejected, err = open(ctx, l.js, rejectedStream(config)); err != nil {
		return err
	}
	if l.decisions, err = open(ctx, l.js, decisionsStream(config)); err != nil {
		return err
	}
	l.webhooks, err = open(ctx, l.js, webhooks)
	if err == nil && !config.Looks {
		err = l.finishErasures(ctx)
	}
	if err != nil || !config.Embedded {
		return err
	}
	return l.markSynced(config.Dir)
}

// markSynced has all that the server has written on disk, and notes that.
func (l *Log) markSynced(dir string) error {
	if err := SyncTree(dir); err != nil {
		return fmt.Errorf("sync the streams: %w", err)
	}
	for _, stream := range []jetstream.Stream{l.webhooks, l.rejected, l.decisions} {
		info := stream.CachedInfo()
		if err := markSynced(brokerfile.StreamDir(dir, info.Config.Name), l.embedded.sync, info.State.LastSeq); err != nil {
			return fmt.Errorf("sync the streams: %w", err)
		}
	}
	return nil
}

// Append stores a webhook and says where. The webhook is taken as it is: its
// ReceivedAt is stored only where it is set, and its StreamSequence is not set.
//
// It returns [ErrFull] where there is no room, [ErrTooLarge] for a body over the
// server's limit, [ErrUnfit] for names that are no tokens, for an id that
// domain.IsWebhookID does not take or a content type over 1 KiB, and
// [ErrUnavailable] where the stream did not answer before ctx ended, or within 5 seconds
// from when those are done that came before it. Then it may have been stored nevertheless. So
// it may where a copy that is waited for did not take it in that time: see [Log.AnswerAfter].
func (l *Log) Append(ctx context.Context, w *domain.Webhook) (Receipt, error) {
	n, err := webhookMessage(w)
	if err != nil {
		return Receipt{}, err
	}
	return l.keep(ctx, n)
}

// Webhook reads one webhook, or what is left of one that was erased, or returns
// domain.ErrNotFound.
func (l *Log) Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error) {
	s, err := l.message(ctx, streamSequence)
	if errors.Is(err, domain.ErrNotFound) {
		return l.erased.webhook(ctx, streamSequence)
	}
	if err != nil {
		return nil, err
	}
	return s.webhook(), nil
}

// message reads one message of the stream of webhooks, or returns domain.ErrNotFound.
func (l *Log) message(ctx context.Context, streamSequence uint64) (*stored, error) {
	if streamSequence == 0 {
		return nil, domain.ErrNotFound
	}
	raw, err := l.webhooks.GetMsg(ctx, streamSequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		raw, err = l.askLeader(ctx, streamSequence)
	}
	switch {
	case errors.Is(err, nats.ErrMsgNotFound):
		return nil, domain.ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("read webhook %d: %w", streamSequence, refusal(err))
	}
	return storedRaw(raw), nil
}

// askLeader asks the one server of a cluster that surely has every webhook. Any
// other may be behind, and does not have the newest ones yet.
func (l *Log) askLeader(ctx context.Context, streamSequence uint64) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, leaderTimeout)
	defer cancel()
	raw, err := l.leader.GetMsg(WebhooksStream, streamSequence, nats.Context(ctx))
	if err != nil {
		return nil, err
	}
	return &jetstream.RawStreamMsg{
		Subject: raw.Subject, Sequence: raw.Sequence, Header: raw.Header, Data: raw.Data, Time: raw.Time,
	}, nil
}

// Info tells where the stream of webhooks stands; erased webhooks count as there. It
// returns [ErrUnavailable] where that does not answer, which wraps [ErrStreamLost] where
// the server does not have it.
func (l *Log) Info(ctx context.Context) (domain.StreamInfo, error) {
	info, err := l.describe(ctx)
	if err == nil && info.First+info.Messages != info.Last+1 {
		// What expires between the questions, with its tombstone, looks like a hole.
		return l.describe(ctx)
	}
	return info, err
}

func (l *Log) describe(ctx context.Context) (domain.StreamInfo, error) {
	info, err := l.look(ctx)
	if err != nil {
		return domain.StreamInfo{}, err
	}
	state := info.State
	first, webhooks, err := l.erased.count(ctx, state)
	if err != nil {
		return domain.StreamInfo{}, err
	}
	described := domain.StreamInfo{
		Identity: domain.StreamIdentity{Name: info.Config.Name, CreatedAt: domain.InstantOf(info.Created)},
		First:    first,
		Last:     state.LastSeq,
		Messages: webhooks,
		Bytes:    state.Bytes,
		MaxBytes: uint64(max(0, info.Config.MaxBytes)),
		Unsure:   unsure(info),
	}
	if state.Msgs == 0 {
		described.First = described.Last + 1
	}
	if state.LastSeq > 0 {
		described.LastAt = domain.InstantOf(state.LastTime)
	}
	return described, nil
}

// look asks for the stream, and notes what room it has: all that who only writes asks of it.
func (l *Log) look(ctx context.Context) (*jetstream.StreamInfo, error) {
	info, err := l.webhooks.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for the stream: %w", refusal(err))
	}
	l.noteRoom(info.State, info.Config.MaxBytes)
	return info, nil
}

// Ready tells why no webhook could be stored now: [ErrUnavailable] where the
// stream does not answer within 2 seconds, the embedded server is broken, or a sync of
// its files does not come to its end,
// [ErrFull] where the stream or the embedded server's disk has no room for an
// ordinary webhook.
func (l *Log) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := l.health(ctx); err != nil {
		return err
	}
	if err := l.checkRoom(); err != nil {
		return err
	}
	info, err := l.look(ctx)
	if err != nil {
		return err
	}
	if l.roomLeft.Load() < leastRoom {
		return fmt.Errorf("%w: %d of %d bytes are taken", ErrFull, info.State.Bytes, info.Config.MaxBytes)
	}
	return nil
}

// Reading gives the connection that webhooks are read on, which has an owner of its own.
func (l *Log) Reading() *nats.Conn { return l.reading.Conn() }

// Durability says what a receipt of Append promises.
func (l *Log) Durability() Durability {
	switch {
	case l.embedded == nil:
		return Unknown
	case l.embedded.sync == SyncPage:
		return Paged
	}
	return Synced
}

func (l *Log) health(ctx context.Context) error {
	if l.embedded == nil {
		return nil
	}
	return within(ctx, l.embedded.Health)
}
