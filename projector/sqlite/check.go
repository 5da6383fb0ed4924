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
