// Command bench measures how fast ticketrail is, each figure beside a yardstick that
// the same machine is held to in the same minute, and prints one table of ratios.
//
// Everything runs in processes of its own: servers, the load, and whoever reads the
// stream. After each run what came out is compared with what went in; a result that is
// not right has no figure, is told, and makes the exit code 1. docs/performance.md says
// what each line means.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
)

// roles are what a process of this program can be beside the one that measures.
var roles = map[string]func(arguments []string) error{
	"null":       serveNull,
	"publish":    servePublish,
	"ingest":     serveIngest,
	"broker":     serveBroker,
	"load":       sendLoad,
	"fill":       fillStream,
	"replay":     replay,
	"publishing": publishing,
	"watch":      watch,
	"model":      makeModel,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(arguments []string) (err error) {
	if len(arguments) > 0 && roles[arguments[0]] != nil {
		return play(arguments[0], arguments[1:])
	}
	b, err := parse(arguments)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if b.dir == "" {
		if b.dir, err = os.MkdirTemp(".", ".bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	}
	if len(b.sizes) > 0 {
		return b.growth(ctx, b.sizes, b.picture)
	}
	return b.measure(ctx)
}

// measurement is a group of contests.
type measurement struct {
	name  string
	holds func(*bench) []*contest.Contest
	// more is held only where it is named: it needs what is not built for the others.
	more bool
}

// measurements are all there are, in the order of the table.
func measurements() []measurement {
	return []measurement{
		{name: "webhooks", holds: (*bench).webhookContests},
		{name: "replay", holds: (*bench).replayContests},
		{name: "watermill", holds: (*bench).watermillContests},
		{name: "lag", holds: (*bench).lagContests},
		{name: "reads", holds: (*bench).readContests},
		{name: "peers", holds: (*bench).peerContests, more: true},
	}
}

func names() (all []string) {
	for _, m := range measurements() {
		if !m.more {
			all = append(all, m.name)
		}
	}
	return all
}

// measure holds the contests and prints the table.
func (b *bench) measure(ctx context.Context) error {
	begun := time.Now()
	var results []*contest.Result
	wrong := 0
	for _, m := range measurements() {
		if !slices.Contains(b.only, m.name) {
			continue
		}
		for _, c := range m.holds(b) {
			fmt.Fprintf(os.Stderr, "%6s %s\n", time.Since(begun).Round(time.Second), c.Path)
			result := c.Hold(ctx, b.rounds)
			results = append(results, result)
			wrong += len(result.Wrong)
		}
	}
	contest.WriteTable(os.Stdout, results)
	fmt.Printf("\n%d rounds in turn, medians; %d processors, %s; took %s.\n",
		b.rounds, runtime.NumCPU(), loadAverage(), time.Since(begun).Round(time.Second))
	if wrong > 0 {
		return fmt.Errorf("%d runs were not right", wrong)
	}
	return ctx.Err()
}

// loadAverage tells how busy the machine is, ourselves included.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "load not known"
	}
	return "load " + strings.Join(strings.Fields(string(text))[:3], " ")
}

// nextSeed gives each load webhooks of its own.
func (b *bench) nextSeed() uint64 {
	b.seed++
	return b.seed
}
