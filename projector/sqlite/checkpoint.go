package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
)

// Checkpoint gives how far the read model is; the zero Checkpoint before the
// first commit.
func (db *DB) Checkpoint(ctx context.Context) (domain.Checkpoint, error) {
	c, err := readCheckpoint(db.reader.QueryRowContext(toTheEnd(ctx), `
		SELECT version, mappings, stream, stream_created_at, checkpoint, chain, previous_chain,
		       applied, duplicate, not_about_order, quarantined
		FROM projection`))
	if errors.Is(err, sql.ErrNoRows) {
		return domain.Checkpoint{}, nil
	}
	if err != nil {
		return domain.Checkpoint{}, fmt.Errorf("read checkpoint: %w", damage(err))
	}
	return c, nil
}

func readCheckpoint(row *sql.Row) (c domain.Checkpoint, err error) {
	var createdAt string
	var chain, previous []byte
	n := &c.Counts
	err = row.Scan(&c.Version, &c.Mappings, &c.Stream.Name, &createdAt, &c.StreamSequence, &chain, &previous,
		&n.Applied, &n.Duplicate, &n.NotAboutOrder, &n.Quarantined)
	if err != nil {
		return c, err
	}
	if len(chain) != len(c.Chain) || len(previous) != len(c.PreviousChain) {
		return c, fmt.Errorf("%w: its digests have %d and %d bytes", domain.ErrDamaged, len(chain), len(previous))
	}
	copy(c.Chain[:], chain)
	copy(c.PreviousChain[:], previous)
	return c, c.Stream.CreatedAt.UnmarshalText([]byte(createdAt))
}

// nextCommit gives a channel that the next commit of this process closes.
func (db *DB) nextCommit() <-chan struct{} {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.committed
}

func (db *DB) announce() {
	db.mu.Lock()
	defer db.mu.Unlock()
	close(db.committed)
	db.committed = make(chan struct{})
}
