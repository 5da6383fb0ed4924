package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
	"github.com/ticketrail/ticketrail/cmd/bench/load"
)

const (
	// lagSenders is how many connections the webhooks come over.
	lagSenders = 64
	// watchers is how many orders are waited for at once.
	watchers = 8
	// looksPerSecond is how many webhooks a second are waited for, of all that are sent:
	// to wait for each would be a load of its own.
	looksPerSecond = 100
)

// lags is what a process that watched the program saw.
type lags struct {
	Report load.Report `json:"report"`
	// Live is the time from a webhook's 200 to its order in the API; There that of the
	// same request when there is nothing to wait for.
	Live  contest.Sample `json:"live"`
	There contest.Sample `json:"there"`
}

// lagContests measure how long after its 200 a webhook's order is in the API.
func (b *bench) lagContests() (contests []*contest.Contest) {
	for _, rate := range b.rates {
		var there contest.Sample
		live := fmt.Sprintf("order after a 200, %d/s", rate)
		contests = append(contests, &contest.Contest{
			Path: "live",
			Contestants: []contest.Contestant{
				{Name: live, Run: func(ctx context.Context) (sample contest.Sample, err error) {
					sample, there, err = b.lag(ctx, rate)
					return sample, err
				}},
				{Name: "GET of it again", Run: func(context.Context) (contest.Sample, error) {
					return there, nil // of the same run
				}},
			},
			Comparisons: []contest.Comparison{
				{What: "GET of it again", Against: "GET of it again", Of: contest.P50},
				{What: live, Against: "GET of it again", Of: contest.P50},
			},
		})
	}
	return contests
}

// lag runs the program under a steady load.
func (b *bench) lag(ctx context.Context, rate int) (live, there contest.Sample, err error) {
	dir, err := os.MkdirTemp(b.dir, "lag-")
	if err != nil {
		return live, there, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	data := filepath.Join(dir, "data")
	p, err := serveTicketrail(ctx, b.program, data, b.settings...)
	if err != nil {
		return live, there, err
	}
	live, there, err = b.watched(ctx, p, rate)
	if err == nil {
		err = p.caughtUp(ctx)
	}
	if err = errors.Join(err, p.stop()); err != nil {
		return live, there, err
	}
	return live, there, p.verify(ctx)
}

// watched sends to a program at a pace, and looks for orders meanwhile.
func (b *bench) watched(ctx context.Context, p *program, rate int) (live, there contest.Sample, err error) {
	length := 2 * b.length // the first seconds are no steady ones
	o := loadOrder{
		Plan:     load.Plan{Address: p.ingest, Connections: lagSenders, For: length, PerSecond: float64(rate)},
		webhooks: int(float64(rate)*length.Seconds()) + 1, seed: b.nextSeed(),
	}
	var seen lags
	before := p.cpu()
	err = ask(ctx, &seen, "watch", append([]string{p.api}, o.arguments()...)...)
	used := p.cpu() - before
	if err == nil {
		err = allAnswered(seen.Report)
	}
	if err != nil {
		return live, there, err
	}
	seen.Live.Rate = float64(seen.Report.Answered) / seen.Report.Took.Seconds()
	seen.Live.CPU = used / time.Duration(seen.Report.Answered)
	if kept := seen.Live.Rate / float64(rate); kept < 0.95 {
		seen.Live.Note = "the program did not keep the pace"
	}
	return seen.Live, seen.There, nil
}

// watch is the process that sends at a pace and looks for the orders: the API's
// address, and then what a load process is told.
func watch(arguments []string) error {
	o, err := parseLoad(arguments[1:])
	if err != nil {
		return err
	}
	w := &watcher{looks: make(chan look, 1<<16)}
	var requests []load.Request
	for webhook := range load.NewMix(o.seed).Webhooks(0, o.webhooks) {
		requests, w.paths = append(requests, load.Post(webhook)), append(w.paths, orderPath(webhook))
		if len(requests) == o.webhooks {
			break
		}
	}
	every := max(1, int(o.PerSecond)/looksPerSecond)
	var group errgroup.Group
	for range watchers {
		group.Go(func() error { return w.watch(arguments[0]) })
	}
	report, err := load.Run(context.Background(), o.Plan, requests, func(r load.Receipt) {
		if r.Request%every == 0 && w.paths[r.Request] != "" {
			w.looks <- look(r)
		}
	})
	close(w.looks)
	if err := errors.Join(err, group.Wait()); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(w.lags(report))
}

// orderPath gives where the API has a webhook's order; nothing where it is about none.
func orderPath(w load.Webhook) string {
	if w.Key == "" {
		return ""
	}
	return "/v1/orders/" + w.Source + "/" + url.PathEscape(w.Key)
}

// look is a webhook whose order is looked for.
type look load.Receipt

// watcher looks for the orders of webhooks that were answered.
type watcher struct {
	looks chan look
	paths []string // by request

	mu          sync.Mutex
	live, there []time.Duration
}

func (w *watcher) watch(address string) error {
	conn, err := net.Dial("tcp", address) //nolint:noctx // the process ends with whoever waits for it
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	in := load.NewReader(bufio.NewReader(conn))
	for l := range w.looks {
		live, err := in.Order(conn, load.Get(fmt.Sprintf("%s?min_stream_sequence=%d", w.paths[l.Request], l.StreamSequence)), l.StreamSequence)
		if err != nil {
			return err
		}
		again := time.Now()
		there, err := in.Order(conn, load.Get(w.paths[l.Request]), l.StreamSequence)
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.live, w.there = append(w.live, live.Sub(l.At)), append(w.there, there.Sub(again))
		w.mu.Unlock()
	}
	return nil
}

func (w *watcher) lags(report load.Report) lags {
	seconds := report.Took.Seconds()
	of := func(times []time.Duration) contest.Sample {
		return contest.Sample{
			Rate: float64(len(times)) / seconds, P50: contest.Percentile(times, 0.5), P99: contest.Percentile(times, 0.99),
		}
	}
	return lags{Report: report, Live: of(w.live), There: of(w.there)}
}
