package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
	"github.com/ticketrail/ticketrail/cmd/bench/load"
)

// The contestants on the way from a webhook to its 200.
const (
	nullHandler  = "null handler"
	onePublish   = "one publish each, synced"
	withArchive  = "ingest"
	noArchive    = "ingest, no archive"
	syncedEach   = "ingest, durability each"
	syncedLater  = "ingest, durability page"
	wholeProgram = "ticketrail serve"
)

// webhookContests measure how long senders wait for a durable 200.
func (b *bench) webhookContests() (contests []*contest.Contest) {
	for _, connections := range b.connections {
		c := &contest.Contest{
			Path: fmt.Sprintf("webhook to 200, %d connections", connections),
			Contestants: []contest.Contestant{
				b.taker(nullHandler, connections, b.takenByNull),
				b.taker(onePublish, connections, b.takenBy("publish", ".")),
				b.taker(withArchive, connections, b.takenBy("ingest", "stream", "group", "archive")),
				b.taker(noArchive, connections, b.takenBy("ingest", "stream", "group")),
				b.taker(syncedEach, connections, b.takenBy("ingest", "stream", "each", "archive")),
				b.taker(syncedLater, connections, b.takenBy("ingest", "stream", "page", "archive")),
				b.taker(wholeProgram, connections, b.takenByProgram),
			},
		}
		for _, what := range []string{nullHandler, onePublish, withArchive, noArchive, syncedEach, syncedLater, wholeProgram} {
			c.Comparisons = append(c.Comparisons, contest.Comparison{What: what, Against: nullHandler})
		}
		for _, what := range []string{withArchive, noArchive} {
			c.Comparisons = append(c.Comparisons, contest.Comparison{What: what, Against: onePublish})
		}
		contests = append(contests, c)
	}
	return contests
}

// taking sends webhooks to something that takes them, in a folder of its own, and
// checks what it has when it has ended.
type taking func(ctx context.Context, dir string, order loadOrder) (contest.Sample, error)

func (b *bench) taker(name string, connections int, take taking) contest.Contestant {
	return contest.Contestant{Name: name, Run: func(ctx context.Context) (contest.Sample, error) {
		dir, err := os.MkdirTemp(b.dir, "taking-")
		if err != nil {
			return contest.Sample{}, err
		}
		sample, err := take(ctx, dir, loadOrder{
			Plan:     load.Plan{Connections: connections, For: b.length},
			webhooks: b.ready(connections), seed: b.nextSeed(), places: filepath.Join(dir, "places"),
		})
		return sample, errors.Join(err, os.RemoveAll(dir))
	}}
}

// ready is how many webhooks so many senders could send: one alone sends few.
func (b *bench) ready(connections int) int {
	if connections == 1 {
		return max(1, b.webhooks/10)
	}
	return b.webhooks
}

// takenByNull keeps nothing, so each webhook may come many times.
func (b *bench) takenByNull(ctx context.Context, _ string, order loadOrder) (contest.Sample, error) {
	order.Again, order.places = true, ""
	s, err := self(ctx, "null")
	if err != nil {
		return contest.Sample{}, err
	}
	if order.Address, err = s.line(); err != nil {
		return contest.Sample{}, err
	}
	_, sample, err := send(ctx, order, s)
	return sample, errors.Join(err, s.end())
}

// takenBy sends to a role of this program that keeps its stream in a part of the folder.
func (b *bench) takenBy(role, stream string, more ...string) taking {
	return func(ctx context.Context, dir string, order loadOrder) (contest.Sample, error) {
		s, err := self(ctx, role, append([]string{dir}, more...)...)
		if err != nil {
			return contest.Sample{}, err
		}
		if order.Address, err = s.line(); err != nil {
			return contest.Sample{}, err
		}
		report, sample, err := send(ctx, order, s)
		if err = errors.Join(err, s.end()); err != nil {
			return sample, err
		}
		return b.checked(ctx, filepath.Join(dir, stream), order, report, sample)
	}
}

// takenByProgram sends to the program, which projects and serves beside.
func (b *bench) takenByProgram(ctx context.Context, dir string, order loadOrder) (contest.Sample, error) {
	data := filepath.Join(dir, "data")
	p, err := serveTicketrail(ctx, b.program, data, b.settings...)
	if err != nil {
		return contest.Sample{}, err
	}
	order.Address = p.ingest
	report, sample, err := send(ctx, order, p)
	if err == nil {
		err = p.caughtUp(ctx)
	}
	if err = errors.Join(err, p.stop()); err != nil {
		return sample, err
	}
	if err := p.verify(ctx); err != nil {
		return sample, err
	}
	return b.checked(ctx, filepath.Join(data, "stream"), order, report, sample)
}

// checked compares what was answered with what is in the stream now.
func (b *bench) checked(ctx context.Context, stream string, order loadOrder, report load.Report, sample contest.Sample) (contest.Sample, error) {
	places, err := readPlaces(order.places)
	if err != nil {
		return sample, err
	}
	if len(places) != report.Answered {
		return sample, fmt.Errorf("%d of %d answers with 200 gave no new place in the stream", report.Answered-len(places), report.Answered)
	}
	if report.Out {
		sample.Note = "the webhooks ran out before the time: raise -webhooks"
	}
	return sample, checkStored(ctx, stream, places)
}
