package sqlite

import (
	"cmp"
	"slices"

	"github.com/ticketrail/ticketrail/domain"
)

// countEvery is after how many webhooks stays are counted together. Until then each has a
// row of its own: to put that at the end of a table costs a commit less than to find the
// three counts that the stay belongs to. Readers count those rows too, so there must be
// few of them.
const countEvery = 1 << 12

// countedUpTo gives the stream sequence up to which stays are counted at a checkpoint. It
// depends on nothing else, as all rows do.
func countedUpTo(checkpoint uint64) uint64 { return checkpoint - checkpoint%countEvery }

// cutStays parts stays after a stream sequence.
func cutStays(stays []domain.Stay, upTo uint64) (before, after []domain.Stay) {
	at, _ := slices.BinarySearchFunc(stays, upTo+1, func(s domain.Stay, sequence uint64) int { return cmp.Compare(s.StreamSequence, sequence) })
	return stays[:at], stays[at:]
}

const (
	insertStays = `
		INSERT INTO stays (stream_sequence, ended_at, source, store_id, state, class)
		SELECT c0, c1, c2, c3, c4, c5
		FROM rows(?)`
	// Those that it drops are below the ones that stay.
	dropStays    = `DELETE FROM stays WHERE stream_sequence <= ? RETURNING ended_at, source, store_id, state, class`
	addDurations = `
		INSERT INTO duration_tallies (span, start, source, store_id, state, class, orders)
		SELECT c0, c1, c2, c3, c4, c5, c6
		FROM rows(?)
		WHERE true
		ON CONFLICT DO UPDATE SET orders = orders + excluded.orders`
)

// durations are counts of stays.
type durations map[domain.DurationTally]uint64

// count counts stays, each in every span that it belongs to.
func (d durations) count(stays []domain.Stay) {
	for i := range stays {
		s := &stays[i]
		tally := domain.DurationTally{Source: s.Source, State: s.State, Class: s.Class}
		d[tally]++
		tally.Span, tally.Start = domain.SpanHour, domain.SpanHour.Start(s.EndedAt)
		d[tally]++
		if s.Store != "" {
			tally.Span, tally.Start, tally.Store = domain.SpanDay, domain.SpanDay.Start(s.EndedAt), s.Store
			d[tally]++
		}
	}
}

// stays writes the stays of a batch, and counts those up to a stream sequence, the ones of
// earlier batches included unless none of them can be left.
func (w *batchWriter) stays(stays []domain.Stay, counted, upTo uint64) {
	before, after := cutStays(stays, upTo)
	if upTo > counted {
		sums := durations{}
		sums.count(w.dropStays(upTo))
		sums.count(before)
		w.durations(sums)
	}
	insert(w, insertStays, after, (*bulk).stay)
}

func (w *batchWriter) dropStays(upTo uint64) []domain.Stay {
	if w.err != nil {
		return nil
	}
	rows, err := w.tx.QueryContext(w.ctx, dropStays, upTo)
	if err != nil {
		w.err = err
		return nil
	}
	var dropped []domain.Stay
	dropped, w.err = collect(rows, func(row scanner) (s domain.Stay, err error) {
		var state []byte
		if err := row.Scan(&s.EndedAt, &s.Source, &s.Store, &state, &s.Class); err != nil {
			return s, err
		}
		return s, s.State.UnmarshalText(state)
	})
	return dropped
}

func (w *batchWriter) durations(sums durations) {
	var rows bulk
	for tally, orders := range sums {
		rows.durationTally(tally, orders)
	}
	w.bulk(addDurations, &rows)
}
