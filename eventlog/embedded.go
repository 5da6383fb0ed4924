package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	// serverName is stable, so that a folder always belongs to the same server.
	serverName = "ticketrail"
	// defaultMaxBody is the largest webhook where none is configured, in bytes.
	defaultMaxBody = 4 << 20
	// headerRoom is what a message may have besides its body: the server's own
	// limit for headers.
	headerRoom = 64 << 10
	// maxMemory bounds what JetStream keeps in memory. No stream is kept there;
	// the state of an ordered consumer is, and is small.
	maxMemory = 64 << 20
	// readyForConnections bounds the wait for a server that has recovered its
	// streams, which it does before, in whatever time that takes.
	readyForConnections = 10 * time.Second
	// drainTimeout bounds the wait for what the connection has under way.
	drainTimeout = 5 * time.Second
)

// EmbeddedConfig says where and how the embedded server runs.
type EmbeddedConfig struct {
	// Dir is the server's own folder, made where it is missing. It must be under
	// a folder that the caller has locked: see LockFolder.
	Dir string
	// MaxBody is the largest body of a webhook in bytes; 4 MiB where it is 0.
	MaxBody int64
	// Sync is when messages are on disk; SyncGroup where it is empty.
	Sync Sync
	// Logger takes the server's warnings and errors; none where it is nil.
	Logger *slog.Logger
}

// Embedded is a NATS server in this process, with two connections to it. It
// listens on no address. It is safe for concurrent use.
type Embedded struct {
	options *server.Options
	sync    Sync
	logger  *slog.Logger
	life    atomic.Pointer[life] // the last one that began
	conn    *nats.Conn
	reading *nats.Conn
	closed  chan struct{} // when the connection is

	turn sync.Mutex // held while the server is started or stopped
	over bool       // it was closed
}

// StartEmbedded starts a server on a folder and connects to it. The settings
// that make an acknowledged webhook durable are checked on the running server:
// one that differs is a [SettingError].
func StartEmbedded(config EmbeddedConfig) (*Embedded, error) {
	config.Sync = cmp.Or(config.Sync, SyncGroup)
	if err := config.Sync.check(); err != nil {
		return nil, fmt.Errorf("start the embedded server: %w", err)
	}
	options, err := serverOptions(config)
	if err != nil {
		return nil, err
	}
	embedded := &Embedded{
		options: options, sync: config.Sync, logger: cmp.Or(config.Logger, slog.New(slog.DiscardHandler)), closed: make(chan struct{}),
	}
	if err := embedded.start(); err != nil {
		return nil, errors.Join(err, embedded.Close())
	}
	return embedded, nil
}

func serverOptions(config EmbeddedConfig) (*server.Options, error) {
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the stream's folder: %w", err)
	}
	maxStore, err := room(config.Dir)
	if err != nil {
		return nil, err
	}
	maxPayload := int32(cmp.Or(config.MaxBody, defaultMaxBody) + headerRoom)
	return &server.Options{
		ServerName:         serverName,
		DontListen:         true,
		NoSigs:             true,
		NoLog:              true, // the bridge is set by hand
		JetStream:          true,
		StoreDir:           config.Dir,
		SyncAlways:         config.Sync == SyncEach,
		JetStreamMaxStore:  maxStore,
		JetStreamMaxMemory: maxMemory,
		MaxPayload:         maxPayload,
		MaxPending:         max(server.MAX_PENDING_SIZE, 16*int64(maxPayload)),
	}, nil
}

func (e *Embedded) start() error {
	first, err := begin(e.options, e.sync, e.logger)
	if err != nil {
		return err
	}
	e.life.Store(first)
	conn, err := connect(nats.DefaultURL, e.logger,
		nats.InProcessServer(e),
		nats.ClosedHandler(func(*nats.Conn) { close(e.closed) }))
	if err != nil {
		return fmt.Errorf("connect to the embedded server: %w", err)
	}
	e.conn = conn
	if e.reading, err = connect(nats.DefaultURL, e.logger, nats.InProcessServer(e)); err != nil {
		return fmt.Errorf("connect to the embedded server: %w", err)
	}
	return nil
}

// checkSettings asserts on the running server what an acknowledgement promises.
func checkSettings(s *server.Server, want *server.Options) error {
	have := s.JetStreamConfig()
	if have == nil {
		return &SettingError{
			Setting: "jetstream", Want: "enabled", Have: "disabled",
			Hint: "the server could not open its folder: its log says why",
		}
	}
	settings := []struct{ name, want, have string }{
		{"sync_always", strconv.FormatBool(want.SyncAlways), strconv.FormatBool(have.SyncAlways)},
		{"max_storage", strconv.FormatInt(want.JetStreamMaxStore, 10), strconv.FormatInt(have.MaxStore, 10)},
		{"max_memory", strconv.FormatInt(want.JetStreamMaxMemory, 10), strconv.FormatInt(have.MaxMemory, 10)},
	}
	for _, s := range settings {
		if s.want != s.have {
			return &SettingError{
				Setting: "jetstream " + s.name, Want: s.want, Have: s.have,
				Hint: "this program was built with a server that it does not know: build it with the version in go.mod",
			}
		}
	}
	return nil
}

// InProcessConn opens a connection to the server: with it an Embedded is what
// nats.InProcessServer wants.
func (e *Embedded) InProcessConn() (net.Conn, error) {
	return e.life.Load().server.InProcessConn()
}

// Conn is the connection that the server's owner shares with every part. It is
// closed by Close only.
func (e *Embedded) Conn() *nats.Conn { return e.conn }

// Reading is a second connection, for [Config.Reading]. It is closed by Close only.
func (e *Embedded) Reading() *nats.Conn { return e.reading }

// Health tells what is wrong with the server; nil where nothing is. After a
// write error the server stays broken until it is started again, although there
// may be room on the disk by then: see [Embedded.Restart].
func (e *Embedded) Health() error { return e.life.Load().health() }

// Close lets the connection finish what it has under way, for 5 seconds at the
// most, and stops the server. A second Close does nothing.
func (e *Embedded) Close() error {
	e.turn.Lock()
	defer e.turn.Unlock()
	e.over = true
	if e.reading != nil {
		e.reading.Close() // its readers have ended, and it has nothing to say
	}
	err := e.closeConn()
	if last := e.life.Load(); last != nil {
		last.close()
	}
	return err
}

func (e *Embedded) closeConn() error {
	switch {
	case e.conn == nil || e.conn.IsClosed():
		return nil
	case !e.conn.IsConnected(): // the server could not be started again: nothing is under way
		e.conn.Close()
		return nil
	}
	if err := e.conn.Drain(); err != nil {
		e.conn.Close()
		return fmt.Errorf("drain the connection: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	select {
	case <-e.closed:
		return nil
	case <-ctx.Done():
		e.conn.Close()
		return fmt.Errorf("drain the connection: %w", ctx.Err())
	}
}
