package sqlite

import (
	"context"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
)

// Check reads all of the file, and looks whether each index has the rows of its table:
// who only asks for orders finds the damage on his way alone. It returns
// domain.ErrDamaged where something is not what was written. A million orders take
// two seconds.
func (db *DB) Check(ctx context.Context) error {
	var found string
	err := db.reader.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found)
	if err == nil && found != "ok" {
		err = fmt.Errorf("%w: %s", domain.ErrDamaged, found)
	}
	if err != nil {
		return fmt.Errorf("check read model %s: %w", db.path, damage(err))
	}
	return nil
}

// MendTallies counts the orders again where the tallies are not those of the orders, and
// tells whether that was so. A commit keeps them up in its transaction; but a page may be an
// older one, as where a disk lost a write, and its sum fits all the same. The sums by state
// are compared, for which an index is counted: a million orders take a twentieth of a second,
// and to count them again takes as long as to read them all. Nobody may commit, or keep what
// was read, meanwhile. After an error the tallies are what they were.
func (db *DB) MendTallies(ctx context.Context) (mended bool, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("mend the tallies: %w", damage(err))
		}
	}()
	var fit bool
	err = db.writer.QueryRowContext(ctx, `
		WITH
		    counted AS MATERIALIZED (SELECT state, count(*) AS orders FROM orders GROUP BY state),
		    told AS MATERIALIZED (SELECT state, sum(orders) AS orders FROM order_tallies GROUP BY state)
		SELECT (SELECT count(*) FROM counted JOIN told USING (state, orders))
		    = max((SELECT count(*) FROM counted), (SELECT count(*) FROM told))`).Scan(&fit)
	if err != nil || fit {
		return false, err
	}
	tx, err := db.writer.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(ctx, `
		DELETE FROM order_tallies;
		INSERT INTO order_tallies (source, state, orders)
		SELECT source, state, count(*)
		FROM orders
		GROUP BY source, state`)
	if err != nil {
		return false, err
	}
	return true, tx.Commit()
}
