package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/cmd/bench/load"
	"github.com/ticketrail/ticketrail/eventlog"
)

// unacknowledged is how many webhooks are under way to a stream that is being filled.
const unacknowledged = 4096

// filled is what a stream was filled with.
type filled struct {
	dir string // the data folder; the stream is in its folder
	// Webhooks is their number, and the last stream sequence.
	Webhooks uint64 `json:"webhooks"`
	// Orders is how many there are in all.
	Orders uint64 `json:"orders"`
}

// fill makes a data folder with the stream of so many orders. There must be none of the
// name yet: what is filled twice has everything twice.
func (b *bench) fill(ctx context.Context, name string, orders int) (*filled, error) {
	f := &filled{dir: filepath.Join(b.dir, name)}
	if err := os.Mkdir(f.dir, 0o700); err != nil {
		return nil, err
	}
	err := ask(ctx, f, "fill", f.dir, strconv.Itoa(orders), fmt.Sprint(b.streamSeed))
	return f, err
}

// ask runs a role of this program to its end, and reads what it prints.
func ask(ctx context.Context, answer any, role string, arguments ...string) error {
	p, err := self(ctx, role, arguments...)
	if err != nil {
		return err
	}
	line, err := p.line()
	if err != nil {
		return err
	}
	return errors.Join(json.Unmarshal([]byte(line), answer), p.end())
}

// fillStream is the process that fills: a data folder, a number of orders and a seed.
// The server does not sync, so that it takes seconds; what it wrote is the same.
func fillStream(arguments []string) error {
	orders, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(arguments[2], 10, 64)
	if err != nil {
		return err
	}
	b, err := startBroker(filepath.Join(arguments[0], "stream"), false)
	if err != nil {
		return err
	}
	if _, err := b.open(context.Background()); err != nil {
		return err
	}
	f, err := publishAll(b.conn, load.NewMix(seed), orders)
	if err := errors.Join(err, b.close()); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

func publishAll(conn *nats.Conn, mix *load.Mix, orders int) (f filled, err error) {
	var failed error
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(unacknowledged),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, _ *nats.Msg, err error) { failed = err }))
	if err != nil {
		return f, err
	}
	keys := map[string]bool{}
	for w := range mix.Webhooks(0, orders) {
		m, err := messageOf(w)
		if err != nil {
			return f, err
		}
		if _, err := js.PublishMsgAsync(m, jetstream.WithStallWait(patience)); err != nil {
			return f, err
		}
		if f.Webhooks++; w.Key != "" {
			keys[w.Source+" "+w.Key] = true
		}
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-time.After(patience):
		return f, errors.New("the stream does not acknowledge")
	}
	f.Orders = uint64(len(keys))
	return f, failed
}

// messageOf gives a webhook as the program publishes it.
func messageOf(w load.Webhook) (*nats.Msg, error) {
	subject, m, err := eventlog.NewMessage(w.Webhook)
	if err != nil {
		return nil, err
	}
	n := &nats.Msg{Subject: subject, Data: m.Payload}
	for name, value := range m.Metadata {
		if n.Header == nil {
			n.Header = nats.Header{}
		}
		n.Header[name] = []string{value}
	}
	return n, nil
}
