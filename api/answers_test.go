package api_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// switchTo puts a copy of the read model in use in its place, in which a statement has
// changed something.
func (l *ledger) switchTo(name, statement string) {
	l.t.Helper()
	path := filepath.Join(filepath.Dir(l.Model.Path()), name)
	require.NoError(l.t, sqlite.CopyLive(l.t.Context(), l.Model.Path(), path))
	db, err := sql.Open("sqlite3", sqlite.DSN(path))
	require.NoError(l.t, err)
	_, err = db.ExecContext(l.t.Context(), statement)
	require.NoError(l.t, err)
	require.NoError(l.t, db.Close())
	next, err := sqlite.Open(l.t.Context(), path)
	require.NoError(l.t, err)
	require.NoError(l.t, l.Model.Replace(next))
}

// stoppedClock stands where it was set to.
type stoppedClock struct{ at atomic.Int64 } // since the opening

func (c *stoppedClock) now() time.Time { return opening.Add(time.Duration(c.at.Load())) }

func (c *stoppedClock) set(to time.Time) { c.at.Store(int64(to.Sub(opening))) }

// unwatched is a read model of which no answer is kept.
type unwatched struct{ *sqlite.Model }

func (unwatched) Watch() (holds func() bool) { return func() bool { return false } }

func (u unwatched) WatchOrder(string, string) (holds func() bool) { return u.Watch() }

// secretive is an event that brings something new, some of it personal.
func secretive(key string, n int) domain.Event {
	e := accepted(key)
	e.Stamp = domain.NewStamp(domain.InstantOf(opening.Add(time.Duration(n)*time.Second)), 0, 0, domain.Digest{})
	e.ProviderStatus, e.Reference = fmt.Sprint("status-", n), fmt.Sprint("secret-", n)
	return e
}

// Whatever is committed, erased, rebuilt or put in the place of the read model, and whatever
// the clock makes late, who asks again is told what is so now, to the header.
func TestKeptAnswersAreThoseOfTheReadModel(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	tokens := guardedBy(newKeyring())
	clock := &stoppedClock{}
	limits := &domain.Limits{All: map[domain.State]time.Duration{domain.StateAccepted: 15 * time.Minute}}
	config := api.Config{Now: clock.now, Limits: limits, Sources: []api.Source{{Name: "ordatic", Currency: "SEK"}, {Name: "ivy"}}}
	tokens(&config)
	keeping := l.handler(func(c *api.Config) { c.Now, c.Limits = config.Now, config.Limits }, tokens)
	forgetting := api.New(unwatched{l.Model}, l, config)
	n := 0
	keys := []string{"a", "b", "c"}
	for _, key := range keys {
		l.apply("ordatic", "ordatic", secretive(key, n))
	}
	rapid.Check(t, func(r *rapid.T) {
		for _, act := range rapid.SliceOfN(rapid.IntRange(0, 9), 1, 4).Draw(r, "acts") {
			n++
			key := rapid.SampledFrom(keys).Draw(r, "key")
			switch act {
			case 0:
				l.switchTo(fmt.Sprint("switched-", n, ".db"), fmt.Sprintf(`UPDATE orders SET document = json_set(document, '$.provider_status.value', 'switched-%d')`, n))
			case 1:
				l.apply("ordatic", "ordatic", domain.Event{Key: key, Kind: domain.Tombstone})
			case 2:
				_, err := l.Model.ReplaceOrder(t.Context(), &domain.OrderRows{Order: l.orders["ordatic/"+key]}, false)
				require.NoError(t, err)
			case 3: // nothing has happened
			case 4, 5: // to the moment in which an order is late
				late := limits.LateAt(l.orders["ordatic/"+key])
				if to := late.Add(time.Duration(rapid.IntRange(-1, 1).Draw(r, "nanoseconds"))); to.After(clock.now()) {
					clock.set(to)
				}
			default:
				l.apply("ordatic", "ordatic", secretive(key, n))
			}
			for _, target := range []string{"/v1/orders/ordatic/" + key, "/v1/orders/ordatic/" + key + "/timeline?limit=3", "/v1/orders?limit=2", "/v1/orders?q=secret", "/v1/orders/ordatic/nobody", "/v1/orders?late=true&sort=since", "/v1/orders?late=true&limit=1", "/v1/stats/time-in-state", "/v1/stats/timeseries?metric=webhooks"} {
				for _, token := range []string{"read", "raw"} {
					want := ask(t, forgetting, target, token)
					for range 2 {
						got := ask(t, keeping, target, token)
						require.Equal(t, want.Status, got.Status, target)
						require.Equal(t, want.Body, got.Body, target)
						require.Equal(t, want.Header, got.Header, target)
					}
				}
			}
		}
	})
}

// A minute that has begun is in a range up to now, also for who asked in the very moment
// of its beginning.
func TestAMinuteThatHasBegunIsTold(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.apply("ordatic", "ordatic", secretive("a", 1))
	clock := &stoppedClock{}
	clock.set(clock.now().Truncate(time.Minute))
	c := l.serve(func(c *api.Config) { c.Now = clock.now })
	const target = "/v1/stats/timeseries?metric=webhooks&step=1m"
	require.Equal(t, "[]\n", c.get(target).Body)
	clock.set(clock.now().Add(1))
	require.Contains(t, c.get(target).Body, `"series":"applied","value":1`)
}

// Nobody is told less than they have seen already, by whatever way, while orders are
// committed and read models switched; nor anything of an order that was erased, once its
// erasure has been committed.
func TestNobodyIsToldWhatIsOlder(t *testing.T) {
	t.Parallel()
	const keys, rounds = 4, 60
	l := newLedger(t)
	keeping := l.handler()
	var committed [keys]atomic.Uint64
	var erased [keys]atomic.Bool
	write := func(e domain.Event) {
		l.apply("ordatic", "ordatic", e)
		var k int
		_, err := fmt.Sscan(e.Key, &k)
		require.NoError(t, err)
		committed[k].Store(uint64(len(l.sent)))
		erased[k].Store(e.Kind == domain.Tombstone)
	}
	for k := range keys {
		write(secretive(fmt.Sprint(k), 0))
	}
	over := make(chan struct{})
	var readers sync.WaitGroup
	for reader := range 4 {
		readers.Go(func() {
			for k := reader; ; k++ {
				select {
				case <-over:
					return
				default:
				}
				k := k % keys
				isErased := erased[k].Load()
				seen := committed[k].Load()
				if reader%2 == 0 {
					order, err := l.Model.Order(t.Context(), "ordatic", fmt.Sprint(k))
					if !assert.NoError(t, err) {
						return
					}
					seen = max(seen, order.StreamSequence)
				}
				var told api.Order
				recorder := httptest.NewRecorder()
				keeping.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprint("http://localhost/v1/orders/ordatic/", k), http.NoBody))
				if !assert.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &told)) {
					return
				}
				assert.GreaterOrEqual(t, told.StreamSequence, seen)
				if isErased {
					assert.Nil(t, told.Reference)
				}
			}
		})
	}
	for n := 1; n <= rounds; n++ {
		key := fmt.Sprint(n % keys)
		switch {
		case n%10 == 0:
			l.switchTo(fmt.Sprint("switched-", n, ".db"), "SELECT 1")
		case n > rounds/2 && n%3 == 0:
			write(domain.Event{Key: key, Kind: domain.Tombstone})
		case !erased[n%keys].Load(): // which takes no more webhooks
			write(secretive(key, n))
		}
	}
	close(over)
	readers.Wait()
}
