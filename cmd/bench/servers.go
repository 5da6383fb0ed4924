package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/cmd/bench/load"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/ingest"
)

// unlimited is more webhooks a second than any source sends, and more at once.
const unlimited = 100_000

// serveNull is the yardstick of whatever is asked over HTTP: a handler that reads the
// body, and does no more.
func serveNull([]string) error {
	return serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
}

// servePublish is the yardstick of one webhook at a time: a handler that publishes each
// request by itself to a server that syncs each message, and looks at nothing.
func servePublish(arguments []string) error {
	b, err := startBroker(arguments[0], true)
	if err != nil {
		return err
	}
	if _, err := b.open(context.Background()); err != nil {
		return err
	}
	js, err := jetstream.New(b.conn)
	if err != nil {
		return err
	}
	return errors.Join(serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		source := strings.TrimPrefix(r.URL.Path, "/webhooks/")
		ack, err := js.PublishMsg(r.Context(), &nats.Msg{Subject: "webhooks." + source + "." + source + ".other", Data: body})
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, `{"stream_sequence":%d,"duplicate":%t}`, ack.Sequence, ack.Duplicate)
	})), b.close())
}

// serveIngest is the receiver of the program over the embedded broker, with the limits of
// the program's memory, and without what else it does: a folder, when a webhook is on
// disk, and "archive" where there is to be one.
func serveIngest(arguments []string) (err error) {
	defer runtime.KeepAlive(app.LimitMemory(0))
	dir := filepath.Join(arguments[0], "stream")
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir, Sync: eventlog.Sync(arguments[1])})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	log, err := eventlog.Open(ctx, server.Conn(), eventlog.Config{Reading: server.Reading(), Embedded: true, Dir: dir})
	if err != nil {
		return err
	}
	if len(arguments) > 2 {
		leave, err := keepArchive(ctx, log, filepath.Join(arguments[0], "archive"))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, leave()) }()
	}
	handler, err := ingest.New(log, ingest.Config{Sources: sources(), MaxInFlight: unlimited})
	if err != nil {
		return err
	}
	return serve(handler)
}

// keepArchive has every answer wait for the archive too, as the program does.
func keepArchive(ctx context.Context, log *eventlog.Log, dir string) (leave func() error, err error) {
	info, err := log.Info(ctx)
	if err != nil {
		return nil, err
	}
	writer, err := archive.Open(dir, info.Identity)
	if err != nil {
		return nil, err
	}
	keeper := archive.NewKeeper(log, writer, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		keeper.Run(ctx)
	}()
	log.AnswerAfter(keeper)
	return func() error {
		cancel()
		<-done
		return writer.Close()
	}, nil
}

// sources are one for each provider, of its name.
func sources() (all []ingest.Source) {
	for _, p := range provider.All() {
		all = append(all, ingest.Source{Name: p.Name(), Provider: p, Secrets: []string{load.Secret(p)}, Rate: unlimited})
	}
	return all
}

// serve serves a handler on a free port, says where, and ends with the standard input.
func serve(handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Println(listener.Addr())
	awaitEnd()
	if err := errors.Join(server.Close(), <-served); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// awaitEnd returns when whoever started this process has nothing more to say.
func awaitEnd() { _, _ = io.Copy(io.Discard, os.Stdin) }

// digestHead is enough of a digest to tell any two bodies of a run apart.
type digestHead [8]byte

func headOf(body []byte) digestHead {
	digest := domain.DigestBody(body)
	return digestHead(digest[:8])
}
