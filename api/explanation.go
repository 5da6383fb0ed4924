package api

import "github.com/ticketrail/ticketrail/domain"

// Explanation is why an order is as it is: a page of its webhooks.
type Explanation struct {
	Order      Order              `json:"order" doc:"The order as it is."`
	Webhooks   []ExplainedWebhook `json:"webhooks" nullable:"false" doc:"Its webhooks, in the order of the stream. A page with large bodies has fewer of them than asked for."`
	NextCursor *string            `json:"next_cursor" doc:"The cursor of the next page; null on the last."`
}

// ExplainedWebhook is one webhook of an order with what it said and did.
type ExplainedWebhook struct {
	Webhook    Webhook        `json:"webhook" doc:"The webhook as it was received."`
	Verified   *string        `json:"verified" example:"the whole Authorization header, compared with the configured values" doc:"What was checked of its sender before it was stored; null where nothing was, since it was released on trust or is a tombstone, and where the record of its release is lost."`
	Released   *Release       `json:"released" doc:"Who released it from the quarantine; null where it was never set aside."`
	Said       Said           `json:"said" doc:"What it says, in ticketrail's words. Of one that was erased the texts that were personal are null."`
	Effect     domain.Effect  `json:"effect" enum:"advanced,updated,no-change,late,contradiction,duplicate,erased" example:"late" doc:"What it did to the order."`
	Note       *string        `json:"note" example:"fulfillment is in-kitchen already, accepted ranks below" doc:"Why, in a few words, where the effect does not say it all."`
	Reason     string         `json:"reason" example:"fulfillment is in-kitchen already, accepted ranks below" doc:"The rule by which it did that."`
	Backfilled []HistoryEntry `json:"backfilled" nullable:"false" doc:"Statuses that no webhook delivered, learnt from its history."`
	Standing   Standing       `json:"standing" doc:"Where the order stood after it."`
}

// Release is how a request that was rejected became a webhook after all. It came at
// the webhook's received_at.
type Release struct {
	_       struct{}       `nullable:"true"`
	Entry   string         `json:"entry" example:"r-12" doc:"The entry of the quarantine that it was."`
	At      domain.Instant `json:"at" format:"date-time" doc:"When it was released."`
	By      string         `json:"by" example:"token-1f0c9a2b" doc:"The fingerprint of the token that was used, or local."`
	Reason  *string        `json:"reason" doc:"Why, in the operator's words."`
	Trusted bool           `json:"trusted" doc:"Whether the operator vouched for it. Where not, it was verified again, as of the time that it came."`
}

// Said is what a webhook says, in ticketrail's words. What it does not say is null,
// and no list is.
type Said struct {
	Kind          string              `json:"kind" enum:"step,snapshot,tombstone" example:"step" doc:"A step raises the axes that it names and lowers none. Of snapshots the newest one tells where the order stands. A tombstone takes away what is personal."`
	Event         string              `json:"event" example:"order-accepted" doc:"The provider's own name of the event."`
	OccurredAt    *domain.Instant     `json:"occurred_at" format:"date-time" doc:"When it happened, as the provider says."`
	Clock         *domain.Instant     `json:"clock" format:"date-time" doc:"The time by which it is ranked among others, as the provider gives it."`
	Fulfillment   *domain.Fulfillment `json:"fulfillment" example:"accepted" doc:"How far the kitchen or the shop is: accepted, in-kitchen, ready or handed-over."`
	Delivery      *domain.Delivery    `json:"delivery" doc:"How far the rider is: assigned, picking, delivering or delivered."`
	Payment       *domain.Payment     `json:"payment" doc:"Where the money is, as in an order."`
	Outcome       *domain.Outcome     `json:"outcome" doc:"How it ended: failed, completed, closed or canceled."`
	Problem       *string             `json:"problem" doc:"Why somebody should look at the order."`
	StatusUnknown bool                `json:"status_unknown" doc:"Whether its status is one that nobody knows, so that it says nothing of where the order stands."`
	Facts         Facts               `json:"facts" doc:"What it states about the order."`
	Refunds       []Refund            `json:"refunds" nullable:"false" doc:"The refunds that it tells of."`
	Payments      []Payment           `json:"payments" nullable:"false" doc:"The payments that it tells of."`
	Proofs        []Proof             `json:"proofs" nullable:"false" doc:"The proof of delivery that it carries, if any."`
	History       []HistoryEntry      `json:"history" nullable:"false" doc:"The statuses that the order had, as it tells."`
	Anomalies     []Anomaly           `json:"anomalies" nullable:"false" doc:"What is odd about it."`
}

// Facts are the single values that a webhook states about its order.
type Facts struct {
	ProviderStatus  *string         `json:"provider_status" example:"order-accepted" doc:"The provider's own status, verbatim."`
	StoreID         *string         `json:"store_id" example:"store-7" doc:"The provider's id of the store."`
	Reference       *string         `json:"reference" doc:"What the merchant calls the order."`
	Description     *string         `json:"description" doc:"What the order is for."`
	FulfillmentKind *string         `json:"fulfillment_kind" example:"delivery" doc:"delivery, takeaway or at-table."`
	Currency        *string         `json:"currency" example:"SEK" doc:"ISO 4217, as the webhook says."`
	Total           *domain.Amount  `json:"total" example:"32.00" doc:"Exact decimal in the major unit, in the provider's scale."`
	Discount        *domain.Amount  `json:"discount" example:"2.50" doc:"Exact decimal, as total."`
	Refunded        *domain.Amount  `json:"refunded" example:"0.00" doc:"The sum of the refunds that succeeded."`
	CreatedAt       *domain.Instant `json:"created_at" format:"date-time" doc:"When the order was made."`
	CompletedAt     *domain.Instant `json:"completed_at" format:"date-time" doc:"When it was completed."`
	Receipt         *Receipt        `json:"receipt" doc:"Its proof of purchase."`
}

// HistoryEntry is one status that an order had.
type HistoryEntry struct {
	Status string          `json:"status" example:"processing" doc:"The provider's own status, verbatim."`
	Reason *string         `json:"reason" doc:"Why, as the provider says."`
	At     *domain.Instant `json:"at" format:"date-time" doc:"When, as the provider says."`
}

// Standing is where an order stands.
type Standing struct {
	State       domain.State       `json:"state" enum:"placed,accepted,in-kitchen,ready,rider-delivering,failed,completed,closed,canceled" example:"in-kitchen" doc:"The headline, computed from the axes."`
	Fulfillment domain.Fulfillment `json:"fulfillment" enum:"none,accepted,in-kitchen,ready,handed-over" example:"in-kitchen" doc:"How far the kitchen or the shop is."`
	Delivery    domain.Delivery    `json:"delivery" enum:"none,assigned,picking,delivering,delivered" example:"none" doc:"How far the rider is."`
	Payment     domain.Payment     `json:"payment" enum:"none,pending,authorized,settling,paid,failed,canceled,refunding,partially-refunded,refunded,refund-failed,disputed" example:"none" doc:"Where the money is."`
	Outcome     domain.Outcome     `json:"outcome" enum:"open,failed,completed,closed,canceled" example:"open" doc:"How it ended."`
	Problem     *string            `json:"problem" doc:"Why somebody should look at it; null where nobody need."`
}

func explainedWebhook(order *domain.Order, w *domain.ExplainedWebhook, released *domain.Decision) ExplainedWebhook {
	// Only what was released comes later than it was received. Where the record of that is
	// lost, nobody knows on whose word it was.
	unrecorded := released == nil && w.ReceivedAt.Compare(w.StoredAt) < 0
	if unrecorded || released != nil && released.Trust {
		w.Verified = ""
	}
	return ExplainedWebhook{
		Webhook:    webhook(w.Webhook),
		Verified:   orNull(w.Verified),
		Released:   release(released),
		Said:       said(order, w),
		Effect:     w.Change.Effect,
		Note:       orNull(w.Change.Note),
		Reason:     w.Reason,
		Backfilled: each(w.Change.Backfilled, historyEntry),
		Standing:   standing(w.Change.To),
	}
}

func release(d *domain.Decision) *Release {
	if d == nil {
		return nil
	}
	return &Release{Entry: d.Entries[0].ID.String(), At: d.At, By: d.By, Reason: orNull(d.Reason), Trusted: d.Trust}
}

func said(order *domain.Order, w *domain.ExplainedWebhook) Said {
	e := w.Event
	said := Said{
		Kind:          e.Kind.String(),
		Event:         e.Name,
		OccurredAt:    orNull(e.OccurredAt),
		Clock:         orNull(e.Stamp.Clock),
		Fulfillment:   orNull(e.Standing.Fulfillment),
		Delivery:      orNull(e.Standing.Delivery),
		Payment:       orNull(e.Standing.Payment),
		Outcome:       orNull(e.Standing.Outcome),
		Problem:       orNull(e.Standing.Problem),
		StatusUnknown: e.StandingUnknown,
		Facts:         facts(&e.Facts),
		Refunds:       each(e.Refunds, func(r domain.Refund) Refund { return refund(r, "") }),
		Payments:      each(e.Payments, payment),
		Proofs:        []Proof{},
		History:       each(e.History, historyEntry),
		Anomalies: each(e.Anomalies, func(a domain.Anomaly) Anomaly {
			a.StreamSequence = w.StreamSequence
			return anomaly(a)
		}),
	}
	if e.Proof != nil {
		said.Proofs = append(said.Proofs, proof(order, e.Proof.ProofInfo))
	}
	return said
}

func facts(f *domain.Facts) Facts {
	return Facts{
		ProviderStatus:  orNull(f.ProviderStatus),
		StoreID:         orNull(f.StoreID),
		Reference:       orNull(f.Reference),
		Description:     orNull(f.Description),
		FulfillmentKind: orNull(f.FulfillmentKind),
		Currency:        orNull(f.Currency),
		Total:           orNull(f.Total),
		Discount:        orNull(f.Discount),
		Refunded:        orNull(f.Refunded),
		CreatedAt:       orNull(f.CreatedAt),
		CompletedAt:     orNull(f.CompletedAt),
		Receipt:         receipt(f.Receipt),
	}
}

func historyEntry(e domain.HistoryEntry) HistoryEntry {
	return HistoryEntry{Status: e.Status, Reason: orNull(e.Reason), At: orNull(e.At)}
}

func standing(s domain.Standing) Standing {
	return Standing{
		State:       s.State(),
		Fulfillment: s.Fulfillment,
		Delivery:    s.Delivery,
		Payment:     s.Payment,
		Outcome:     s.Outcome,
		Problem:     orNull(s.Problem),
	}
}
