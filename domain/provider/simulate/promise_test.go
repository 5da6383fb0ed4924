package simulate_test

import (
	"errors"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

// TestMain raises rapid's hundred checks of each property; -rapid.checks on the
// command line still has the last word.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "1250"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// The promise, for each provider: any permutation and any repetition of the
// webhooks of a made-up order ends in the same order.
func TestHistoriesInAnyOrderEndTheSame(t *testing.T) {
	t.Parallel()
	forEachProvider(t, func(t *testing.T, p provider.Provider) {
		effects := make(map[domain.Effect]int)
		rapid.Check(t, func(t *rapid.T) {
			simulator := simulate.New(rapid.Uint64().Draw(t, "seed"))
			webhooks := simulator.Order(p.Name(), rapid.IntRange(0, 1_000_000).Draw(t, "n"), began)
			requireAnyOrderEndsTheSame(t, p, webhooks, effects)
		})
		t.Logf("%s: effects of the webhooks as they arrived: %v", p.Name(), effects)
	})
}

// The promise holds as well for what no provider should send: webhooks of one
// order put together at random, with clocks that tie, statuses that contradict
// one another, values of wrong types and elements that share an id.
func TestAdversarialHistoriesInAnyOrderEndTheSame(t *testing.T) {
	t.Parallel()
	forEachProvider(t, func(t *testing.T, p provider.Provider) {
		effects := make(map[domain.Effect]int)
		rapid.Check(t, func(t *rapid.T) {
			webhooks := rapid.SliceOfN(adversarial(p.Name()), 1, 8).Draw(t, "webhooks")
			requireAnyOrderEndsTheSame(t, p, webhooks, effects)
		})
		t.Logf("%s: effects of the webhooks as they arrived: %v", p.Name(), effects)
	})
}

// requireAnyOrderEndsTheSame draws an arrival of the webhooks, some of them
// repeated, and counts what each did to the order.
func requireAnyOrderEndsTheSame(
	t *rapid.T, p provider.Provider, webhooks []simulate.Webhook, effects map[domain.Effect]int,
) {
	sent := events(t, p, webhooks)
	if len(sent) == 0 {
		return
	}
	repeats := rapid.SliceOfN(rapid.SampledFrom(sent), 0, 5).Draw(t, "repeats")
	arrived := rapid.Permutation(append(slices.Clone(sent), repeats...)).Draw(t, "arrived")
	require.Equal(t, end(sent, nil), end(arrived, effects))
}

// events gives what the webhooks say, without those that are about no order or
// that go to quarantine: neither is folded, whenever it comes.
func events(t *rapid.T, p provider.Provider, webhooks []simulate.Webhook) []*domain.Event {
	var all []*domain.Event
	for _, webhook := range webhooks {
		event, err := p.Translate(&domain.Webhook{
			Provider:   p.Name(),
			Source:     "shop",
			Body:       webhook.Body,
			BodyDigest: domain.DigestBody(webhook.Body),
		})
		if err == nil {
			all = append(all, event)
			continue
		}
		var untranslatable *domain.Untranslatable
		if !errors.As(err, &untranslatable) {
			require.ErrorIs(t, err, domain.ErrNotAboutOrder)
		}
	}
	return all
}

// end gives the order in which the events end, without what is about arrival.
func end(events []*domain.Event, effects map[domain.Effect]int) domain.Order {
	order := domain.NewOrder("shop", "", events[0].Key)
	for i, event := range events {
		change := order.Apply(event, uint64(i+1), domain.UnixInstant(int64(i)), domain.UnixInstant(int64(i)))
		if effects != nil {
			effects[change.Effect]++
		}
	}
	order.FirstSeenAt, order.LastSeenAt, order.StoredAt = domain.Instant{}, domain.Instant{}, domain.Instant{}
	order.ProblemSince, order.StateSince = domain.Instant{}, domain.Instant{}
	order.Version, order.StreamSequence = 0, 0
	for i := range order.Anomalies {
		order.Anomalies[i].StreamSequence = 0
	}
	return *order
}
