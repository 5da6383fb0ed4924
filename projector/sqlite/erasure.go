package sqlite

import "context"

// An erased text must not stay in the file where nobody reads it. The writer overwrites
// what it deletes (secure_delete); pagesum.c clears the copies that SQLite leaves where
// it moves rows about; and after a commit that erased something the write-ahead log,
// which holds the pages as they were, is emptied. A read that is under way keeps the log
// as it is: then every commit tries again, and closing the file does.

// logWithin is how long a commit waits for reads before it leaves the log as it is, in
// milliseconds: reads of orders take less, a comparison takes minutes.
const logWithin = "100"

// emptyLog writes the log back and empties it, where that is due.
func (db *DB) emptyLog(ctx context.Context, erased bool) {
	db.logHolds = db.logHolds || erased
	if !db.logHolds {
		return
	}
	db.writeBack.running.Lock()
	defer db.writeBack.running.Unlock()
	var busy, inLog, written int
	_, _ = db.writer.ExecContext(ctx, "PRAGMA busy_timeout = "+logWithin)
	err := db.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &written)
	_, _ = db.writer.ExecContext(ctx, "PRAGMA busy_timeout = "+busyTimeout)
	db.logHolds = err != nil || busy != 0
}
