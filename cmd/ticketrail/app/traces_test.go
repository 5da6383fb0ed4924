package app_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// collector keeps the spans that it is sent.
type collector struct {
	mu    sync.Mutex
	spans []sdk.ReadOnlySpan
}

func (c *collector) ExportSpans(_ context.Context, spans []sdk.ReadOnlySpan) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, spans...)
	return nil
}

func (c *collector) Shutdown(context.Context) error { return nil }

// named gives the spans of a name.
func (c *collector) named(name string) (found []sdk.ReadOnlySpan) {
	for _, s := range c.spans {
		if s.Name() == name {
			found = append(found, s)
		}
	}
	return found
}

func (c *collector) options() app.Options {
	o := options()
	o.Spans = c
	return o
}

func attributesOf(s sdk.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, a := range s.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

// sendersTrace is what a sender says of a trace of its own.
const sendersTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// tell sends a webhook of Ordatic whose sender traces it.
func (p *program) tell(event, order string) {
	p.t.Helper()
	sources, _ := p.Sources()
	for i, source := range sources {
		if source.Provider == "ordatic" {
			request, err := http.NewRequest(http.MethodPost, p.Addresses().Sources[i].URL,
				bytes.NewReader(fmt.Appendf(nil, `{"eventType":%q,"storeId":"s","data":{"orderId":%q}}`, event, order)))
			require.NoError(p.t, err)
			request.Header.Set("Authorization", source.Secrets[0].Reveal())
			request.Header.Set("traceparent", sendersTrace)
			request.Header.Set("tracestate", "a="+hostile)
			response, err := p.http.Do(request)
			require.NoError(p.t, err)
			require.NoError(p.t, response.Body.Close())
			require.Equal(p.t, http.StatusOK, response.StatusCode)
		}
	}
	p.caughtUp()
}

// A trace follows a webhook from its receipt into the read model, with a broker inside and
// with an external one, and says nothing that a sender wrote. A sender's own trace goes
// before only where that is asked for.
func TestATraceFollowsAWebhook(t *testing.T) {
	t.Parallel()
	for _, external := range []bool{false, true} {
		for _, followed := range []bool{false, true} {
			t.Run(fmt.Sprintf("external %t, followed %t", external, followed), func(t *testing.T) {
				t.Parallel()
				c := settings(t)
				c.Traces.FollowSenders = followed
				if external {
					b := startBroker(t)
					c.NATS.URL, c.Stream.MaxBytes = "nats://"+b.address, 64<<20
				}
				traced := &collector{}
				p := run(t, c, traced.options())
				p.tell("order-accepted", hostile)
				p.stop()

				received, published, projected := traced.named("receive webhook"), traced.named("publish webhook"), traced.named("project webhook")
				require.Len(t, traced.spans, 3)
				require.Equal(t, trace.SpanKindServer, received[0].SpanKind())
				require.Equal(t, trace.SpanKindProducer, published[0].SpanKind())
				require.Equal(t, trace.SpanKindConsumer, projected[0].SpanKind())
				require.Equal(t, received[0].SpanContext().SpanID(), published[0].Parent().SpanID())
				require.Equal(t, published[0].SpanContext().SpanID(), projected[0].Parent().SpanID())
				for _, s := range traced.spans {
					require.Equal(t, received[0].SpanContext().TraceID(), s.SpanContext().TraceID())
					require.NotContains(t, fmt.Sprint(s.Name(), attributesOf(s), s.SpanContext().TraceState(), s.Status()), hostile)
				}
				require.Equal(t, followed, received[0].SpanContext().TraceID().String() == sendersTrace[3:35])
				require.Equal(t, followed, received[0].Parent().IsValid())
				require.Equal(t, map[string]string{
					"ticketrail.source": "ordatic", "ticketrail.event": "order-accepted", "ticketrail.outcome": "accepted",
					"http.response.status_code": "200", "ticketrail.stream_sequence": "1",
				}, attributesOf(received[0]))
				require.Equal(t, map[string]string{
					"ticketrail.source": "ordatic", "ticketrail.event": "order-accepted", "ticketrail.stream_sequence": "1",
					"ticketrail.commit.checkpoint": "1", "ticketrail.commit.webhooks": "1",
				}, attributesOf(projected[0]))
			})
		}
	}
}

// A rebuild is one span, and none for each of its webhooks.
func TestARebuildIsOneSpan(t *testing.T) {
	t.Parallel()
	traced := &collector{}
	p := run(t, settings(t), traced.options())
	p.tell("order-accepted", "1")
	p.tell("order-in-kitchen", "1")
	rebuilt := p.ended(p.rebuild(api.RebuildRequest{}).ID)
	require.Equal(t, domain.RebuildSwitched, rebuilt.State)
	p.stop()
	require.Len(t, traced.named("project webhook"), 2)
	rebuilds := traced.named("rebuild")
	require.Len(t, rebuilds, 1)
	require.Equal(t, map[string]string{
		"ticketrail.rebuild": fmt.Sprint(rebuilt.ID), "ticketrail.rebuild.state": "switched", "ticketrail.stream_sequence": "2",
	}, attributesOf(rebuilds[0]))
}

// A webhook carries a header only where its request is traced and sampled.
func TestNoTraceIsStoredForWhatIsNotTraced(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]app.Options{"off": options(), "not sampled": (&collector{}).options(), "sampled": (&collector{}).options()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := settings(t)
			c.Traces.Ratio = map[string]float64{"sampled": 1}[name]
			p := run(t, c, o)
			p.tell("order-accepted", "1")
			p.stop()
			require.Equal(t, name == "sampled", storedTrace(t, c) != "")
		})
	}
}

// storedTrace gives the trace of the first webhook of a program that has ended.
func storedTrace(t *testing.T, c *config.Config) string {
	t.Helper()
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: app.StreamFolder(c.Data)})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	log, err := eventlog.Open(t.Context(), server.Conn(), eventlog.Config{Embedded: true, Dir: app.StreamFolder(c.Data)})
	require.NoError(t, err)
	w, err := log.Webhook(t.Context(), 1)
	require.NoError(t, err)
	return w.Trace
}
