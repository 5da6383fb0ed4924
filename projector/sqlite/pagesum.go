package sqlite

// #include "pagesum.h"
import "C"

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/mattn/go-sqlite3"

	"github.com/ticketrail/ticketrail/domain"
)

// A flipped bit in a page of a database is mostly a wrong number or a wrong letter
// to SQLite, and no error. So each page ends in a sum of what is in it, which is
// written with the page and checked whenever the page is read from the file: what
// has changed in between is never taken for an answer. SQLite leaves room for that at
// the end of its pages, and any SQLite tool reads such a file, without looking at
// the sums. The write-ahead log has sums of its own; see walcheck.go.

// pageSum is the VFS that sums pages.
const pageSum = C.PAGESUM_VFS

// sumBytes is what a sum takes of a page.
const sumBytes = 8

// registerPageSum makes the VFS known to SQLite. It may be called again.
func registerPageSum() { C.pagesum_register() }

// leaveRoom has a new database leave room for the sums, before its first page is
// written. In one that is there already it changes nothing.
func leaveRoom(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(conn.Raw(func(driver any) error {
		return driver.(*sqlite3.SQLiteConn).SetFileControlInt("", sqlite3.SQLITE_FCNTL_RESERVE_BYTES, sumBytes)
	}), conn.Close())
}

// checkRoom returns an ErrSchema for a database whose pages have no room for sums, and
// domain.ErrDamaged where it says all the same that its schema is of this program.
func checkRoom(path string) error {
	const magic, room, number, end = "SQLite format 3\x00", 20, 60, 64 // where the header has them
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	header := make([]byte, end)
	full, err := readWhole(file, header)
	if !full || !strings.HasPrefix(string(header), magic) || header[room] == sumBytes {
		return err
	}
	if err := compareSchema(int(binary.BigEndian.Uint32(header[number:]))); err != nil {
		return err
	}
	return fmt.Errorf("%w: its header does not tell of sums", domain.ErrDamaged)
}

// damage adds domain.ErrDamaged to an error of SQLite's that says that the file is
// not what was written.
func damage(err error) error {
	fault, _ := errors.AsType[sqlite3.Error](err)
	told := errors.Is(err, domain.ErrDamaged)
	if !told && (fault.Code == sqlite3.ErrCorrupt || fault.Code == sqlite3.ErrNotADB) {
		return fmt.Errorf("%w: %w", domain.ErrDamaged, err)
	}
	return err
}
