package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
	"github.com/ticketrail/ticketrail/eventlog"
)

// patience bounds every wait; none should come near it.
const patience = 5 * time.Minute

// program is a running program, and a client of its two sides.
type program struct {
	*app.App
	t    *testing.T
	http *http.Client
}

func run(t *testing.T, c *config.Config, o app.Options) *program {
	t.Helper()
	p := &program{App: start(t, c, o), t: t, http: &http.Client{Timeout: patience}}
	t.Cleanup(p.stop)
	return p
}

// stop stops the program; a second time it does nothing.
func (p *program) stop() {
	require.NoError(p.t, p.Stop())
	p.http.CloseIdleConnections()
}

// ask asks the API, with a body where there is one, and gives its answer.
func (p *program) ask(method, path string, body any) (status int, text []byte, err error) {
	content, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequest(method, p.Addresses().API+path, bytes.NewReader(content))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := p.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	text, err = io.ReadAll(response.Body)
	_ = response.Body.Close() // it was read to its end
	return response.StatusCode, text, err
}

// get reads an answer that must be a success.
func (p *program) get(path string, answer any) {
	p.t.Helper()
	p.change(http.MethodGet, path, nil, answer)
}

// change changes something, which must be a success, and reads the answer.
func (p *program) change(method, path string, body, answer any) {
	p.t.Helper()
	status, text, err := p.ask(method, path, body)
	require.NoError(p.t, err)
	require.Equal(p.t, 2, status/100, "%s %s: %d %s", method, path, status, text)
	require.NoError(p.t, json.Unmarshal(text, answer))
}

// rebuild begins a rebuild.
func (p *program) rebuild(request api.RebuildRequest) (begun api.Rebuild) {
	p.t.Helper()
	p.change(http.MethodPost, "/v1/rebuilds", request, &begun)
	return begun
}

// ended waits for the end of a rebuild.
func (p *program) ended(id int) (told api.Rebuild) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		p.get(fmt.Sprint("/v1/rebuilds/", id), &told)
		return told.State.Ended()
	}, patience, 5*time.Millisecond)
	require.Nil(p.t, told.Error)
	require.NotNil(p.t, told.EndedAt)
	return told
}

// caughtUp waits until the read model has all of the stream, and gives where it is.
func (p *program) caughtUp() (projection api.Projection) {
	p.t.Helper()
	p.get("/v1/projection", &projection)
	return p.reached(projection.Stream.Last)
}

// reached waits until the read model has come to a stream sequence, and gives
// where it is then.
func (p *program) reached(streamSequence uint64) (projection api.Projection) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		p.get("/v1/projection", &projection)
		return projection.Checkpoint >= streamSequence
	}, patience, 5*time.Millisecond)
	require.Equal(p.t, projection.Checkpoint, projection.Counts.Sum)
	return projection
}

// ordatic sends a webhook of Ordatic, and waits until it is applied.
func (p *program) ordatic(event, order string) {
	p.t.Helper()
	p.reached(p.accepted(event, order))
}

// accepted sends a webhook of Ordatic, and gives its stream sequence.
func (p *program) accepted(event, order string) uint64 {
	p.t.Helper()
	answer, err := p.sender("ordatic").Send(p.t.Context(), "", fmt.Appendf(nil, `{"eventType":%q,"storeId":"s","data":{"orderId":%q}}`, event, order))
	require.NoError(p.t, err)
	require.True(p.t, answer.OK())
	return answer.StreamSequence
}

// state gives the state of an order of Ordatic.
func (p *program) state(order string) domain.State {
	p.t.Helper()
	var told api.Order
	p.get("/v1/orders/ordatic/s:"+order, &told)
	return told.State
}

func (p *program) sender(name string) *sender.Sender {
	adapter, _ := provider.Named(name)
	sources, _ := p.Sources()
	for i, source := range sources {
		if source.Provider == name {
			return &sender.Sender{
				Client: p.http, URL: p.Addresses().Sources[i].URL, Provider: adapter, Secret: source.Secrets[0].Reveal(),
			}
		}
	}
	return nil
}

// perSecond is how often each reader and the sender of a test ask while something
// else goes on: often enough to meet every moment of it, and no more.
const perSecond = 200

// traffic sends simulated orders until ctx ends.
func (p *program) traffic(ctx context.Context) error {
	simulator := simulate.New(2)
	pace := rate.NewLimiter(perSecond, 1)
	for n := 0; ; n++ {
		for _, adapter := range provider.All() {
			for _, webhook := range simulator.Order(adapter.Name(), n, time.Unix(1_700_000_000, 0)) {
				if pace.Wait(ctx) != nil {
					return nil
				}
				answer, err := p.sender(adapter.Name()).Send(context.WithoutCancel(ctx), webhook.ID, webhook.Body)
				if err != nil || !answer.OK() {
					return fmt.Errorf("a webhook was answered %d: %w", answer.Status, err)
				}
			}
		}
	}
}

// senders is how many webhooks fill puts on the stream at once.
const senders = 64

// fill puts simulated orders of all providers, at least so many webhooks, on the
// stream of a program that does not run yet.
func fill(t *testing.T, c *config.Config, webhooks int) {
	t.Helper()
	folder := app.StreamFolder(c.Data)
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: folder})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	log, err := eventlog.Open(t.Context(), server.Conn(), eventlog.Config{Embedded: true, Dir: folder})
	require.NoError(t, err)
	var group errgroup.Group
	group.SetLimit(senders)
	simulator := simulate.New(1)
	for n, sent := 0, 0; sent < webhooks; n++ {
		for _, adapter := range provider.All() {
			for _, w := range simulator.Order(adapter.Name(), n, time.Unix(1_700_000_000, 0)) {
				sent++
				group.Go(func() error {
					_, err := log.Append(t.Context(), &domain.Webhook{
						Provider: w.Provider, Source: w.Provider, Event: w.Event, ID: w.ID, Body: w.Body,
					})
					return err
				})
			}
		}
	}
	require.NoError(t, group.Wait())
}
