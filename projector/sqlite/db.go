// Package sqlite keeps a read model in one SQLite file: the projector's commits
// on one connection, everybody's reads on others.
//
// # Guarantees
//
// A [DB.Commit] is one transaction: the effects of a batch and its checkpoint,
// or neither. It is on disk when Commit returns (write-ahead log, synchronous =
// FULL). A reader sees whole commits only. Two files made of the same stream by
// the same version hold the same rows, whatever the batches and restarts were. What
// was erased is overwritten, and not left in a part of the file that nobody reads.
//
// A [Loader] makes a file with these same rows from the front of the stream, many
// times as fast, since nobody reads the file and nothing of it is kept until it is whole.
//
// # Concurrency
//
// A DB is safe for concurrent use, but only one process, and in it one
// goroutine, may take orders and commit.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/mattn/go-sqlite3"
)

// minVersion is SQLite 3.51.3: versions before it can corrupt a database when
// the write-ahead log is reset while it is being read.
const minVersion = 3_051_003

// readers is how many connections read at once.
const readers = 8

// keptStatements is how many statements a connection keeps prepared: those that differ
// in their values alone share one.
const keptStatements = "32"

// gathered has what a commit adds to the write-ahead log written in few pieces, see gather.c.
const gathered = "gather=1"

// busyTimeout is how long a lock of others is waited for, in milliseconds.
const busyTimeout = "5000"

// The values of the pragma synchronous.
const (
	syncedFull = "2"
	syncedOff  = "0"
)

// DB is an open read model.
type DB struct {
	path   string
	writer *sql.DB
	reader *sql.DB
	// writeBack is nil where nothing is committed to a log.
	writeBack *writeBack
	// changes are told by who commits, and watched by who reads.
	changes *changes
	// logHolds tells that the write-ahead log may hold what was erased, as that of an
	// earlier run may. It is of who commits.
	logHolds bool
	// kept is of who commits, too, and so is counted: the stream sequence up to which a
	// commit of this run has counted the stays.
	kept    kept
	counted uint64

	mu        sync.Mutex
	committed chan struct{} // closed and replaced at every commit
}

// Open opens the read model in the file at path, and makes it if there is none;
// its folder is made too, for its owner only. It returns a [FileError] for a file
// that is not a read model of this program; of which version of the projection it
// is makes no difference. The file is on disk then, whoever has written it.
func Open(ctx context.Context, path string) (*DB, error) {
	if err := errors.Join(checkVersion(), create(path)); err != nil {
		return nil, fmt.Errorf("open read model: %w", err)
	}
	if err := errors.Join(checkRoom(path), checkLog(ctx, path)); err != nil {
		return nil, openError(path, err)
	}
	// Not later: to close a file that SQLite has open takes its locks away.
	if err := syncFile(path); err != nil {
		return nil, fmt.Errorf("open read model: %w", err)
	}
	db := &DB{path: path, logHolds: true, changes: newChanges(), committed: make(chan struct{})}
	if err := db.open(ctx); err != nil {
		return nil, openError(path, errors.Join(err, db.Close()))
	}
	return db, nil
}

// OpenCopy opens a copy that CopyTo made, for reading only. It returns
// domain.ErrDamaged or ErrSchema where what is in the file forbids it.
func OpenCopy(ctx context.Context, path string) (*DB, error) {
	db := &DB{path: path, changes: newChanges(), committed: make(chan struct{})}
	var err error
	if db.reader, err = sql.Open("sqlite3", dsn(path, "ro", "immutable=1&_query_only=true")); err != nil {
		return nil, fmt.Errorf("open copy %s: %w", path, err)
	}
	if err := errors.Join(checkRoom(path), checkSchema(ctx, db.reader)); err != nil {
		return nil, fmt.Errorf("open copy %s: %w", path, unfit(errors.Join(err, db.Close())))
	}
	return db, nil
}

// CopyTo writes the content of the read model to a new file, compact and the same
// for the same content, while it may be moving on. The file appears whole or not
// at all.
func (db *DB) CopyTo(ctx context.Context, path string) error {
	temporary := path + ".tmp"
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = errors.Join(create(temporary), os.Truncate(temporary, 0))
	}
	if err == nil {
		_, err = db.writer.ExecContext(ctx, "VACUUM INTO ?", temporary)
	}
	if err == nil {
		err = errors.Join(syncFile(temporary), os.Rename(temporary, path), syncFile(filepath.Dir(path)))
	}
	if err != nil {
		return fmt.Errorf("copy read model to %s: %w", path, errors.Join(damage(err), os.Remove(temporary)))
	}
	return nil
}

func checkVersion() error {
	if _, version, _ := sqlite3.Version(); version < minVersion {
		return fmt.Errorf("SQLite %d is older than %d, which mends a corruption of the write-ahead log", version, minVersion)
	}
	return nil
}

// create makes the file before SQLite does, since SQLite would let others read it.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

func (db *DB) open(ctx context.Context) (err error) {
	if db.writer, err = sql.Open("sqlite3", dsn(db.path, "rwc", gathered+"&_txlock=immediate&_synchronous="+syncedFull+"&_stmt_cache_size="+keptStatements)); err != nil {
		return err
	}
	db.writer.SetMaxOpenConns(1)
	if err := leaveRoom(ctx, db.writer); err != nil {
		return err
	}
	// What undoes a statement would go to a temporary file, and what is spilled before a
	// commit must not be gathered.
	if _, err := db.writer.ExecContext(ctx, "PRAGMA temp_store = MEMORY; PRAGMA cache_spill = OFF"); err != nil {
		return err
	}
	// A file keeps its journal's mode, and to set it writes the first page.
	if _, err := db.writer.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	settings := map[string]string{"journal_mode": "wal", "synchronous": syncedFull, "secure_delete": "1", "cache_spill": "0"}
	if err := db.checkSettings(ctx, settings); err != nil {
		return err
	}
	if err := db.prepareSchema(ctx); err != nil {
		return err
	}
	if err := checkWrites(ctx, db.writer); err != nil {
		return err
	}
	if err := db.setWriteBack(ctx); err != nil {
		return err
	}
	db.reader, err = sql.Open("sqlite3", dsn(db.path, "ro", "_query_only=true&_stmt_cache_size="+keptStatements))
	if err != nil {
		return err
	}
	db.reader.SetMaxOpenConns(readers)
	db.reader.SetMaxIdleConns(readers)
	return nil
}

// DSN names a read model's file to SQLite, for those who look into it, or change it,
// by other means than a DB. SQLite's own tools read such a file as any other; what
// they wrote into it would be found damaged.
func DSN(path string) string { return dsn(path, "rw", "") }

// dsn names the file with the VFS that sums its pages, and with every pragma in it:
// a pragma that is executed on a pool reaches one connection of it.
func dsn(path, mode, more string) string {
	registerPageSum()
	registerRows()
	name := url.URL{Scheme: "file", OmitHost: true, Path: path}
	name.RawQuery = "vfs=" + pageSum + "&mode=" + mode + "&_busy_timeout=" + busyTimeout + "&_foreign_keys=false&_secure_delete=true&" + more
	return name.String()
}

// checkSettings asserts what the promise rests on, since a driver that ignored a
// part of the DSN would say nothing.
func (db *DB) checkSettings(ctx context.Context, settings map[string]string) error {
	for pragma, want := range settings {
		var have string
		if err := db.writer.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&have); err != nil {
			return fmt.Errorf("read pragma %s: %w", pragma, err)
		}
		if have != want {
			return fmt.Errorf("pragma %s is %s, must be %s", pragma, have, want)
		}
	}
	return nil
}

// Close closes the file. Reads that are under way end with an error.
func (db *DB) Close() error {
	var errs []error
	if db.reader != nil {
		errs = append(errs, db.reader.Close())
	}
	if db.writeBack != nil {
		errs = append(errs, db.writeBack.close())
	}
	if db.writer != nil {
		errs = append(errs, db.writer.Close())
	}
	return errors.Join(errs...)
}
