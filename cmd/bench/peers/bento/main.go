// Command bento is Bento with the few components that the comparison uses, and with the
// SQLite that ticketrail has, which is the faster one. It is a module of its own:
// nothing of the project may depend on it.
package main

import (
	"context"
	"database/sql"

	"github.com/mattn/go-sqlite3"
	"github.com/warpstreamlabs/bento/public/service"

	_ "github.com/warpstreamlabs/bento/public/components/io"
	_ "github.com/warpstreamlabs/bento/public/components/nats"
	_ "github.com/warpstreamlabs/bento/public/components/pure"
	_ "github.com/warpstreamlabs/bento/public/components/sql/base"
)

func main() {
	sql.Register("sqlite", &sqlite3.SQLiteDriver{}) // the name that Bento knows
	service.RunCLI(context.Background())
}
