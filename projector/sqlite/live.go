package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// CopyLive is Open and CopyTo for a read model that another process commits to. Its
// write-ahead log is not looked at first, as that of a read model at rest is: it
// changes meanwhile, and what was just overwritten would look like damage. The sum of
// every page is compared as ever.
func CopyLive(ctx context.Context, path, to string) error {
	reader, err := sql.Open("sqlite3", dsn(path, "ro", ""))
	if err != nil {
		return fmt.Errorf("copy read model to %s: %w", to, err)
	}
	db := &DB{path: path, writer: reader} // to write into another file is all that is done with it
	return errors.Join(db.CopyTo(ctx, to), reader.Close())
}
