package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

const (
	// healthTries is how often the server is asked before it counts as unhealthy. It
	// gives itself one millisecond to look after its own start, which a loaded
	// machine does not always have; a write error stays whatever is asked.
	healthTries = 3
	// lookEvery is how often the server is asked whether it can still write, and
	// brokenLooks how often in a row it must deny that to be believed: senders are to
	// learn of it within a second.
	lookEvery   = 100 * time.Millisecond
	brokenLooks = 3
	// writeError is what the server's health says of a stream that failed to write,
	// and of nothing else.
	writeError = "write error"
	// pagesEvery is how often what nobody waits for is synced. The server itself does so
	// every two minutes, and does not say when.
	pagesEvery = 5 * time.Second
	// connectEvery is how often a connection is looked at that has to come back.
	connectEvery = 20 * time.Millisecond
)

// life is one run of the embedded server. After the first write that fails the
// server answers no publisher any more, and does not recover: that ends the life, long
// before the server itself is stopped, which can be read from as before.
type life struct {
	server *server.Server
	logger *slog.Logger
	ctx    context.Context // of the life; its cause says what broke the server
	end    context.CancelCauseFunc
	beside sync.WaitGroup // what goes on as long as the life does
	// rounds are those of the streams; none where nothing is synced here.
	rounds map[string]*rounds
	paged  bool // nobody waits for them
	// stored and durable are the last webhooks that are known to be stored, and to be so
	// as the server promises.
	stored, durable watermark
	// recent are what was stored last.
	recent recent
	// doubted is the first webhook that the files were found to lack though the server has
	// it; 0 where they are not in doubt.
	doubted atomic.Uint64
	// stopping says that the files may be another history's from now on.
	stopping atomic.Bool
}

// begin starts a server, and looks at it until its life ends.
func begin(options *server.Options, sync Sync, logger *slog.Logger) (*life, error) {
	s, err := server.NewServer(options.Clone())
	if err != nil {
		return nil, fmt.Errorf("set up the embedded server: %w", err)
	}
	log := &serverLog{logger: logger}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if err := started(s, options, log); err != nil {
		shutDown(s)
		return nil, err
	}
	l := &life{server: s, logger: logger, paged: sync == SyncPage}
	l.ctx, l.end = context.WithCancelCause(context.Background())
	l.beside.Go(l.look)
	l.beside.Go(func() { l.lookAtDoubted(blocksDir(options.StoreDir, WebhooksStream)) })
	if sync != SyncEach {
		l.beginRounds(options.StoreDir)
	}
	if l.paged {
		l.beside.Go(l.syncPages)
	}
	return l, nil
}

// beginRounds has what the streams write synced here.
func (l *life) beginRounds(dir string) {
	l.rounds = map[string]*rounds{}
	for _, stream := range []string{WebhooksStream, RejectedStream, DecisionsStream} {
		broken := func(err error) { l.end(err) }
		if l.paged {
			broken = func(error) {} // nothing was promised; the mark stays where it is
		}
		rounds := newRounds(blocksOf(dir, stream), broken)
		l.rounds[stream] = rounds
		mark := &mark{dir: brokerfile.StreamDir(dir, stream)}
		l.beside.Go(func() { mark.keep(l.ctx, rounds.reached) })
	}
}

// onDisk returns when a message is on disk that a stream of this life has acknowledged
// or given out; at once where that is not seen to here, as for a stream of another program's.
func (l *life) onDisk(ctx context.Context, stream string, sequence uint64) error {
	if l == nil {
		return nil
	}
	if rounds := l.rounds[stream]; rounds != nil && !l.paged {
		if err := rounds.wait(ctx, sequence); err != nil {
			return err
		}
	}
	if stream == WebhooksStream {
		l.durable.raise(sequence)
	}
	return nil
}

// late tells why a webhook that is stored now would not be on disk in time; nil where it
// would, or where that is not seen to here.
func (l *life) late() error {
	if l == nil || l.paged || l.rounds[WebhooksStream] == nil {
		return nil
	}
	return l.rounds[WebhooksStream].late()
}

// syncPages has on disk now and then what nobody waits for, so that the streams' marks
// follow: what was on disk once must be whole after a power cut.
func (l *life) syncPages() {
	tick := time.NewTicker(pagesEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		account, err := l.server.JszAccount(&server.JSzOptions{Account: server.DEFAULT_GLOBAL_ACCOUNT, Streams: true})
		if err != nil {
			continue
		}
		for _, stream := range account.Streams {
			if rounds := l.rounds[stream.Name]; rounds != nil {
				_ = rounds.wait(l.ctx, stream.State.LastSeq) // where it fails the mark says less
			}
		}
	}
}

func started(s *server.Server, want *server.Options, log *serverLog) error {
	if reason := log.fatal.Load(); reason != nil {
		return fmt.Errorf("start the embedded server: %s", *reason)
	}
	if !s.ReadyForConnections(readyForConnections) {
		return errors.New("start the embedded server: it does not get ready")
	}
	return checkSettings(s, want)
}

func shutDown(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// close ends the life, if that has not happened yet, and stops the server.
func (l *life) close() {
	l.stopping.Store(true)
	l.end(fmt.Errorf("%w: the embedded server was stopped", ErrUnavailable))
	l.beside.Wait()
	for _, r := range l.rounds {
		r.stop(context.Cause(l.ctx))
		r.close()
	}
	shutDown(l.server)
}

// look ends the life when the server is broken.
func (l *life) look() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for failed := 0; ; {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		broken := l.broken()
		if failed++; broken == nil {
			failed = 0
		}
		if failed == brokenLooks {
			l.end(broken)
		}
	}
}

// broken tells why the server can write no more; nil where it can. That it is busy,
// or slow, says nothing. It waits for a sync that is under way.
func (l *life) broken() error {
	if l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	for _, e := range l.server.Healthz(&server.HealthzOptions{Details: true}).Errors {
		failed := e.Type == server.HealthzErrorStream && strings.Contains(e.Error, writeError)
		if failed || e.Type == server.HealthzErrorJetStream {
			return fmt.Errorf("%w: the embedded server is broken: %s", ErrUnavailable, e.Error)
		}
	}
	return nil
}

// vouch tells why what the server has answered must not be believed; nil where it may.
func (l *life) vouch(ctx context.Context) error {
	if l == nil {
		return nil
	}
	return within(ctx, l.broken)
}

// within asks the server something that may wait for its disk, until ctx ends.
func within(ctx context.Context, ask func() error) error {
	found := make(chan error, 1)
	go func() { found <- ask() }()
	select {
	case err := <-found:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
	}
}

// during gives a context that ends after a timeout, and with the life.
func (l *life) during(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	if l == nil {
		return ctx, cancel
	}
	stop := context.AfterFunc(l.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// reason gives why something failed: what has ended the life, if it has, or the error.
func (l *life) reason(err error) error {
	if l != nil && l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	return err
}

func (l *life) health() error {
	if err := l.broken(); err != nil {
		return err
	}
	var health *server.HealthStatus
	for range healthTries {
		if health = l.server.Healthz(&server.HealthzOptions{}); health.Error == "" {
			return nil
		}
	}
	return fmt.Errorf("%w: the embedded server is not healthy: %s", ErrUnavailable, health.Error)
}

// now gives the life that began last; nil where there is no embedded server.
func (e *Embedded) now() *life {
	if e == nil {
		return nil
	}
	return e.life.Load()
}

// AwaitBreak returns when the server has failed to write, with what it says of that,
// or was closed; or when ctx ends, with its error. A server that is slow is not broken.
func (e *Embedded) AwaitBreak(ctx context.Context) error {
	now := e.life.Load()
	select {
	case <-now.ctx.Done():
		return context.Cause(now.ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Restart stops the server, has its files looked at while nobody has them open, and
// starts it anew on them. The connections are the same as before, and are up again when
// it returns. Where it fails the server stays stopped, and it may be tried again.
func (e *Embedded) Restart(ctx context.Context, look func() error) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	if e.over {
		return fmt.Errorf("restart the embedded server: %w", ErrClosed)
	}
	e.life.Load().close()
	if err := look(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	next, err := begin(e.options, e.sync, e.logger)
	if err != nil {
		return err
	}
	e.life.Store(next)
	return e.reconnect(ctx)
}

func (e *Embedded) reconnect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyForConnections)
	defer cancel()
	for _, conn := range []*nats.Conn{e.conn, e.reading} {
		if err := conn.ForceReconnect(); err != nil {
			return fmt.Errorf("connect to the embedded server again: %w", err)
		}
		for !conn.IsConnected() {
			select {
			case <-ctx.Done():
				return fmt.Errorf("connect to the embedded server again: %w", ctx.Err())
			case <-time.After(connectEvery):
			}
		}
	}
	return nil
}
