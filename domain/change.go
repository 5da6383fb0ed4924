package domain

import (
	"strings"
	"time"
)

// Effect is what one webhook did to its order.
type Effect string

// The effects, as a timeline shows them.
const (
	// EffectAdvanced: the order is new, or its axes changed.
	EffectAdvanced Effect = "advanced"
	// EffectUpdated: the axes stayed, something else about the order changed.
	EffectUpdated Effect = "updated"
	// EffectNoChange: the webhook said what was known already.
	EffectNoChange Effect = "no-change"
	// EffectLate: it ranks below what was known already; it may have filled gaps.
	EffectLate Effect = "late"
	// EffectContradiction: it says an outcome that cannot be, beside another.
	EffectContradiction Effect = "contradiction"
	// EffectBackfilled: a status that no webhook delivered, learnt from the
	// history that another one carried.
	EffectBackfilled Effect = "back-filled"
	// EffectDuplicate: the same webhook id with the same body was applied before.
	// Apply never gives it: who keeps the webhook ids must see it first.
	EffectDuplicate Effect = "duplicate"
	// EffectErased: what is personal of the order was taken away.
	EffectErased Effect = "erased"
)

// Change tells what an event did.
type Change struct {
	Effect Effect
	// Note says why in a few words, empty where the effect says it all.
	Note string
	// DuplicateOf is the stream sequence of the webhook that came again; 0 unless the
	// effect is EffectDuplicate.
	DuplicateOf uint64
	// First tells that the order is new.
	First bool
	// From and To are where the order stood before the event and after it.
	From, To Standing
	// Before and After are the headlines around the event, the same where the
	// event left it. InBefore is how long the order was in Before when it left it,
	// by the times of receipt; 0 for a new order.
	Before, After State
	InBefore      time.Duration
	// News is what changed beside the axes.
	News News
	// Backfilled are the history entries that were not known before and whose status
	// no webhook of the order delivered, up to and including this one.
	Backfilled []HistoryEntry
}

// News is a set of what changed, one bit each: nearly every webhook has some, and few
// are asked for their names.
type News uint32

// What may change, in the order in which it is told.
const (
	newsProviderStatus News = 1 << iota
	newsStore
	newsReference
	newsDescription
	newsFulfillmentKind
	newsCurrency
	newsTotal
	newsDiscount
	newsRefundedSum
	newsCreation
	newsCompletion
	newsReceipt
	newsHistory
	newsRefunds
	newsPayments
	newsProof
	newsAnomalies
	newsProblem
)

var newsNames = []string{
	"provider status", "store", "reference", "description", "fulfillment kind", "currency", "total", "discount",
	"refunded sum", "time of creation", "time of completion", "receipt", "history", "refunds", "payments",
	"proof of delivery", "anomalies", "problem",
}

// String names what changed: "total, refunds".
func (n News) String() string {
	var names []string
	for i, name := range newsNames {
		if n&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// IsNews tells whether readers see the order otherwise than before: it is new, it stands
// elsewhere, or something of it is news. So is a late event that fills a gap, and none
// that only was heard: that counts in the order's version, and nowhere else.
func (c *Change) IsNews() bool {
	switch c.Effect {
	case EffectNoChange, EffectDuplicate, EffectBackfilled:
		return false
	case EffectLate:
		return c.News != 0
	}
	return true
}

func (n *News) add(what News, isNews bool) {
	if isNews {
		*n |= what
	}
}

// judge names the effect of an event of a kind that was folded.
func (c *Change) judge(kind Kind, contradiction, late string) {
	isNews := c.News != 0
	switch {
	case contradiction != "":
		c.Effect, c.Note = EffectContradiction, contradiction+" cannot both be"
	case c.First || c.To.Axes != c.From.Axes:
		c.Effect = EffectAdvanced
	case late != "" && (kind == Snapshot || !isNews):
		c.Effect, c.Note = EffectLate, late
	case isNews:
		c.Effect = EffectUpdated
	default:
		c.Effect = EffectNoChange
	}
}

// Reason says in a sentence, without its capital and full stop, by which rule the
// event had its effect.
func (c *Change) Reason(e *Event) string {
	switch c.Effect {
	case EffectAdvanced:
		return c.advance(e.Kind)
	case EffectUpdated:
		return c.update(e)
	case EffectNoChange:
		return "all that it says was known already"
	case EffectLate:
		if c.News != 0 {
			return c.Note + "; it still fills in: " + c.News.String()
		}
	case EffectContradiction:
		return c.Note + ": the highest outcome stands, " + c.To.Outcome.String()
	case EffectDuplicate:
		return c.Note + ": the same webhook id with the same body, which is applied once"
	case EffectErased:
		return "it is the tombstone: what was personal of the order until then was erased, and no later webhook of it is applied"
	}
	return c.Note
}

func (c *Change) advance(kind Kind) string {
	moves := strings.Join(c.From.moves(c.To.Axes), ", ")
	switch {
	case c.First && moves == "":
		return "it is the first webhook of the order"
	case c.First:
		return "it is the first webhook of the order, and moves " + moves
	case kind == Snapshot:
		return "it is the newest snapshot that tells where the order stands, and moves " + moves
	}
	return "a step raises what it names, and this one moves " + moves
}

func (c *Change) update(e *Event) string {
	news := "no axis moves, and new are: " + c.News.String()
	if e.StandingUnknown {
		return "its status is not known: " + news
	}
	return news
}
