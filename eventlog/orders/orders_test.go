package orders_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/orders"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait; none should come near it.
const patience = time.Minute

// model is a read model that changes are read from, and the stream of webhooks behind it.
type model struct {
	mu      sync.Mutex
	changes []orders.Change
	news    chan struct{}
	newest  uint64
	last    uint64 // of the stream
	large   uint64 // the change whose order is larger than the broker takes
}

func newModel() *model { return &model{news: make(chan struct{})} }

// change has so many more changes come.
func (m *model) change(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range n {
		m.newest++
		c := change(m.newest)
		if m.newest == m.large {
			c.Data = fmt.Appendf(nil, `{"stream_sequence":%d,"order":%q}`, m.newest, strings.Repeat("x", 9<<20))
		}
		m.changes = append(m.changes, c)
	}
	m.last = max(m.last, m.newest)
	close(m.news)
	m.news = make(chan struct{})
}

func change(n uint64) orders.Change {
	return orders.Change{
		StreamSequence: n, Source: "ordatic", Key: fmt.Sprint("o ", n), State: domain.StateReady,
		ReceivedAt: domain.InstantOf(time.Unix(1_700_000_000, 0)), Data: fmt.Appendf(nil, `{"stream_sequence":%d}`, n),
	}
}

func (m *model) Newest(context.Context) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest, nil
}

func (m *model) Info(context.Context) (domain.StreamInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return domain.StreamInfo{Last: m.last}, nil
}

func (m *model) Follow(_ context.Context, after uint64) (func(context.Context) ([]orders.Change, error), func(), error) {
	return func(ctx context.Context) ([]orders.Change, error) {
		for {
			m.mu.Lock()
			var found []orders.Change
			for _, c := range m.changes {
				if c.StreamSequence > after && len(found) < 7 {
					found = append(found, c)
				}
			}
			news := m.news
			m.mu.Unlock()
			if len(found) > 0 {
				after = found[len(found)-1].StreamSequence
				return found, nil
			}
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-news:
			}
		}
	}, func() {}, nil
}

// external starts a server of its own, on a folder.
func external(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	broker, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true,
	})
	require.NoError(t, err)
	broker.Start()
	require.True(t, broker.ReadyForConnections(patience))
	t.Cleanup(func() {
		broker.Shutdown()
		broker.WaitForShutdown()
	})
	return broker
}

func connect(t *testing.T, broker *server.Server) *nats.Conn {
	t.Helper()
	conn, err := eventlog.Connect(eventlog.Servers{URL: broker.ClientURL()}, nil)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// brokers are the two kinds of brokers, with a connection to each.
func brokers(t *testing.T) map[string]*nats.Conn {
	t.Helper()
	embedded, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, embedded.Close()) })
	return map[string]*nats.Conn{"embedded": embedded.Reading(), "external": connect(t, external(t, t.TempDir(), -1))}
}

// publishing is a publisher that runs.
type publishing struct {
	*orders.Publisher
	metrics *prometheus.Registry
	stop    func()
}

func publish(t *testing.T, conn *nats.Conn, m *model) publishing {
	t.Helper()
	return publishWith(t, orders.Config{Conn: conn, MaxBytes: 1 << 20, MaxAge: time.Hour}, m)
}

func publishWith(t *testing.T, config orders.Config, m *model) publishing {
	t.Helper()
	metrics := prometheus.NewRegistry()
	config.Source, config.Newest, config.Log, config.Registerer = m, m.Newest, m, metrics
	publisher, err := orders.New(t.Context(), config)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- publisher.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(stop)
	return publishing{publisher, metrics, stop}
}

// messages waits until the stream has a change, and gives all of its messages.
func messages(t *testing.T, conn *nats.Conn, until uint64) []*jetstream.RawStreamMsg {
	t.Helper()
	return messagesUntil(t, conn, func(all []*jetstream.RawStreamMsg) bool {
		if len(all) == 0 {
			return false
		}
		last, err := strconv.ParseUint(all[len(all)-1].Header.Get("ce-id"), 10, 64)
		return err == nil && last >= until
	})
}

// messagesUntil waits until the messages of the stream are enough, and gives them.
func messagesUntil(t *testing.T, conn *nats.Conn, enough func([]*jetstream.RawStreamMsg) bool) (all []*jetstream.RawStreamMsg) {
	t.Helper()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		stream, err := js.Stream(t.Context(), orders.Stream)
		if err != nil {
			return false
		}
		state := stream.CachedInfo().State
		all = nil
		for sequence := state.FirstSeq; sequence <= state.LastSeq && state.Msgs > 0; sequence++ {
			m, err := stream.GetMsg(t.Context(), sequence)
			if err != nil {
				return false
			}
			all = append(all, m)
		}
		return enough(all)
	}, patience, 5*time.Millisecond)
	return all
}

func ids(all []*jetstream.RawStreamMsg) (told []string) {
	for _, m := range all {
		told = append(told, m.Header.Get("ce-id"))
	}
	return told
}

func counting(from, to int) (all []string) {
	for n := from; n <= to; n++ {
		all = append(all, fmt.Sprint(n))
	}
	return all
}

// A change is a CloudEvent in binary mode, under its source and its state.
func TestChangeIsACloudEvent(t *testing.T) {
	t.Parallel()
	for name, conn := range brokers(t) {
		m := newModel()
		publish(t, conn, m)
		m.change(1)
		told := messages(t, conn, 1)
		require.Len(t, told, 1, name)
		require.Equal(t, "orders.ordatic.ready", told[0].Subject)
		require.Equal(t, `{"stream_sequence":1}`, string(told[0].Data))
		require.Equal(t, nats.Header{
			"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-type": {"ticketrail.order.changed"}, "ce-source": {"/v1/orders/ordatic"},
			"ce-subject": {"o%201"}, "ce-time": {"2023-11-14T22:13:20Z"}, "Content-Type": {"application/json"},
			"Nats-Msg-Id": {"1"}, "Nats-Expected-Stream": {"ORDERS"}, "Nats-Expected-Last-Sequence": {"0"},
		}, published(told[0]))
	}
}

// An order that has grown beyond what the broker takes holds nothing up: its change comes
// without it.
func TestLargeOrderIsLeftOut(t *testing.T) {
	t.Parallel()
	for name, conn := range brokers(t) {
		m := newModel()
		m.large = 2
		publish(t, conn, m)
		m.change(3)
		told := messages(t, conn, 3)
		require.Equal(t, counting(1, 3), ids(told), name)
		require.JSONEq(t, `{"stream_sequence":2,"order":null}`, string(told[1].Data))
		require.JSONEq(t, `{"stream_sequence":3}`, string(told[2].Data))
	}
}

// AsyncAPI describes each header that a message has, and no other.
func TestHeadersAreThoseOfTheDocument(t *testing.T) {
	t.Parallel()
	conn := brokers(t)["embedded"]
	m := newModel()
	publish(t, conn, m)
	m.change(1)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	messages(t, conn, 1)
	stream, err := js.Stream(t.Context(), orders.Stream)
	require.NoError(t, err)
	consumer, err := stream.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{})
	require.NoError(t, err)
	told, err := consumer.Next(jetstream.FetchMaxWait(patience))
	require.NoError(t, err)

	var document struct {
		Components struct {
			Messages map[string]struct {
				Headers struct{ Properties map[string]any }
			}
		}
	}
	text, err := os.ReadFile("../../api/asyncapi.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &document))
	described := document.Components.Messages["orderChanged"].Headers.Properties
	require.ElementsMatch(t, slices.Collect(maps.Keys(described)), slices.Collect(maps.Keys(told.Headers())))
}

// published gives the headers that a message was published with.
func published(m *jetstream.RawStreamMsg) nats.Header {
	for _, added := range []string{"Nats-Sequence", "Nats-Stream", "Nats-Subject", "Nats-Time-Stamp", "Nats-Num-Pending", "Nats-Last-Sequence"} {
		delete(m.Header, added) // by who gives it
	}
	return m.Header
}

// Whatever a key is made of, a header can hold it, and it comes back.
func FuzzEscapedSubject(f *testing.F) {
	for _, key := range []string{"store-7:o-1", "å \"100%\"\r\n", "\x00\xff"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		escaped := orders.Escape(key)
		require.Empty(t, strings.Trim(escaped, printable), escaped)
		plain, err := url.PathUnescape(escaped)
		require.NoError(t, err)
		require.Equal(t, key, plain)
	})
}

const printable = "!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

// A publisher that is stopped at any time, again and again, leaves no change out, and brings
// them in their order, each once.
func TestPublishesOnOverRestarts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 8))
	for name, conn := range brokers(t) {
		m := newModel()
		first := publish(t, conn, m)
		first.stop()
		for range 20 {
			p := publish(t, conn, m)
			m.change(1 + random.IntN(40))
			if random.IntN(2) == 0 {
				messages(t, conn, uint64(1+random.IntN(int(m.newest))))
			}
			p.stop()
		}
		publish(t, conn, m)
		require.Equal(t, counting(1, int(m.newest)), ids(messages(t, conn, m.newest)), name)
	}
}

// A stream that was just made begins with what comes, also where nothing came before the
// first restart.
func TestNewStreamHasNoHistory(t *testing.T) {
	t.Parallel()
	for name, conn := range brokers(t) {
		m := newModel()
		m.change(5)
		p := publish(t, conn, m)
		p.stop()
		m.change(2)
		publish(t, conn, m)
		m.change(1)
		require.Equal(t, counting(6, 8), ids(messages(t, conn, 8)), name)
	}
}

// While a read model is made anew nothing is published again.
func TestRebuildIsSilent(t *testing.T) {
	t.Parallel()
	for name, conn := range brokers(t) {
		m := newModel()
		p := publish(t, conn, m)
		m.change(10)
		messages(t, conn, 10)
		p.stop()
		anew := newModel()
		anew.last = 10
		anew.change(3)
		publish(t, conn, anew)
		anew.change(9)
		require.Equal(t, counting(1, 12), ids(messages(t, conn, 12)), name)
	}
}

// Where the stream of webhooks ends before what was published, what comes is published.
func TestStreamThatWentBack(t *testing.T) {
	t.Parallel()
	for name, conn := range brokers(t) {
		m := newModel()
		p := publish(t, conn, m)
		m.change(10)
		messages(t, conn, 10)
		p.stop()
		other := newModel()
		other.change(4)
		publish(t, conn, other)
		// The ids of the old stream are known for a while yet: beyond them nothing is absorbed.
		other.change(8)
		all := ids(messages(t, conn, 12))
		require.Equal(t, []string{"10", "11", "12"}, all[len(all)-3:], name)
	}
}

// A broker that is away holds changes up, and loses none.
func TestPublishesOnWhenTheBrokerIsBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broker := external(t, dir, -1)
	port := netip.MustParseAddrPort(broker.Addr().String()).Port()
	conn := connect(t, broker)
	m := newModel()
	publish(t, conn, m)
	m.change(20)
	messages(t, conn, 20)
	broker.Shutdown()
	broker.WaitForShutdown()
	m.change(20)
	external(t, dir, int(port))
	require.Equal(t, counting(1, 40), ids(messages(t, conn, 40)))
}

// The stream keeps what fits, takes the limits that are configured, and keeps on.
func TestLimitsOfTheStream(t *testing.T) {
	t.Parallel()
	for name, conn := range brokers(t) {
		m := newModel()
		p := publish(t, conn, m)
		m.change(200)
		messages(t, conn, 200)
		p.stop()
		publishWith(t, orders.Config{Conn: conn, MaxBytes: 20_000, MaxAge: time.Minute}, m)
		m.change(100)
		kept := messages(t, conn, 300)
		require.Less(t, len(kept), 100, name)
		require.Greater(t, len(kept), 10, name)
	}
}
