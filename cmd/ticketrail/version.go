package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// version and commit are set by the linker; a plain go build leaves them to the
// build's own information.
var version, commit string

// versionCommand prints what the program is made of.
type versionCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// versionFlag is what every program understands: --version prints the version and no more.
type versionFlag bool

// BeforeReset prints, and has the parser do nothing else.
func (versionFlag) BeforeReset(ctx context.Context, app *kong.Kong) error {
	fmt.Fprintln(app.Stdout, "ticketrail", readVersions(ctx).Version)
	app.Exit(exitDone)
	return nil
}

// versions are those of the program and of the parts that its promises rest on.
type versions struct {
	Version    string `json:"version"`
	Commit     string `json:"commit"`
	Go         string `json:"go"`
	SQLite     string `json:"sqlite"`
	NATSServer string `json:"nats_server"`
}

// Run prints the versions.
func (c *versionCommand) Run(ctx context.Context, p *program) error {
	v := readVersions(ctx)
	if c.JSON {
		return printJSON(p.stdout, v)
	}
	_, err := fmt.Fprintf(p.stdout, "ticketrail %s\ncommit      %s\ngo          %s\nsqlite      %s\nnats-server %s\n",
		v.Version, v.Commit, v.Go, v.SQLite, v.NATSServer)
	return err
}

func readVersions(ctx context.Context) versions {
	v := versions{Version: version, Commit: commit, Go: runtime.Version(), SQLite: sqliteVersion(ctx), NATSServer: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if v.Version == "" {
		v.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && v.Commit == "" {
			v.Commit = setting.Value
		}
	}
	v.Commit = cmp.Or(v.Commit, "unknown")
	for _, module := range info.Deps {
		if module.Path == "github.com/nats-io/nats-server/v2" {
			v.NATSServer = module.Version
		}
	}
	return v
}

// sqliteVersion asks the library itself: the driver's module has a version of
// its own.
func sqliteVersion(ctx context.Context) (version string) {
	db, err := sql.Open("sqlite3", ":memory:")
	if err == nil {
		err = errors.Join(db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version), db.Close())
	}
	if err != nil {
		return "unknown"
	}
	return version
}
