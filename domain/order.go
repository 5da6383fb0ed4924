package domain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Order is one order of one source, folded from its events. Its exported fields
// are what a read model stores; all of them are made by Apply alone.
type Order struct {
	// ID is the read model's number of the order, from 1 in order of first
	// appearance; 0 until it is stored.
	ID uint64 `json:"-"`

	Source   string `json:"source"`
	Provider string `json:"provider"`
	Key      string `json:"key"`

	// Steps joins what the order's steps said, Snapshot keeps what the newest
	// snapshot said, and Standing joins the two.
	Steps    Standing        `json:"steps,omitzero"`
	Snapshot Field[Standing] `json:"snapshot,omitzero"`
	// Outcomes is the set of outcomes that steps have said, since the axis keeps
	// only the highest and a contradiction must not depend on which came first.
	Outcomes OutcomeSet `json:"outcomes,omitzero"`
	// ProblemSince and StateSince are when the webhook came that brought the
	// present problem, zero where there is none, and the present state.
	ProblemSince Instant `json:"problem_since,omitzero"`
	StateSince   Instant `json:"state_since"`
	// ErasedAt is when what is personal of the order was erased, the last time; zero
	// for an order of which nothing was. An erased order takes no more webhooks.
	ErasedAt Instant `json:"erased_at,omitzero"`

	ProviderStatus  Field[string]  `json:"provider_status,omitzero"`
	StoreID         Field[string]  `json:"store_id,omitzero"`
	Reference       Field[string]  `json:"reference,omitzero"`
	Description     Field[string]  `json:"description,omitzero"`
	FulfillmentKind Field[string]  `json:"fulfillment_kind,omitzero"`
	Currency        Field[string]  `json:"currency,omitzero"`
	Total           Field[Amount]  `json:"total,omitzero"`
	Discount        Field[Amount]  `json:"discount,omitzero"`
	Refunded        Field[Amount]  `json:"refunded,omitzero"`
	CreatedAt       Field[Instant] `json:"created_at,omitzero"`
	CompletedAt     Field[Instant] `json:"completed_at,omitzero"`
	Receipt         Field[Receipt] `json:"receipt,omitzero"`

	Refunds   []Refund        `json:"refunds,omitempty"`   // by ID
	Payments  []PaymentRecord `json:"payments,omitempty"`  // by ID
	Proofs    []ProofInfo     `json:"proofs,omitempty"`    // by ID
	History   []HistoryEntry  `json:"history,omitempty"`   // by time, status, reason
	Anomalies []Anomaly       `json:"anomalies,omitempty"` // by code, detail
	// Delivered are the statuses, sorted, that came as the status of a snapshot of
	// their own, so that no history need fill them in.
	Delivered []string `json:"delivered,omitempty"`

	// FirstSeenAt and LastSeenAt are the earliest and the latest receipt of an applied
	// webhook, Version counts them, StreamSequence is that of the last in the stream.
	// StoredAt is when the stream took that one; zero where it is LastSeenAt, which it is
	// unless a webhook was released from quarantine, see UpdatedAt.
	FirstSeenAt    Instant `json:"first_seen_at"`
	LastSeenAt     Instant `json:"last_seen_at"`
	StoredAt       Instant `json:"stored_at,omitzero"`
	Version        uint64  `json:"version"`
	StreamSequence uint64  `json:"stream_sequence"`
}

// OutcomeSet is a set of outcomes, one bit each.
type OutcomeSet uint8

func (s OutcomeSet) has(o Outcome) bool { return s&(1<<o) != 0 }

// NewOrder gives an order of which nothing was heard.
func NewOrder(source, provider, key string) *Order {
	return &Order{Source: source, Provider: provider, Key: key}
}

// Standing is where the order stands.
func (o *Order) Standing() Standing { return o.Steps.Join(o.Snapshot.Value) }

// UpdatedAt is when the stream took the last applied webhook, so that readers could see
// it: long after its receipt where it was released from quarantine.
func (o *Order) UpdatedAt() Instant { return cmp.Or(o.StoredAt, o.LastSeenAt) }

// State is the order's headline.
func (o *Order) State() State { return o.Standing().State() }

// Apply folds one event into the order and tells what it did. The event must be
// of this order; streamSequence, receivedAt and storedAt are those of its webhook.
func (o *Order) Apply(e *Event, streamSequence uint64, receivedAt, storedAt Instant) Change {
	if e.Kind == Tombstone {
		return o.erase(streamSequence, receivedAt, storedAt)
	}
	change := Change{First: o.Version == 0, From: o.Standing()}
	late := o.isLate(e)

	contradiction := o.stand(e, streamSequence)
	o.fill(&e.Facts, e.Stamp, &change.News)
	change.Backfilled = o.learnHistory(e, &change.News)
	o.collect(e, streamSequence, &change.News)

	change.To = o.Standing()
	if change.To.Problem != change.From.Problem {
		change.News.add(newsProblem, true)
		o.ProblemSince = receivedAt
		if change.To.Problem == "" {
			o.ProblemSince = Instant{}
		}
	}
	change.Before, change.After = change.From.State(), change.To.State()
	switch {
	case change.First:
		o.StateSince = receivedAt
		change.Before = change.After
	case change.After != change.Before:
		change.InBefore = receivedAt.Time().Sub(o.StateSince.Time())
		o.StateSince = receivedAt
	}
	o.heard(streamSequence, receivedAt, storedAt)
	change.judge(e.Kind, contradiction, late)
	return change
}

// heard notes the last webhook.
func (o *Order) heard(streamSequence uint64, receivedAt, storedAt Instant) {
	if o.Version == 0 || receivedAt.Compare(o.FirstSeenAt) < 0 {
		o.FirstSeenAt = receivedAt
	}
	if o.Version == 0 || receivedAt.Compare(o.LastSeenAt) > 0 {
		o.LastSeenAt = receivedAt
	}
	o.StoredAt = storedAt
	if storedAt == o.LastSeenAt {
		o.StoredAt = Instant{}
	}
	o.StreamSequence = streamSequence
	o.Version++
}

// erase does what a tombstone says. The order stands where it stood, and counts the
// tombstone among its webhooks, so that who asks for what changed hears of it.
func (o *Order) erase(streamSequence uint64, receivedAt, storedAt Instant) Change {
	o.forget()
	o.ErasedAt = receivedAt
	o.heard(streamSequence, receivedAt, storedAt)
	return o.unmoved(EffectErased)
}

// Duplicate tells of a webhook that was applied before, at a stream sequence, and
// that therefore changes nothing.
func (o *Order) Duplicate(of uint64) Change {
	change := o.unmoved(EffectDuplicate)
	change.Note = fmt.Sprintf("the webhook of stream sequence %d again", of)
	change.DuplicateOf = of
	return change
}

// unmoved gives the change of a webhook that left the order where it stands.
func (o *Order) unmoved(effect Effect) Change {
	standing := o.Standing()
	return Change{Effect: effect, Before: standing.State(), After: standing.State(), From: standing, To: standing}
}

// isLate tells why an event ranks below what is known already, before it is
// folded; empty where it does not.
func (o *Order) isLate(e *Event) string {
	if e.Kind == Step {
		return e.Standing.behind(o.Standing().Axes)
	}
	if newest := o.newestSnapshot(); e.Stamp.Compare(newest) < 0 {
		return "a snapshot " + newest.ahead(e.Stamp) + " is known"
	}
	return ""
}

// newestSnapshot is the greatest stamp of the snapshots folded so far. A
// snapshot of an unknown status leaves its stamp on the provider's status only.
func (o *Order) newestSnapshot() Stamp {
	if o.ProviderStatus.Stamp.Compare(o.Snapshot.Stamp) > 0 {
		return o.ProviderStatus.Stamp
	}
	return o.Snapshot.Stamp
}

// stand folds what the event says of the axes, and gives the contradiction that
// it brought, if any.
func (o *Order) stand(e *Event, streamSequence uint64) (contradiction string) {
	if e.Kind == Snapshot {
		if !e.StandingUnknown && (o.Snapshot.Stamp == Stamp{} || e.Stamp.Compare(o.Snapshot.Stamp) > 0) {
			o.Snapshot = Field[Standing]{Value: e.Standing, Stamp: e.Stamp}
		}
		return ""
	}
	o.Steps = o.Steps.Join(e.Standing)
	said := e.Standing.Outcome
	for _, known := range Outcomes() {
		if o.Outcomes.has(known) && known.contradicts(said) {
			detail := min(known, said).String() + " and " + max(known, said).String()
			if o.note(Anomaly{Code: AnomalyContradictingOutcomes, Detail: detail}, streamSequence) {
				contradiction = detail
			}
		}
	}
	if said != OutcomeOpen {
		o.Outcomes |= 1 << said
	}
	return contradiction
}

// fill takes the event's single facts, each by its own stamp, and adds those that
// changed to the news.
func (o *Order) fill(f *Facts, stamp Stamp, to *News) {
	to.add(newsProviderStatus, o.ProviderStatus.take(f.ProviderStatus, stamp))
	to.add(newsStore, o.StoreID.take(f.StoreID, stamp))
	to.add(newsReference, o.Reference.take(f.Reference, stamp))
	to.add(newsDescription, o.Description.take(f.Description, stamp))
	to.add(newsFulfillmentKind, o.FulfillmentKind.take(f.FulfillmentKind, stamp))
	to.add(newsCurrency, o.Currency.take(f.Currency, stamp))
	to.add(newsTotal, o.Total.take(f.Total, stamp))
	to.add(newsDiscount, o.Discount.take(f.Discount, stamp))
	to.add(newsRefundedSum, o.Refunded.take(f.Refunded, stamp))
	to.add(newsCreation, o.CreatedAt.take(f.CreatedAt, stamp))
	to.add(newsCompletion, o.CompletedAt.take(f.CompletedAt, stamp))
	to.add(newsReceipt, o.Receipt.take(f.Receipt, stamp))
}

// collect adds the event's elements to the order's sets, and the kinds of which
// any was new or newer to the news.
func (o *Order) collect(e *Event, streamSequence uint64, to *News) {
	refunds := merge(&o.Refunds, e.Refunds, compareRefunds, newest(refundStamp))
	to.add(newsRefunds, len(refunds) > 0)
	payments := merge(&o.Payments, e.Payments, comparePayments, newest(paymentStamp))
	to.add(newsPayments, len(payments) > 0)
	if e.Proof != nil {
		to.add(newsProof, insert(&o.Proofs, e.Proof.ProofInfo, compareProofs))
	}
	for _, anomaly := range e.Anomalies {
		to.add(newsAnomalies, o.note(anomaly, streamSequence))
	}
}

// learnHistory adds the event's history, and gives the entries that are news and
// whose status no webhook delivered so far, this one included.
func (o *Order) learnHistory(e *Event, to *News) (backfilled []HistoryEntry) {
	if e.Kind == Snapshot && e.ProviderStatus != "" {
		insert(&o.Delivered, e.ProviderStatus, strings.Compare)
	}
	learnt := merge(&o.History, e.History, compareHistory, keep)
	to.add(newsHistory, len(learnt) > 0)
	for _, entry := range learnt {
		if _, delivered := slices.BinarySearch(o.Delivered, entry.Status); !delivered {
			backfilled = append(backfilled, entry)
		}
	}
	return backfilled
}

// note adds an anomaly unless the order has it, and tells whether it was added.
func (o *Order) note(anomaly Anomaly, streamSequence uint64) bool {
	anomaly.StreamSequence = streamSequence
	return insert(&o.Anomalies, anomaly, compareAnomalies)
}

func refundStamp(r *Refund) *Stamp           { return &r.Stamp }
func paymentStamp(p *PaymentRecord) *Stamp   { return &p.Stamp }
func compareRefunds(a, b Refund) int         { return cmp.Compare(a.ID, b.ID) }
func comparePayments(a, b PaymentRecord) int { return cmp.Compare(a.ID, b.ID) }
func compareProofs(a, b ProofInfo) int       { return cmp.Compare(a.ID, b.ID) }
func compareAnomalies(a, b Anomaly) int {
	return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Detail, b.Detail))
}
func compareHistory(a, b HistoryEntry) int {
	return cmp.Or(
		a.At.Compare(b.At),
		cmp.Compare(a.At.fraction, b.At.fraction),
		cmp.Compare(a.Status, b.Status),
		cmp.Compare(a.Reason, b.Reason),
	)
}
