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
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
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

// bench is what is measured, and how much of it.
type bench struct {
	dir, program string
	bento, nats  string   // the peers' programs
	sizes        []int    // the numbers of orders to look at, in place of all else
	picture      string   // where they are drawn
	settings     []string // of the program
	only         []string
	rounds       int
	length       time.Duration
	connections  []int
	rates        []int // webhooks a second, of the live ones
	webhooks     int
	orders       int    // of the stream that is replayed
	readOrders   int    // of the read model that is read
	single       int    // webhooks that are replayed with a transaction each
	seed         uint64 // of the next load
	streamSeed   uint64 // of streams that are filled
}

// parse reads the command line.
func parse(arguments []string) (*bench, error) {
	b := &bench{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&b.program, "program", "bin/ticketrail", "the ticketrail that is measured")
	flags.StringVar(&b.bento, "bento", "bin/bento", "the Bento that peers are measured with")
	flags.StringVar(&b.nats, "nats-server", "bin/nats-server", "the NATS server that it uses")
	flags.StringVar(&b.dir, "dir", "", "folder on the disk that is measured; a new one in the working directory, removed at the end, where it is empty")
	only := flags.String("only", "", "the measurements, with commas between; or peers; where it is empty "+strings.Join(names(), ","))
	settings := flags.String("settings", "", "lines of the program's configuration, with semicolons between")
	connections := flags.String("connections", "1,64,256", "how many senders at once")
	rates := flags.String("rates", "1000,5000", "webhooks a second while orders are waited for")
	sizes := flags.String("growth", "", "look at the program at these numbers of orders, in place of all else")
	flags.StringVar(&b.picture, "picture", "docs/growth.svg", "the file that -growth draws")
	profiles := flags.String("profiles", "", "folder for a CPU profile of each process but ticketrail's own")
	flags.IntVar(&b.rounds, "rounds", 5, "how often each is run, in turn")
	flags.DurationVar(&b.length, "for", 1500*time.Millisecond, "how long each load lasts")
	flags.IntVar(&b.webhooks, "webhooks", 100_000, "how many webhooks a load has ready")
	flags.IntVar(&b.orders, "orders", 20_000, "how many orders the stream has that is replayed, of five webhooks each")
	flags.IntVar(&b.readOrders, "read-orders", 40_000, "how many orders the read model has that is read")
	flags.IntVar(&b.single, "single", 1000, "how many webhooks are replayed with a transaction each")
	flags.Uint64Var(&b.streamSeed, "seed", 1, "what everything random is made from")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if *profiles != "" {
		if err := errors.Join(os.MkdirAll(*profiles, 0o700), os.Setenv(profilesVariable, *profiles)); err != nil {
			return nil, err
		}
	}
	if *settings != "" {
		b.settings = strings.Split(*settings, ";")
	}
	b.only = names()
	if *only != "" {
		b.only = strings.Split(*only, ",")
	}
	b.seed = b.streamSeed
	var errs [3]error
	b.connections, errs[0] = numbers(*connections)
	b.rates, errs[1] = numbers(*rates)
	b.sizes, errs[2] = numbers(*sizes)
	return b, errors.Join(errs[:]...)
}

// numbers reads numbers from 1, with commas between.
func numbers(list string) (all []int, err error) {
	for text := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number from 1", text)
		}
		all = append(all, n)
	}
	return all, nil
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
