//go:build csqlite

package main

import (
	"database/sql"

	"github.com/mattn/go-sqlite3"
)

// With the tag csqlite it has the SQLite that ticketrail has, which is faster, under the
// name that Bento knows.
func init() { // before Bento looks for it
	sql.Register("sqlite", &sqlite3.SQLiteDriver{})
}
