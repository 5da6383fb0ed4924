package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/mattn/go-sqlite3"

	"github.com/ticketrail/ticketrail/domain"
)

//go:embed schema.sql
var schema string

// schemaNumber is the one that schema.sql writes into each file. It goes up with
// every change of the tables; the version of the projection goes up with every
// change of what is in them, and a file of another one is served as it is.
const schemaNumber = 4

// ErrSchema says that a file has other tables than this program's read models.
var ErrSchema = errors.New("its schema is not the one of this program")

// ErrOutdated is an ErrSchema: an older program made the file, and this one can make it
// anew.
var ErrOutdated = fmt.Errorf("%w: an older program made it", ErrSchema)

// FileError is a file in the place of a read model that is none of this program's:
// its Err is [ErrSchema], or domain.ErrDamaged where the file is damaged or no database.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return fmt.Sprintf("open read model %s: %v", e.Path, e.Err) }

// Unwrap gives the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Hint gives the mend.
func (e *FileError) Hint() string {
	if errors.Is(e.Err, domain.ErrDamaged) || errors.Is(e.Err, ErrOutdated) {
		return "ticketrail serve puts it aside, and makes it again from the stream"
	}
	return fmt.Sprintf("run the ticketrail that made it; or remove the read-model folder %s: it is made again from the stream at the next start", filepath.Dir(e.Path))
}

// openError gives the error of opening a file, which is a [FileError] where it is
// the file that is at fault.
func openError(path string, err error) error {
	err = unfit(err)
	if !errors.Is(err, ErrSchema) && !errors.Is(err, domain.ErrDamaged) {
		return fmt.Errorf("open read model %s: %w", path, err)
	}
	return &FileError{Path: path, Err: err}
}

// unfit marks an error that the content of a file is at fault for: with
// domain.ErrDamaged, or with ErrSchema where a statement does not fit the tables.
func unfit(err error) error {
	if fault, _ := errors.AsType[sqlite3.Error](err); fault.Code == sqlite3.ErrError {
		return fmt.Errorf("%w: %w", ErrSchema, err)
	}
	return damage(err)
}

// prepareSchema makes the tables in a file that has none, and gives ErrSchema for
// one that has others.
func (db *DB) prepareSchema(ctx context.Context) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var tables int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if tables > 0 {
		return checkSchema(ctx, tx)
	}
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("create schema: %w", err)
	}
	if err := checkSchema(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// rowQuerier is a pool or a transaction.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func checkSchema(ctx context.Context, in rowQuerier) error {
	var number int
	if err := in.QueryRowContext(ctx, "PRAGMA user_version").Scan(&number); err != nil {
		return fmt.Errorf("read the number of the schema: %w", err)
	}
	return compareSchema(number)
}

// compareSchema gives an ErrSchema for another number than this program's.
func compareSchema(number int) error {
	switch {
	case number == schemaNumber:
		return nil
	case 0 < number && number < schemaNumber:
		return fmt.Errorf("%w: it has number %d, this one %d", ErrOutdated, number, schemaNumber)
	}
	return fmt.Errorf("%w: it has number %d, this one %d", ErrSchema, number, schemaNumber)
}
