package projector

import (
	"context"
	"errors"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// effects gathers what a run of consecutive webhooks does, for one commit. What
// it needs of earlier commits it reads from the store, and of its own run it
// remembers, so that nothing depends on where the run was cut.
type effects struct {
	memory    Memory
	providers provider.Set
	batch     domain.Batch
	before    uint64                      // the stream sequence before this run
	orders    map[orderName]*domain.Order // those of this run
	ids       map[webhookName][]domain.WebhookID
}

type (
	orderName   struct{ source, key string }
	webhookName struct{ source, id string }
)

// newEffects begins a run of about so many webhooks after a checkpoint.
func newEffects(memory Memory, providers provider.Set, from domain.Checkpoint, webhooks int) *effects {
	return &effects{
		memory:    memory,
		providers: providers,
		batch: domain.Batch{
			Checkpoint: from,
			Timeline:   make([]domain.OrderEntry, 0, webhooks),
			Tallies:    domain.NewTallies(),
			Stays:      make([]domain.Stay, 0, webhooks/2),
		},
		before: from.StreamSequence,
		orders: make(map[orderName]*domain.Order, webhooks/2),
		ids:    map[webhookName][]domain.WebhookID{},
	}
}

// runShare is what a run must have of the room of the one before to be given it, one of so
// many: to tidy up a large one for a few webhooks takes longer than to begin a small one.
const runShare = 4

// next gives the effects for the next run, after this one's commit, in the room that this
// one has taken where that suits it.
func (e *effects) next(from domain.Checkpoint, webhooks int) *effects {
	if webhooks < cap(e.batch.Timeline)/runShare {
		return newEffects(e.memory, e.providers, from, webhooks)
	}
	tallies := e.batch.Tallies
	clear(tallies.Orders)
	clear(tallies.Minutes)
	clear(e.orders)
	clear(e.ids)
	e.before = from.StreamSequence
	e.batch = domain.Batch{
		Checkpoint: from,
		Tallies:    tallies,
		Orders:     emptied(e.batch.Orders),
		Timeline:   emptied(e.batch.Timeline),
		WebhookIDs: emptied(e.batch.WebhookIDs),
		Stays:      emptied(e.batch.Stays),
	}
	return e
}

// emptied gives the room of what was in it, of which nothing is held any more.
func emptied[T any](full []T) []T {
	clear(full)
	return full[:0]
}

// add takes the next webhook of the stream. An error is the store's, or a
// *StopError for a webhook that is not the next one.
func (e *effects) add(ctx context.Context, w *domain.Webhook, m meaning) error {
	if err := follows(e.batch.Checkpoint.StreamSequence, w.StreamSequence); err != nil {
		return err
	}
	became, err := e.project(ctx, w, m)
	if err != nil {
		return err
	}
	c := &e.batch.Checkpoint
	c.StreamSequence = w.StreamSequence
	c.PreviousChain, c.Chain = c.Chain, w.Chain(c.Chain)
	if digest, builtIn := e.providers.Mapping(w.Provider); !builtIn {
		c.Mappings = c.Mappings.With(w.Provider, digest)
	}
	e.count(w, became)
	return nil
}

// became is what became of a webhook: the count it falls under.
type became uint8

const (
	applied became = iota
	duplicate
	notAboutOrder
	quarantined
)

func (b became) countIn(c *domain.Counts) {
	switch b {
	case applied:
		c.Applied++
	case duplicate:
		c.Duplicate++
	case notAboutOrder:
		c.NotAboutOrder++
	case quarantined:
		c.Quarantined++
	}
}

func (e *effects) count(w *domain.Webhook, became became) {
	became.countIn(&e.batch.Checkpoint.Counts)
	minute := minuteOf(w)
	counts := e.batch.Tallies.Minutes[minute]
	became.countIn(&counts.Counts)
	e.batch.Tallies.Minutes[minute] = counts
}

func minuteOf(w *domain.Webhook) domain.MinuteTally {
	return domain.MinuteTally{Source: w.Source, Minute: w.ReceivedAt.Time().Unix() / 60}
}

// project decides what becomes of a webhook and does it.
func (e *effects) project(ctx context.Context, w *domain.Webhook, m meaning) (became, error) {
	err := m.err
	var change domain.Change
	if err == nil {
		change, err = e.take(ctx, w, m.event)
	}
	switch {
	case err != nil:
		return e.refuse(w, err)
	case change.Effect == domain.EffectDuplicate:
		return duplicate, nil
	}
	return applied, nil
}

// refuse decides what becomes of a webhook that no order takes, for an error.
func (e *effects) refuse(w *domain.Webhook, err error) (became, error) {
	if errors.Is(err, domain.ErrNotAboutOrder) {
		return notAboutOrder, nil
	}
	if untranslatable, ok := errors.AsType[*domain.Untranslatable](err); ok {
		e.quarantine(w, untranslatable)
		return quarantined, nil
	}
	return 0, err
}

// take does to the event's order what the event says, unless its webhook was
// applied before. It returns a *domain.Untranslatable for what the order cannot take.
func (e *effects) take(ctx context.Context, w *domain.Webhook, event *domain.Event) (domain.Change, error) {
	order, err := e.order(ctx, w, event.Key)
	if err == nil {
		err = mayTake(order, event)
	}
	if err != nil {
		return domain.Change{}, err
	}
	first, other, err := e.seen(ctx, w)
	switch {
	case err != nil:
		return domain.Change{}, err
	case first > 0:
		change := order.Duplicate(first)
		e.enter(order, w, event, change)
		return change, nil
	case other:
		event.Anomalies = append(event.Anomalies, domain.Anomaly{Code: domain.AnomalyWebhookIDReused, Detail: w.ID})
	}
	return e.apply(order, w, event), nil
}

// mayTake refuses what would bring an erased order back without anybody noticing: all
// that comes after its tombstone, but for another one, which erases that too. And it
// refuses the tombstone of an order of which nothing was heard.
func mayTake(order *domain.Order, event *domain.Event) error {
	switch isTombstone := event.Kind == domain.Tombstone; {
	case isTombstone && order.Version == 0:
		return &domain.Untranslatable{Cause: domain.CauseErasure}
	case !isTombstone && !order.ErasedAt.IsZero():
		return &domain.Untranslatable{Cause: domain.CauseOrderErased}
	}
	return nil
}

func (e *effects) quarantine(w *domain.Webhook, why *domain.Untranslatable) {
	e.batch.Quarantined = append(e.batch.Quarantined, domain.QuarantinedWebhook{
		StreamSequence: w.StreamSequence,
		Source:         w.Source,
		Event:          w.Event,
		Cause:          why.Cause,
		Where:          why.Where,
		ReceivedAt:     w.ReceivedAt,
	})
}

// order gives the order as it is after the webhooks of this run so far, new if
// nobody has heard of it.
func (e *effects) order(ctx context.Context, w *domain.Webhook, key string) (*domain.Order, error) {
	name := orderName{w.Source, key}
	if order, known := e.orders[name]; known {
		return order, nil
	}
	order, err := e.memory.TakeOrder(ctx, w.Source, key)
	if errors.Is(err, domain.ErrNotFound) {
		order, err = domain.NewOrder(w.Source, w.Provider, key), nil
	}
	if err == nil {
		e.orders[name] = order
	}
	return order, err
}

// seen gives the stream sequence at which the webhook's id first came with the
// same body, in this run or in an earlier commit, 0 where it did not; and tells
// whether it came with another one.
func (e *effects) seen(ctx context.Context, w *domain.Webhook) (first uint64, otherBody bool, err error) {
	if w.ID == "" {
		return 0, false, nil
	}
	known := e.ids[webhookName{w.Source, w.ID}]
	for _, id := range known {
		if id.Body == w.BodyDigest {
			return id.StreamSequence, false, nil
		}
	}
	first, other, err := e.memory.SeenWebhookID(ctx, webhookID(w))
	return first, other || len(known) > 0, err
}

func webhookID(w *domain.Webhook) domain.WebhookID {
	return domain.WebhookID{Source: w.Source, ID: w.ID, Body: w.BodyDigest, StreamSequence: w.StreamSequence}
}

// apply folds the event into its order and notes all that the read model keeps
// of it.
func (e *effects) apply(order *domain.Order, w *domain.Webhook, event *domain.Event) domain.Change {
	if order.StreamSequence <= e.before { // it is not among them yet
		e.batch.Orders = append(e.batch.Orders, order)
	}
	change := order.Apply(event, w.StreamSequence, w.ReceivedAt, w.StoredAt)
	if event.Kind == domain.Tombstone {
		e.batch.Erased = append(e.batch.Erased, order)
	}
	e.enter(order, w, event, change)
	e.tally(order, w, &change)
	if event.Proof != nil {
		e.batch.Proofs = append(e.batch.Proofs, domain.OrderProof{Order: order, Proof: event.Proof})
	}
	if w.ID != "" {
		name, id := webhookName{w.Source, w.ID}, webhookID(w)
		e.ids[name] = append(e.ids[name], id)
		e.batch.WebhookIDs = append(e.batch.WebhookIDs, id)
	}
	return change
}

// enter writes the webhook, and what it back-filled, into the order's timeline.
func (e *effects) enter(order *domain.Order, w *domain.Webhook, event *domain.Event, change domain.Change) {
	e.batch.Timeline = append(e.batch.Timeline, domain.OrderEntry{Order: order, TimelineEntry: domain.TimelineEntry{
		StreamSequence: w.StreamSequence,
		Event:          event.Name,
		Status:         event.ProviderStatus,
		Effect:         change.Effect,
		Note:           change.Note,
		State:          change.After,
		OccurredAt:     event.OccurredAt,
		ReceivedAt:     w.ReceivedAt,
		IsNews:         change.IsNews(),
	}})
	for i, status := range change.Backfilled {
		e.batch.Timeline = append(e.batch.Timeline, domain.OrderEntry{Order: order, TimelineEntry: domain.TimelineEntry{
			StreamSequence: w.StreamSequence,
			Ordinal:        i + 1,
			Status:         status.Status,
			Effect:         domain.EffectBackfilled,
			Note:           status.Reason,
			State:          change.After,
			OccurredAt:     status.At,
			ReceivedAt:     w.ReceivedAt,
		}})
	}
}

func (e *effects) tally(order *domain.Order, w *domain.Webhook, change *domain.Change) {
	tallies := &e.batch.Tallies
	switch {
	case change.First:
		tallies.Orders[domain.OrderTally{Source: order.Source, State: change.After}]++
		counts := tallies.Minutes[minuteOf(w)]
		counts.Orders++
		tallies.Minutes[minuteOf(w)] = counts
	case change.Before != change.After:
		tallies.Orders[domain.OrderTally{Source: order.Source, State: change.Before}]--
		tallies.Orders[domain.OrderTally{Source: order.Source, State: change.After}]++
		e.batch.Stays = append(e.batch.Stays, domain.Stay{
			StreamSequence: w.StreamSequence,
			Source:         order.Source,
			Store:          order.StoreID.Value,
			State:          change.Before,
			EndedAt:        w.ReceivedAt.Time().Unix(),
			Class:          domain.DurationClass(change.InBefore),
		})
	}
}
