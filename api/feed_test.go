package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmaxmax/go-sse"

	"github.com/ticketrail/ticketrail/api"
)

// brittle is a connection that breaks when so many bytes have been read from it.
type brittle struct {
	net.Conn
	left int
}

var errBroken = errors.New("the connection broke")

func (c *brittle) Read(p []byte) (int, error) {
	if c.left == 0 {
		_ = c.Close()
		return 0, errBroken
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// breaking gives a client whose every connection breaks at a random place.
func breaking(random *rand.Rand) *http.Client {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return &brittle{Conn: conn, left: 400 + random.IntN(8_000)}, err
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
}

// reader follows the changes over many connections, as a browser does.
type reader struct {
	t      *testing.T
	url    string
	http   *http.Client
	last   string // id
	read   []uint64
	resets int
	breaks int
}

// once reads until the connection breaks, or a stream sequence has come.
func (r *reader) once(until uint64) {
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url, nil)
	require.NoError(r.t, err)
	request.Header.Set("Last-Event-ID", r.last)
	response, err := r.http.Do(request)
	if err != nil {
		r.breaks++
		return
	}
	defer func() { _ = response.Body.Close() }()
	require.Equal(r.t, http.StatusOK, response.StatusCode)
	for event, err := range sse.Read(response.Body, nil) {
		if err != nil {
			r.breaks++
			return
		}
		if r.take(event) >= until {
			return
		}
	}
}

func (r *reader) take(event sse.Event) (at uint64) {
	r.last = event.LastEventID
	switch event.Type {
	case "reset":
		r.resets++
	case "change":
		var change api.Change
		require.NoError(r.t, json.Unmarshal([]byte(event.Data), &change))
		r.read = append(r.read, change.StreamSequence)
	}
	_, err := fmt.Sscan(event.LastEventID, &at)
	require.True(r.t, err == nil || errors.Is(err, io.EOF), "%q", event.LastEventID) // retry has no id
	return at
}

// counting gives 1, 2, … n.
func counting(n int) []uint64 {
	all := make([]uint64, n)
	for i := range all {
		all[i] = uint64(i + 1)
	}
	return all
}

// A hundred connections that break anywhere, also in the middle of an event, lose no change
// and repeat none, while webhooks come.
func TestBrokenConnectionsLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	const orders, breaks = 600, 100
	l := newLedger(t)
	c := l.fed(api.FeedConfig{Heartbeat: 1e6})
	r := &reader{t: t, url: c.base + "/v1/changes?after=0", http: breaking(rand.New(rand.NewPCG(1, 9)))}
	written := make(chan struct{})
	go func() {
		defer close(written)
		for n := range orders {
			l.apply("ordatic", "ordatic", accepted(fmt.Sprint("o-", n)))
		}
	}()
	for len(r.read) < orders {
		r.once(orders)
	}
	<-written
	require.GreaterOrEqual(t, r.breaks, breaks)
	require.Zero(t, r.resets)
	require.Equal(t, counting(orders), r.read)
}

// Who reads nothing for a while holds nobody up, neither the projector nor who reads, and
// is told to read the orders anew when it has fallen too far behind.
func TestSlowClientIsReset(t *testing.T) {
	t.Parallel()
	const orders = 150
	l := newLedger(t)
	c := l.fed(api.FeedConfig{Behind: 10})
	slow, err := c.http.Get(c.base + "/v1/changes?after=0")
	require.NoError(t, err)
	defer func() { _ = slow.Body.Close() }()
	quick := c.follow("")
	for n := range orders {
		large := accepted(fmt.Sprint("o-", n))
		large.Description = strings.Repeat("x", 100_000)
		l.apply("ordatic", "ordatic", large)
		require.EqualValues(t, n+1, quick.change().StreamSequence)
	}
	late := &reader{t: t}
	for event, err := range sse.Read(slow.Body, &sse.ReadConfig{MaxEventSize: 1 << 20}) {
		if err != nil || late.take(event) == orders { // it may have been cut already
			break
		}
	}
	if late.last != fmt.Sprint(orders) {
		late.url, late.http = c.base+"/v1/changes", c.http
		late.once(orders)
	}
	require.Positive(t, late.resets)
	require.Less(t, len(late.read), orders)
	require.True(t, slices.IsSorted(late.read))
	require.Equal(t, late.read, slices.Compact(slices.Clone(late.read)), "nothing twice")
}
