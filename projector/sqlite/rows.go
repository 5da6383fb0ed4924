package sqlite

// #include "rows.h"
import "C"

import (
	"encoding/binary"
	"slices"

	"github.com/ticketrail/ticketrail/domain"
)

// bulk is rows for one statement, handed to SQLite in one piece: the statement reads
// them from the table-valued function of rows.c, as in INSERT INTO t SELECT c0, c1 FROM
// rows(?). To bind and to run a statement for each row takes twice as long.
//
// It begins with the number of their columns, 1 to 11. Each value is its kind, 'i',
// 't' or 'b', and eight bytes in the machine's own order: an integer, or the length of
// the text or blob that follows. The zero value is no rows.
type bulk struct {
	bytes []byte
	err   error // the first
}

// registerRows makes the function known to SQLite. It may be called again.
func registerRows() { C.rows_register() }

// add adds rows of the same columns.
func (b *bulk) add(more []byte) {
	if len(b.bytes) > 0 && len(more) > 0 {
		more = more[1:]
	}
	b.bytes = append(b.bytes, more...)
}

// begin begins a row of so many columns.
func (b *bulk) begin(columns byte) {
	if len(b.bytes) == 0 {
		b.bytes = append(slices.Grow(b.bytes, smallBytes), columns)
	}
}

// smallBytes is what the timeline of a usual order takes.
const smallBytes = 1 << 10

func (b *bulk) integer(value int64) {
	b.bytes = binary.NativeEndian.AppendUint64(append(b.bytes, 'i'), uint64(value))
}

func (b *bulk) text(value string) {
	at := b.open('t')
	b.bytes = append(b.bytes, value...)
	b.close(at)
}

func (b *bulk) blob(value []byte) {
	at := b.open('b')
	b.bytes = append(b.bytes, value...)
	b.close(at)
}

func (b *bulk) instant(value domain.Instant) {
	at := b.open('t')
	b.bytes, _ = value.AppendText(b.bytes) // which has no error to tell
	b.close(at)
}

func (b *bulk) document(order *domain.Order) {
	at := b.open('t')
	document, err := order.AppendDocument(b.bytes)
	if b.err == nil {
		b.err = err
	}
	b.bytes = document
	b.close(at)
}

// open begins a value that close ends: its content is appended between them.
func (b *bulk) open(kind byte) (at int) {
	b.bytes = append(b.bytes, kind, 0, 0, 0, 0, 0, 0, 0, 0)
	return len(b.bytes)
}

func (b *bulk) close(at int) {
	binary.NativeEndian.PutUint64(b.bytes[at-8:], uint64(len(b.bytes)-at))
}

func (b *bulk) order(order **domain.Order) {
	o := *order
	standing := o.Standing()
	b.begin(11)
	b.integer(int64(o.ID))
	b.text(o.Source)
	b.text(o.Key)
	b.text(standing.State().String())
	b.text(o.StoreID.Value)
	b.text(o.Reference.Value)
	b.text(standing.Problem)
	b.integer(waitingSince(o))
	b.integer(nanoseconds(o.UpdatedAt()))
	b.integer(int64(o.StreamSequence))
	b.document(o)
}

func (b *bulk) entry(e *domain.OrderEntry) {
	b.begin(10)
	b.integer(int64(e.Order.ID))
	b.integer(int64(e.StreamSequence))
	b.integer(int64(e.Ordinal))
	b.text(e.Event)
	b.text(e.Status)
	b.text(string(e.Effect))
	b.text(e.Note)
	b.text(e.State.String())
	b.instant(e.OccurredAt)
	b.instant(e.ReceivedAt)
}

// change adds a row where the entry is news.
func (b *bulk) change(e *domain.OrderEntry) {
	if e.IsNews {
		b.begin(2)
		b.integer(int64(e.StreamSequence))
		b.integer(int64(e.Order.ID))
	}
}

func (b *bulk) webhookID(id *domain.WebhookID) {
	b.seenID(webhookIDHash(id.Source, id.ID), seenID{head(id.Body), id.StreamSequence})
}

func (b *bulk) seenID(hash int64, seen seenID) {
	b.begin(3)
	b.integer(hash)
	b.integer(seen.body)
	b.integer(int64(seen.streamSequence))
}

func (b *bulk) proof(p *domain.OrderProof) {
	b.begin(4)
	b.integer(int64(p.Order.ID))
	b.text(p.ID)
	b.text(p.Type)
	b.blob(p.Content)
}

func (b *bulk) quarantined(q *domain.QuarantinedWebhook) {
	b.begin(6)
	b.integer(int64(q.StreamSequence))
	b.text(q.Source)
	b.text(q.Event)
	b.text(q.Cause)
	b.text(q.Where)
	b.instant(q.ReceivedAt)
}

func (b *bulk) orderTally(of domain.OrderTally, orders int) {
	b.begin(3)
	b.text(of.Source)
	b.text(of.State.String())
	b.integer(int64(orders))
}

func (b *bulk) minuteTally(of domain.MinuteTally, n domain.MinuteCounts) {
	b.begin(7)
	b.text(of.Source)
	b.integer(of.Minute)
	for _, count := range []uint64{n.Applied, n.Duplicate, n.NotAboutOrder, n.Quarantined, n.Orders} {
		b.integer(int64(count))
	}
}

func (b *bulk) stay(s *domain.Stay) {
	b.begin(6)
	b.integer(int64(s.StreamSequence))
	b.integer(s.EndedAt)
	b.text(s.Source)
	b.text(s.Store)
	b.text(s.State.String())
	b.integer(int64(s.Class))
}

func (b *bulk) durationTally(of domain.DurationTally, orders uint64) {
	b.begin(7)
	b.integer(int64(of.Span))
	b.integer(of.Start)
	b.text(of.Source)
	b.text(of.Store)
	b.text(of.State.String())
	b.integer(int64(of.Class))
	b.integer(int64(orders))
}
