package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/ticketrail/ticketrail/eventlog"
)

// patience bounds every wait for something that is about to come.
const patience = 60 * time.Second

// roomForStreams is what a broker of ours may store, in bytes.
const roomForStreams = int64(64 << 30)

// broker is a NATS server of the version that the program has inside, started here by
// hand: for what the program's own server does not do, such as to take webhooks without
// syncing them.
type broker struct {
	server *server.Server
	conn   *nats.Conn
}

// startBroker starts a server on a folder. It listens on a free port of the loopback.
func startBroker(dir string, syncs bool) (*broker, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "ticketrail", Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: dir, SyncAlways: syncs, MaxPayload: 8 << 20,
		JetStreamMaxStore: roomForStreams, JetStreamMaxMemory: 1 << 28,
	})
	if err != nil {
		return nil, err
	}
	s.Start()
	b := &broker{server: s}
	if !s.ReadyForConnections(patience) {
		return nil, errors.Join(errors.New("the broker does not get ready"), b.close())
	}
	if b.conn, err = nats.Connect("", nats.InProcessServer(s)); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// open opens the streams of the program on it.
func (b *broker) open(ctx context.Context) (*eventlog.Log, error) { return openStreams(ctx, b.conn) }

// openStreams opens the streams of the program on a server, making them where they are
// not there. Those that are keep the room that they have.
func openStreams(ctx context.Context, conn *nats.Conn) (*eventlog.Log, error) {
	log, err := eventlog.Open(ctx, conn, eventlog.Config{})
	if _, isNew := errors.AsType[*eventlog.SettingError](err); isNew {
		return eventlog.Open(ctx, conn, eventlog.Config{MaxBytes: roomForStreams / 2})
	}
	return log, err
}

func (b *broker) close() error {
	if b.conn != nil {
		b.conn.Close()
	}
	b.server.Shutdown()
	b.server.WaitForShutdown()
	return nil
}

// serveBroker is a NATS server in a process of its own: a folder, and "sync" where each
// message is to be synced before it is acknowledged.
func serveBroker(arguments []string) error {
	b, err := startBroker(arguments[0], len(arguments) > 1)
	if err != nil {
		return err
	}
	fmt.Println(b.server.Addr().(*net.TCPAddr))
	awaitEnd()
	return b.close()
}

// embedded is the program's own server with its stream, as the program opens them.
type embedded struct {
	*eventlog.Log
	server *eventlog.Embedded
}

func openEmbedded(ctx context.Context, dir string) (*embedded, error) {
	s, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	log, err := eventlog.Open(ctx, s.Conn(), eventlog.Config{Reading: s.Reading(), Embedded: true, Dir: dir})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &embedded{log, s}, nil
}

func (e *embedded) close() error { return e.server.Close() }
