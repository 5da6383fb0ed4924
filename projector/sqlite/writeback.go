package sqlite

import (
	"context"
	"database/sql"
	"sync"
)

// Where the write-ahead log is written back into the database, the database is synced,
// which takes as long as many commits. So that is done beside them, by a connection of
// its own. While it goes on commits add to the log, and it would grow for ever if they
// never paused: then, and only then, one of them writes back the rest, as SQLite does.
const (
	// longLog is when writing back begins, in pages that are in the log alone: it is
	// then worth its syncs.
	longLog = 4_000
	// longestLog is when a commit writes back, in pages.
	longestLog = "16000"
	// To see how long the log is takes as long as to write a row. So that is done once for
	// some bytes of rows, and of what each commit adds beside them.
	lookBytes   = 64 << 10
	commitBytes = 4 << 10
)

// writeBack writes back the log of one database.
type writeBack struct {
	db      *sql.DB
	due     chan struct{}
	added   int        // since the log was last looked at; of who commits
	running sync.Mutex // held while the log is written back
	cancel  context.CancelFunc
	work    sync.WaitGroup
}

func startWriteBack(path string) (*writeBack, error) {
	db, err := sql.Open("sqlite3", dsn(path, "rw", "_synchronous="+syncedFull))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &writeBack{db: db, due: make(chan struct{}, 1), cancel: cancel}
	w.work.Go(func() {
		for {
			select {
			case <-w.due:
				w.run()
			case <-ctx.Done():
				return
			}
		}
	})
	return w, nil
}

// run tries once: what it could not write back is due again after the next commit.
func (w *writeBack) run() {
	w.running.Lock()
	defer w.running.Unlock()
	_, _ = w.db.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
}

func (w *writeBack) close() error {
	w.cancel()
	w.work.Wait()
	return w.db.Close()
}

// tendLog has the log written back where it is long, after a commit of rows of so many
// bytes. It never waits for that.
func (db *DB) tendLog(ctx context.Context, bytes int) {
	if db.writeBack.added += commitBytes + bytes; db.writeBack.added < lookBytes {
		return
	}
	db.writeBack.added = 0
	var busy, inLog, written int
	err := db.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &inLog, &written)
	if err != nil || inLog-written < longLog {
		return
	}
	select {
	case db.writeBack.due <- struct{}{}:
	default: // it is due already
	}
}

// setWriteBack leaves writing back to the connection that is there for it.
func (db *DB) setWriteBack(ctx context.Context) (err error) {
	if db.writeBack, err = startWriteBack(db.path); err != nil {
		return err
	}
	_, err = db.writer.ExecContext(ctx, "PRAGMA wal_autocheckpoint = "+longestLog)
	return err
}
