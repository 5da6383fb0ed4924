package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

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
	for _, name := range b.only {
		if !slices.ContainsFunc(measurements(), func(m measurement) bool { return m.name == name }) {
			return nil, fmt.Errorf("-only: there is no measurement %q", name)
		}
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
