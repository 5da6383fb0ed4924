package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
	"github.com/ticketrail/ticketrail/cmd/bench/load"
)

// loadOrder is what a load process is told to send.
type loadOrder struct {
	load.Plan
	// webhooks is how many different ones are made ready; where it is 0, paths names a
	// file of paths to get, one a line.
	webhooks int
	seed     uint64
	paths    string
	// places is the file for what was answered; empty where nobody checks.
	places string
}

// arguments gives the command line of the process.
func (o *loadOrder) arguments() []string {
	return []string{
		"-address", o.Address, "-connections", strconv.Itoa(o.Connections), "-for", o.For.String(),
		"-rate", fmt.Sprint(o.PerSecond), "-again=" + strconv.FormatBool(o.Again),
		"-webhooks", strconv.Itoa(o.webhooks), "-seed", fmt.Sprint(o.seed), "-paths", o.paths, "-places", o.places,
	}
}

// parseLoad reads it again.
func parseLoad(arguments []string) (o loadOrder, err error) {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&o.Address, "address", "", "")
	flags.IntVar(&o.Connections, "connections", 1, "")
	flags.DurationVar(&o.For, "for", time.Second, "")
	flags.Float64Var(&o.PerSecond, "rate", 0, "")
	flags.BoolVar(&o.Again, "again", false, "")
	flags.IntVar(&o.webhooks, "webhooks", 0, "")
	flags.Uint64Var(&o.seed, "seed", 1, "")
	flags.StringVar(&o.paths, "paths", "", "")
	flags.StringVar(&o.places, "places", "", "")
	return o, flags.Parse(arguments)
}

// sendLoad is the load's process: it makes its requests ready, says so, waits to be
// told to begin, and prints the report.
func sendLoad(arguments []string) error {
	o, err := parseLoad(arguments)
	if err != nil {
		return err
	}
	requests, heads, err := o.requests()
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	var mu sync.Mutex
	var receipts []load.Receipt
	report, err := load.Run(context.Background(), o.Plan, requests, func(r load.Receipt) {
		mu.Lock()
		receipts = append(receipts, r)
		mu.Unlock()
	})
	if err != nil {
		return err
	}
	if o.places != "" {
		places := make([]place, len(receipts))
		for i, r := range receipts {
			places[i] = place{r.StreamSequence, heads[r.Request]}
		}
		if err := writePlaces(o.places, places); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

func (o *loadOrder) requests() (requests []load.Request, heads []digestHead, err error) {
	if o.webhooks == 0 {
		text, err := os.ReadFile(o.paths)
		for path := range strings.FieldsSeq(string(text)) {
			requests = append(requests, load.Get(path))
		}
		return requests, nil, err
	}
	for w := range load.NewMix(o.seed).Webhooks(0, o.webhooks) {
		requests, heads = append(requests, load.Post(w)), append(heads, headOf(w.Body))
		if len(requests) == o.webhooks {
			break
		}
	}
	return requests, heads, nil
}

// measured is a process whose processor time counts.
type measured interface{ cpu() time.Duration }

// send has a load process send to a server, and gives what came of it.
func send(ctx context.Context, o loadOrder, servers ...measured) (load.Report, contest.Sample, error) {
	var report load.Report
	p, err := self(ctx, "load", o.arguments()...)
	if err != nil {
		return report, contest.Sample{}, err
	}
	if _, err := p.line(); err != nil {
		return report, contest.Sample{}, err
	}
	before := cpuOf(servers)
	if _, err := fmt.Fprintln(p.in); err != nil {
		return report, contest.Sample{}, errors.Join(err, p.end())
	}
	line, err := p.line()
	if err != nil {
		return report, contest.Sample{}, err
	}
	used := cpuOf(servers) - before
	err = errors.Join(json.Unmarshal([]byte(line), &report), p.end())
	if err == nil {
		err = allAnswered(report)
	}
	if err != nil {
		return report, contest.Sample{}, err
	}
	return report, contest.Sample{
		Rate: float64(report.Answered) / report.Took.Seconds(),
		P50:  report.P50, P99: report.P99,
		CPU: used / time.Duration(report.Answered),
	}, nil
}

func cpuOf(servers []measured) (used time.Duration) {
	for _, s := range servers {
		used += s.cpu()
	}
	return used
}

// allAnswered wants nothing but 200s: a refusal is quickly given.
func allAnswered(r load.Report) error {
	for status, n := range r.Others {
		return fmt.Errorf("%d requests were answered with %d", n, status)
	}
	if r.Answered == 0 {
		return errors.New("no request was answered")
	}
	return nil
}

// fileOfPaths writes a file that a load gets paths from.
func fileOfPaths(dir string, paths []string) (string, error) {
	name := filepath.Join(dir, "paths")
	return name, os.WriteFile(name, []byte(strings.Join(paths, "\n")), 0o600)
}
