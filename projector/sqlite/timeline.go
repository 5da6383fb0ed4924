package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
)

// Timeline gives up to limit entries of an order's timeline after a position, in
// the order of the stream, or domain.ErrNotFound for an order that is not known.
func (db *DB) Timeline(ctx context.Context, source, key string, after domain.TimelinePosition, limit int) ([]domain.TimelineEntry, error) {
	ctx = toTheEnd(ctx)
	id, err := orderID(ctx, db.reader, source, key)
	if err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	rows, err := db.reader.QueryContext(ctx, `
		SELECT stream_sequence, ordinal, event, status, effect, note, state, occurred_at, received_at
		FROM timeline
		WHERE order_id = ? AND (stream_sequence, ordinal) > (?, ?)
		ORDER BY stream_sequence, ordinal
		LIMIT ?`, id, after.StreamSequence, after.Ordinal, limit)
	if err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	return collect(rows, readEntry)
}

func readEntry(row scanner) (e domain.TimelineEntry, err error) {
	var effect, state, occurredAt, receivedAt []byte
	err = row.Scan(&e.StreamSequence, &e.Ordinal, &e.Event, &e.Status, &effect, &e.Note, &state, &occurredAt, &receivedAt)
	if err != nil {
		return e, err
	}
	e.Effect = domain.Effect(effect)
	return e, errors.Join(
		e.State.UnmarshalText(state),
		e.OccurredAt.UnmarshalText(occurredAt),
		e.ReceivedAt.UnmarshalText(receivedAt),
	)
}

// Proof gives a proof of delivery with its bytes, or domain.ErrNotFound.
func (db *DB) Proof(ctx context.Context, source, key, id string) (*domain.Proof, error) {
	var proof domain.Proof
	err := db.reader.QueryRowContext(ctx, `
		SELECT proofs.id, type, content
		FROM proofs
		JOIN orders ON orders.id = order_id
		WHERE source = ? AND key = ? AND proofs.id = ?`, source, key, id).
		Scan(&proof.ID, &proof.Type, &proof.Content)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("proof of an order of source %s: %w", source, domain.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read proof: %w", err)
	}
	proof.Size = len(proof.Content)
	return &proof, nil
}

// Quarantined gives up to limit webhooks that could not be translated, after a
// stream sequence, in the order of the stream.
func (db *DB) Quarantined(ctx context.Context, after uint64, limit int) ([]domain.QuarantinedWebhook, error) {
	rows, err := db.reader.QueryContext(ctx, `
		SELECT stream_sequence, source, event, cause, place, received_at
		FROM quarantine
		WHERE stream_sequence > ?
		ORDER BY stream_sequence
		LIMIT ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read quarantine: %w", err)
	}
	return collect(rows, func(row scanner) (q domain.QuarantinedWebhook, err error) {
		var receivedAt []byte
		if err := row.Scan(&q.StreamSequence, &q.Source, &q.Event, &q.Cause, &q.Where, &receivedAt); err != nil {
			return q, err
		}
		return q, q.ReceivedAt.UnmarshalText(receivedAt)
	})
}

// SeenWebhookID gives the stream sequence at which the id first came with its body
// in an applied webhook of the source, 0 where it did not, and tells whether it
// came with another body; in both counting only webhooks before the id's own
// stream sequence.
func (db *DB) SeenWebhookID(ctx context.Context, id domain.WebhookID) (first uint64, otherBody bool, err error) {
	rows, err := db.reader.QueryContext(ctx, selectWebhookIDs, webhookIDHash(id.Source, id.ID), id.StreamSequence)
	if err != nil {
		return 0, false, fmt.Errorf("look up webhook id: %w", damage(err))
	}
	all, err := collect(rows, readSeenID)
	first, otherBody = seenAs(all, head(id.Body))
	return first, otherBody, damage(err)
}

const selectWebhookIDs = `
	SELECT body, stream_sequence
	FROM webhook_ids
	WHERE id = ? AND stream_sequence < ?`

func readSeenID(row scanner) (s seenID, err error) { return s, row.Scan(&s.body, &s.streamSequence) }

// seenAs gives where the id first came with a body, 0 where it did not, and tells
// whether it came with another one.
func seenAs(all []seenID, body int64) (first uint64, otherBody bool) {
	for _, s := range all {
		if s.body == body {
			first = s.streamSequence
		} else {
			otherBody = true
		}
	}
	return first, otherBody
}

type scanner interface{ Scan(dest ...any) error }

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, read func(scanner) (T, error)) (all []T, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		one, err := read(rows)
		if err != nil {
			return nil, fmt.Errorf("read row: %w", err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return all, nil
}
