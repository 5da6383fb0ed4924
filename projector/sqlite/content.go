package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
)

// CheckpointOf reads the checkpoint of the read model in a file.
func CheckpointOf(ctx context.Context, path string) (domain.Checkpoint, error) {
	db, err := sql.Open("sqlite3", dsn(path, "ro", "_query_only=true"))
	if err != nil {
		return domain.Checkpoint{}, fmt.Errorf("read checkpoint: %w", err)
	}
	checkpoint, err := (&DB{reader: db}).Checkpoint(ctx)
	return checkpoint, damage(errors.Join(err, db.Close()))
}

// ContentOf tells what the read model in a file holds, as far as it can be read: with
// an error comes what was read before it.
func ContentOf(ctx context.Context, path string) (content domain.Content, err error) {
	db, err := sql.Open("sqlite3", dsn(path, "ro", "_query_only=true"))
	if err != nil {
		return content, fmt.Errorf("read the content of a read model: %w", err)
	}
	defer func() {
		if err = errors.Join(err, db.Close()); err != nil {
			err = fmt.Errorf("read the content of a read model: %w", damage(err))
		}
	}()
	checkpoint, err := (&DB{reader: db}).Checkpoint(ctx)
	if err != nil {
		return content, err
	}
	content.Stream, content.StreamSequence = checkpoint.Stream, checkpoint.StreamSequence
	rows, err := db.QueryContext(ctx, `
		SELECT name
		FROM sqlite_schema
		WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
		ORDER BY name`)
	if err != nil {
		return content, err
	}
	tables, err := collect(rows, func(row scanner) (t domain.TableSize, err error) { return t, row.Scan(&t.Table) })
	for i := range tables {
		if err = db.QueryRowContext(ctx, `SELECT count(*) FROM "`+tables[i].Table+`"`).Scan(&tables[i].Rows); err != nil {
			return content, err
		}
		content.Tables = tables[:i+1]
	}
	return content, err
}
