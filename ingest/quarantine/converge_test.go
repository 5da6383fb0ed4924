package quarantine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

// orders is how many made-up orders of each provider go through the quarantine.
const orders = 15

// A webhook that is released late disturbs nothing: whichever of an order's
// webhooks were rejected, and in whatever order they are released, verified again
// or on trust, the order ends as if all of them had been accepted in time.
func TestLateReleasesDoNotDisturb(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2} {
		dice := rand.New(rand.NewPCG(seed, seed))
		s, simulator := newStation(t), simulate.New(seed)
		var ends []*domain.Order
		for _, p := range provider.All() {
			for n := range orders {
				sent := simulator.Order(p.Name(), n, opening)
				ends = append(ends, inTime(t, p, sent)...)
				for i, w := range sent {
					s.acceptOrReject(p, w, fmt.Sprintf("msg_%d_%d", n, i), dice)
				}
			}
		}
		ids := s.all(domain.QuarantineQuery{})
		require.Greater(t, len(ids), orders)
		require.Greater(t, len(ends), 2*orders)
		s.project() // some come when the read model has long been past them
		dice.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		verified := 0
		for _, id := range ids {
			retried := s.retry(id, domain.Retry{})
			if retried.Result == domain.RetryStillRejected { // it was a secret
				trust := domain.Ruling{By: "local", Reason: "a wrong secret", Trust: true}
				retried = s.retry(id, domain.Retry{Ruling: trust})
			} else {
				verified++
			}
			require.Equal(t, domain.RetryReleased, retried.Result)
		}
		require.Greater(t, verified, orders/2)
		s.project()
		for _, want := range ends {
			have, err := s.model.Order(t.Context(), want.Source, want.Key)
			require.NoError(t, err)
			require.Equal(t, settled(want), settled(have))
		}
	}
}

// acceptOrReject throws the dice for one webhook.
func (s *station) acceptOrReject(p provider.Provider, w simulate.Webhook, id string, dice *rand.Rand) {
	s.t.Helper()
	at := opening.Add(w.After)
	if dice.IntN(2) == 0 {
		s.reject(p, ours, id, w.Body, at)
		return
	}
	s.release(p, w.Body, at)
}

// inTime gives the order that webhooks become when they come as they were sent;
// none where they are about no order.
func inTime(t *testing.T, p provider.Provider, sent []simulate.Webhook) []*domain.Order {
	t.Helper()
	var order *domain.Order
	for i, w := range sent {
		event, err := p.Translate(&domain.Webhook{Provider: p.Name(), Source: p.Name(), Body: w.Body, BodyDigest: domain.DigestBody(w.Body)})
		if err != nil {
			require.ErrorIs(t, err, domain.ErrNotAboutOrder)
			continue
		}
		if order == nil {
			order = domain.NewOrder(p.Name(), p.Name(), event.Key)
		}
		at := domain.InstantOf(opening.Add(w.After))
		order.Apply(event, uint64(i+1), at, at)
	}
	if order == nil {
		return nil
	}
	return []*domain.Order{order}
}

// settled gives an order without what is about arrival.
func settled(o *domain.Order) domain.Order {
	s := *o
	s.ID, s.Version, s.StreamSequence = 0, 0, 0
	s.FirstSeenAt, s.LastSeenAt, s.StoredAt = domain.Instant{}, domain.Instant{}, domain.Instant{}
	s.ProblemSince, s.StateSince = domain.Instant{}, domain.Instant{}
	s.Anomalies = nil
	for _, a := range o.Anomalies {
		s.Anomalies = append(s.Anomalies, domain.Anomaly{Code: a.Code, Detail: a.Detail})
	}
	return s
}
