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
	stays       []domain.Stay // that are not counted at the end
	durations   durations
	bytes       int // of proofs, quarantined and counts of stays
}

// quarantinedBytes is about what one quarantined webhook takes in memory.
const quarantinedBytes = 200

// tallyBytes is what one count of stays takes in memory, as a map grows: with many stores
// nearly each stay has its own.
const tallyBytes = 200

func newPiece() piece {
	return piece{tallies: domain.NewTallies(), durations: durations{}}
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
	for tally, n := range b.Tallies.Minutes {
		sum := p.tallies.Minutes[tally]
		sum.Add(n)
		p.tallies.Minutes[tally] = sum
	}
}

// count counts stays.
func (p *piece) count(stays []domain.Stay) {
	before := len(p.durations)
	p.durations.count(stays)
	p.bytes += tallyBytes * (len(p.durations) - before)
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
	insert(w, insertStays, p.stays, (*bulk).stay)
	w.tallies(&p.tallies)
	w.durations(p.durations)
	return w.err
}
