package api_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest"
	"github.com/ticketrail/ticketrail/ingest/quarantine"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/lookback"
)

// pipeline is the whole way of a webhook on real parts: an embedded stream, a
// projector that runs, and the read model behind the API.
type pipeline struct {
	*client
	log *eventlog.Log
}

func startPipeline(t *testing.T, configure ...func(*api.Config)) *pipeline {
	t.Helper()
	dir := t.TempDir()
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	log, err := eventlog.Open(t.Context(), server.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 64 << 20})
	require.NoError(t, err)
	model := newLedger(t).Model
	p := projector.New(log, model, projector.Config{})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
	running := func() (bool, string, string) { status := p.Status(); return status.Running, status.Reason, status.Hint }
	sources := []ingest.Source{}
	for _, adapter := range provider.All() {
		sources = append(sources, ingest.Source{Name: adapter.Name(), Provider: adapter, Secrets: []string{adapter.NewSecret([24]byte{1})}})
	}
	config := api.Config{
		Projector:  running,
		LookBack:   lookback.New(lookback.Config{Log: log, Model: model, Live: p}),
		Quarantine: quarantine.New(log, model, quarantine.Config{Sources: sources, Now: now}),
	}
	for _, change := range configure {
		change(&config)
	}
	return &pipeline{client: serve(t, api.New(model, log, config)), log: log}
}

// accept puts a webhook of Ordatic on the stream.
func (p *pipeline) accept(body string) uint64 {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	receipt, err := p.log.Append(ctx, &domain.Webhook{Provider: "ordatic", Source: "ordatic", Event: "other", Body: []byte(body)})
	require.NoError(p.t, err)
	return receipt.StreamSequence
}

func ordatic(event string) string {
	return fmt.Sprintf(`{"eventType":%q,"storeId":"store-7","data":{"orderId":"o-1"}}`, event)
}

// Who sends a webhook and asks with the stream sequence of its answer sees what
// the webhook did, in the order, in its timeline, and in the counts; and the raw
// webhook is what was sent, byte for byte.
func TestReadYourOwnWrite(t *testing.T) {
	t.Parallel()
	p := startPipeline(t)
	for i, event := range []string{"order-accepted", "order-in-kitchen", "rider-delivering"} {
		sequence := p.accept(ordatic(event))
		var order api.Order
		p.get(fmt.Sprintf("/v1/orders/ordatic/store-7:o-1?min_stream_sequence=%d", sequence)).into(&order)
		require.Equal(t, uint64(i+1), order.Version)
		require.Equal(t, sequence, order.StreamSequence)
	}
	broken := p.accept(`{"eventType":"order-accepted","storeId":"store-7","data":{}}`)

	var timeline api.Timeline
	p.get(fmt.Sprintf("/v1/orders/ordatic/store-7:o-1/timeline?min_stream_sequence=%d", broken)).into(&timeline)
	require.Len(t, timeline.Entries, 3)
	require.Equal(t, domain.StateRiderDelivering, timeline.Entries[2].State)
	require.Equal(t, ordatic("rider-delivering"), p.get(*timeline.Entries[2].Webhook+"?raw=true").Body)

	var setAside api.QuarantineList
	p.get("/v1/quarantine").into(&setAside)
	require.Len(t, setAside.Entries, 1)
	require.Equal(t, fmt.Sprintf("w-%d", broken), setAside.Entries[0].ID)
	require.Equal(t, domain.CauseKeyMissing, setAside.Entries[0].Cause)

	var projection api.Projection
	p.get("/v1/projection").into(&projection)
	require.Equal(t, broken, projection.Checkpoint)
	require.Equal(t, api.Counts{Applied: 3, Quarantined: 1, Sum: broken}, projection.Counts)
	require.Equal(t, broken, projection.Stream.Last)
	require.Equal(t, api.Lag{}, *projection.Lag)
	require.True(t, *projection.Running)
}
