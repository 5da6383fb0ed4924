package simulate_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

// orders is how many orders of each provider the tests look at.
const orders = 200

var began = time.Date(2026, 5, 1, 18, 0, 0, 0, time.UTC)

func forEachProvider(t *testing.T, test func(*testing.T, provider.Provider)) {
	t.Helper()
	for _, p := range provider.All() {
		t.Run(p.Name(), func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}

// The same seed, number and beginning give the same bytes, whatever was made
// before; another seed, number or beginning gives others.
func TestOrderFollowsFromSeedNumberAndBeginning(t *testing.T) {
	t.Parallel()
	forEachProvider(t, func(t *testing.T, p provider.Provider) {
		first := simulate.New(7)
		for n := range 20 {
			order := first.Order(p.Name(), n, began)
			require.Equal(t, order, simulate.New(7).Order(p.Name(), n, began))
			require.NotEqual(t, order, simulate.New(8).Order(p.Name(), n, began))
			require.NotEqual(t, order, first.Order(p.Name(), n+1, began))
		}
	})
	require.Nil(t, simulate.New(7).Order("nobody", 1, began))
}

// An order's times follow its beginning, and its webhooks come in rising order.
func TestWebhooksAreSentInOrder(t *testing.T) {
	t.Parallel()
	forEachProvider(t, func(t *testing.T, p provider.Provider) {
		for n := range orders {
			webhooks := simulate.New(1).Order(p.Name(), n, began)
			require.NotEmpty(t, webhooks)
			require.GreaterOrEqual(t, webhooks[0].After, time.Duration(0))
			require.True(t, slices.IsSortedFunc(webhooks, func(a, b simulate.Webhook) int { return int(a.After - b.After) }))
		}
	})
}

// Every webhook is one that its provider takes: signed it verifies, it is
// identified as what it says it is, and it translates, without an oddity, to an
// event of the one order that the history is of.
func TestWebhooksAreTheProviders(t *testing.T) {
	t.Parallel()
	forEachProvider(t, func(t *testing.T, p provider.Provider) {
		secret := p.NewSecret([24]byte{1, 2, 3})
		keys := make(map[string]int)
		for n := range orders {
			for _, webhook := range simulate.New(2).Order(p.Name(), n, began) {
				require.Equal(t, p.Name(), webhook.Provider)
				require.True(t, json.Valid(webhook.Body))

				request := &provider.Request{Body: webhook.Body, At: began.Add(webhook.After)}
				p.Sign(request, secret, webhook.ID)
				require.NoError(t, p.Verify(request, []string{secret}))
				identity, err := p.Identify(request)
				require.NoError(t, err)
				require.Equal(t, provider.Identity{Event: webhook.Event, WebhookID: webhook.ID}, identity)

				event := translate(t, p, webhook)
				if event == nil {
					continue // about no order
				}
				require.Empty(t, event.Anomalies, "%s", webhook.Body)
				owner, known := keys[event.Key]
				require.True(t, !known || owner == n, "two orders have one key")
				keys[event.Key] = n
			}
		}
		require.Len(t, keys, orders)
	})
}

// Every order ends, and where its story says.
func TestOrdersEndWhereTheyShould(t *testing.T) {
	t.Parallel()
	forEachProvider(t, func(t *testing.T, p provider.Provider) {
		endings := make(map[domain.State]int)
		for n := range orders {
			webhooks := simulate.New(3).Order(p.Name(), n, began)
			order := fold(t, p, webhooks)
			require.Equal(t, ending(webhooks), order.State().String(), "%s", webhooks[len(webhooks)-1].Body)
			require.Empty(t, order.Anomalies)
			endings[order.State()]++
		}
		t.Logf("%d orders ended: %v", orders, endings)
	})
}

// ending reads off the bodies how the order ended, in another way than by folding.
func ending(webhooks []simulate.Webhook) string {
	for _, webhook := range slices.Backward(webhooks) {
		var body struct {
			EventType, Status string
			Payload           struct{ Status string }
		}
		if json.Unmarshal(webhook.Body, &body) != nil {
			return "not JSON"
		}
		switch {
		case webhook.Provider == "payway":
			return "closed"
		case strings.HasPrefix(webhook.Event, "refund-"):
			return "completed"
		case body.EventType == "order-canceled" || body.Payload.Status == "canceled":
			return "canceled"
		case body.Status == "FAILED" || body.Payload.Status == "failed":
			return "failed"
		case body.Status == "COMPLETED" || body.Payload.Status != "" || isLast(body.EventType):
			return "completed"
		}
	}
	return "never"
}

func isLast(ordaticEvent string) bool {
	return slices.Contains([]string{"order-picked-up", "order-served", "rider-completed"}, ordaticEvent)
}

// The stories take every turn: each kind of webhook that an order can have is met.
func TestStoriesTakeEveryTurn(t *testing.T) {
	t.Parallel()
	event := func(w simulate.Webhook) string { return w.Event }
	requireMet(t, "ordatic", event, provider.Ordatic{}.Events()...)
	requireMet(t, "runa", event, provider.Runa{}.Events()...)
	requireMet(t, "payway", event,
		"new_account_registered", "order_closed", "changed_subscription_renewal_date", provider.Other)
	requireMet(t, "ivy", event,
		"order_created", "order_updated", "refund_succeeded", "refund_failed",
		"refund-initiated", "refund-succeeded", "refund-failed")
}

// Ivy's orders take every status whose meaning is documented.
func TestIvyOrdersTakeEveryStatus(t *testing.T) {
	t.Parallel()
	status := func(w simulate.Webhook) string {
		var body struct{ Payload struct{ Status string } }
		require.NoError(t, json.Unmarshal(w.Body, &body))
		return body.Payload.Status
	}
	requireMet(t, "ivy", status,
		"processing", "waiting_for_payment", "finalizing", "paid", "failed", "canceled",
		"in_refund", "partially_refunded", "refunded", "refund_failed", "in_dispute", "disputed",
		"initiated", "succeeded") // a refund's
}

// requireMet makes orders until their webhooks have had each of the turns, and
// no other.
func requireMet(t *testing.T, providerName string, turn func(simulate.Webhook) string, turns ...string) {
	t.Helper()
	const enough = 5000
	met := make(map[string]bool)
	for n := 0; n < enough && len(met) < len(turns); n++ {
		for _, webhook := range simulate.New(4).Order(providerName, n, began) {
			met[turn(webhook)] = true
		}
	}
	require.ElementsMatch(t, turns, slices.Collect(maps.Keys(met)), providerName)
}

// Bodies are as large as the real ones: most of Ordatic's are thin, the full
// snapshots of the others have kilobytes.
func TestBodiesHaveTheSizesOfRealOnes(t *testing.T) {
	t.Parallel()
	for name, within := range map[string][2]int{
		"ordatic": {70, 110}, "runa": {40, 400}, "ivy": {1200, 4000}, "payway": {2500, 7000},
	} {
		var sizes []int
		for n := range orders {
			for _, webhook := range simulate.New(5).Order(name, n, began) {
				sizes = append(sizes, len(webhook.Body))
			}
		}
		slices.Sort(sizes)
		median := sizes[len(sizes)/2]
		require.True(t, within[0] <= median && median <= within[1], "%s: the median is %d bytes", name, median)
		require.Less(t, sizes[len(sizes)-1], 8000, name)
		t.Logf("%s: median %d bytes, largest %d", name, median, sizes[len(sizes)-1])
	}
}

// Disorder loses nothing and makes nothing up: it delays within its bound, and
// repeats whole webhooks, with their ids.
func TestDisorder(t *testing.T) {
	t.Parallel()
	var sent []simulate.Webhook
	for n := range 40 {
		sent = append(sent, simulate.New(6).Order("ivy", n, began)...)
	}
	original := slices.Clone(sent)
	faults := simulate.Faults{Delay: time.Minute, Repeat: 0.5}
	arrived := simulate.Disorder(rand.New(rand.NewPCG(1, 1)), sent, faults)
	require.Equal(t, original, sent, "what is given is left alone")
	require.Equal(t, arrived, simulate.Disorder(rand.New(rand.NewPCG(1, 1)), sent, faults))
	require.Greater(t, len(arrived), len(sent))

	counts := make(map[string]int)
	previous := time.Duration(0)
	for _, webhook := range arrived {
		i := slices.IndexFunc(sent, func(s simulate.Webhook) bool { return s.ID == webhook.ID })
		require.Equal(t, sent[i].Body, webhook.Body)
		require.GreaterOrEqual(t, webhook.After, max(previous, sent[i].After))
		require.LessOrEqual(t, webhook.After, sent[i].After+4*time.Minute)
		previous = webhook.After
		counts[webhook.ID]++
	}
	require.Len(t, counts, len(sent), "each arrives")

	require.ElementsMatch(t, sent, simulate.Disorder(rand.New(rand.NewPCG(1, 1)), sent, simulate.Faults{}))
}

// translate gives the event of a webhook, or nil where it is about no order.
func translate(t require.TestingT, p provider.Provider, webhook simulate.Webhook) *domain.Event {
	event, err := p.Translate(&domain.Webhook{
		Provider:   webhook.Provider,
		Source:     "shop",
		Event:      webhook.Event,
		ID:         webhook.ID,
		Body:       webhook.Body,
		BodyDigest: domain.DigestBody(webhook.Body),
	})
	if err != nil {
		require.ErrorIs(t, err, domain.ErrNotAboutOrder, "%s", webhook.Body)
		return nil
	}
	return event
}

// fold gives the order that the webhooks are about, as they came.
func fold(t require.TestingT, p provider.Provider, webhooks []simulate.Webhook) *domain.Order {
	order := domain.NewOrder("shop", p.Name(), "")
	for i, webhook := range webhooks {
		if event := translate(t, p, webhook); event != nil {
			order.Key = event.Key
			at := domain.InstantOf(began.Add(time.Duration(i) * time.Second))
			order.Apply(event, uint64(i+1), at, at)
		}
	}
	return order
}
