package app_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmaxmax/go-sse"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// follow follows the changes after a stream sequence, and gives what gives the next event
// as its kind and its id.
func (p *program) follow(lastID string) (next func() [2]string) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Addresses().API+"/v1/changes", nil)
	require.NoError(p.t, err)
	request.Header.Set("Last-Event-ID", lastID)
	response, err := p.http.Do(request)
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, response.StatusCode)
	events, done := make(chan sse.Event), make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = response.Body.Close() }()
		for event, err := range sse.Read(response.Body, nil) {
			if err != nil {
				return
			}
			if event.Data == "" {
				continue
			}
			select {
			case events <- event:
			case <-ctx.Done():
				return
			}
		}
	}()
	p.t.Cleanup(func() {
		cancel()
		<-done
	})
	return func() [2]string {
		select {
		case event := <-events:
			return [2]string{event.Type, event.LastEventID}
		case <-done:
			return [2]string{"the feed has ended"}
		}
	}
}

// Who follows the changes goes on where it was after a restart, and over a rebuild, without
// a gap, a repetition, or another id. Where a rebuild changed orders it is told to read them
// anew, also when it was away then.
func TestFeedGoesOnOverRestartsAndRebuilds(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := run(t, c, options())
	p.ordatic("order-accepted", "1")
	p.ordatic("order-accepted", "2")
	next := p.follow("0")
	require.Equal(t, [2]string{"change", "1"}, next())
	require.Equal(t, [2]string{"change", "2"}, next())
	p.stop()
	require.Equal(t, [2]string{"the feed has ended"}, next())

	p = run(t, c, options())
	p.ordatic("order-accepted", "3")
	next = p.follow("2")
	require.Equal(t, [2]string{"change", "3"}, next())
	require.Equal(t, domain.RebuildSwitched, p.ended(p.rebuild(api.RebuildRequest{}).ID).State)
	p.ordatic("order-accepted", "4")
	require.Equal(t, [2]string{"change", "4"}, next(), "the rebuilt read model has the same orders")
	require.Equal(t, [2]string{"change", "4"}, p.follow("3")())
	p.stop()

	changed, gate := newer()
	p = run(t, c, changed)
	next = p.follow("3")
	require.Equal(t, [2]string{"change", "4"}, next())
	close(gate)
	require.Equal(t, [2]string{"reset", "4"}, next())
	require.Equal(t, domain.StateInKitchen, p.state("1"))
	p.stop()
	p = run(t, c, changed)
	require.Equal(t, [2]string{"reset", "4"}, p.follow("3")())
}
