// Package projectortest has what tests of the projector and of its relatives
// need: a real broker that can be stopped, and webhooks to put on its stream.
package projectortest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/projector"
)

// Patience bounds every wait; none should come near it.
const Patience = 30 * time.Second

// Broker is a real stream in a folder, which can be stopped and started again.
type Broker struct {
	*eventlog.Log
	t      testing.TB
	dir    string
	server *eventlog.Embedded
}

// StartBroker starts a broker that stops with the test. Its window for duplicates
// is a tenth of a second.
func StartBroker(t testing.TB, dir string) *Broker {
	t.Helper()
	b := &Broker{t: t, dir: dir}
	b.Start()
	t.Cleanup(b.Stop)
	return b
}

// Start starts a stopped broker on the same folder.
func (b *Broker) Start() {
	b.t.Helper()
	var err error
	b.server, err = eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: b.dir, MaxBody: 4 << 20})
	require.NoError(b.t, err)
	b.Log, err = eventlog.Open(context.Background(), b.server.Conn(), eventlog.Config{
		Replicas: 1, Embedded: true, Dir: b.dir, DuplicateWindow: 100 * time.Millisecond,
	})
	require.NoError(b.t, err)
}

// Stop stops the broker; on a stopped one it does nothing.
func (b *Broker) Stop() {
	b.t.Helper()
	if b.server != nil {
		require.NoError(b.t, b.server.Close())
		b.server = nil
	}
}

// Server gives the broker's server, to change what no Log changes.
func (b *Broker) Server() *eventlog.Embedded { return b.server }

// Accept puts a webhook of Ordatic on the stream and gives its stream sequence.
func (b *Broker) Accept(body string) uint64 {
	b.t.Helper()
	return b.AcceptAs(&domain.Webhook{Provider: "ordatic", Source: "shop", Event: "other", Body: []byte(body)})
}

// AcceptAs puts a webhook on the stream and gives its stream sequence.
func (b *Broker) AcceptAs(w *domain.Webhook) uint64 {
	b.t.Helper()
	receipt, err := b.Append(context.Background(), w)
	require.NoError(b.t, err)
	return receipt.StreamSequence
}

// AcceptAgain puts a webhook on the stream a second time, when the stream's own
// window for duplicates is over.
func (b *Broker) AcceptAgain(w *domain.Webhook) (streamSequence uint64) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		receipt, err := b.Append(context.Background(), w)
		streamSequence = receipt.StreamSequence
		return err == nil && !receipt.Duplicate
	}, Patience, 10*time.Millisecond)
	return streamSequence
}

// Ordatic gives the body of an Ordatic webhook.
func Ordatic(event, order string) string {
	return fmt.Sprintf(`{"eventType":%q,"storeId":"s","data":{"orderId":%q}}`, event, order)
}

// Follow runs a projector in the background until the test ends or stop is called.
func Follow(t testing.TB, p *projector.Projector) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	var stopped bool
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-done)
		}
	}
	t.Cleanup(stop)
	return stop
}
