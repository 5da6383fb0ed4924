package sqlite

import (
	"github.com/ticketrail/ticketrail/domain"
)

// piece is what a Loader writes in one go.
type piece struct {
	orders      []*loading          // by their IDs
	changes     bulk                // in the order of the stream
	ids         bulk                // sorted
	proofs      []domain.OrderProof // in the order of the stream, which numbers them
	quarantined []domain.QuarantinedWebhook
	erased      []*domain.Order
	tallies     domain.Tallies
	bytes       int // of proofs and quarantined
}

// quarantinedBytes is about what one quarantined webhook takes in memory.
const quarantinedBytes = 200

func newPiece() piece {
	return piece{tallies: domain.Tallies{
		Orders:    map[domain.OrderTally]int{},
		Minutes:   map[domain.MinuteTally]domain.Counts{},
		Durations: map[domain.DurationTally]int{},
	}}
}

// take takes what a batch holds beside its orders and their webhooks.
func (p *piece) take(b *domain.Batch) {
	for _, proof := range b.Proofs {
		p.bytes += len(proof.Content)
	}
	p.bytes += quarantinedBytes * len(b.Quarantined)
	p.proofs = append(p.proofs, b.Proofs...)
	p.quarantined = append(p.quarantined, b.Quarantined...)
	p.erased = append(p.erased, b.Erased...)
	for tally, orders := range b.Tallies.Orders {
		p.tallies.Orders[tally] += orders
	}
	for tally, orders := range b.Tallies.Durations {
		p.tallies.Durations[tally] += orders
	}
	for tally, n := range b.Tallies.Minutes {
		sum := p.tallies.Minutes[tally]
		sum.Applied += n.Applied
		sum.Duplicate += n.Duplicate
		sum.NotAboutOrder += n.NotAboutOrder
		sum.Quarantined += n.Quarantined
		p.tallies.Minutes[tally] = sum
	}
}

// write writes it, in the order in which a commit would.
func (p *piece) write(w *batchWriter) error {
	insert(w, insertOrders, p.orders, func(to *bulk, one **loading) { to.order(&(*one).order) })
	insert(w, insertTimeline, p.orders, func(to *bulk, one **loading) { to.add((*one).timeline.bytes) })
	w.bulk(insertChanges, &p.changes)
	w.bulk(insertWebhookIDs, &p.ids)
	insert(w, insertProofs, p.proofs, (*bulk).proof)
	w.erase(p.erased)
	insert(w, insertQuarantine, p.quarantined, (*bulk).quarantined)
	w.tallies(&p.tallies)
	return w.err
}
