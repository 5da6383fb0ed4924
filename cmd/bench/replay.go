package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// replayContests measure how fast the stream is read, and made a read model of.
func (b *bench) replayContests() []*contest.Contest {
	r := &replays{bench: b, name: "replay"}
	reading := func(name, way string) contest.Contestant {
		return contest.Contestant{Name: name, Run: func(ctx context.Context) (contest.Sample, error) {
			return r.run(ctx, way, "")
		}}
	}
	return []*contest.Contest{{
		Path: fmt.Sprintf("stream to read model, %d orders", b.orders),
		Contestants: []contest.Contestant{
			reading("ordered consumer", "ordered"),
			reading("Log.Batches", "batches"),
			reading("Watermill Subscriber", "subscriber"),
			{Name: "rebuild", Run: r.rebuild},
			{Name: "a transaction each", Run: r.router},
		},
		Comparisons: []contest.Comparison{
			{What: "ordered consumer", Against: "ordered consumer"},
			{What: "Log.Batches", Against: "ordered consumer"},
			{What: "Watermill Subscriber", Against: "ordered consumer"},
			{What: "rebuild", Against: "ordered consumer"},
			{What: "rebuild", Against: "a transaction each"},
		},
	}}
}

// replays read one stream again and again.
type replays struct {
	*bench
	name      string  // of what they keep
	stream    *filled // nil until it is needed
	reference string  // a read model of it, made in another way
	models    int
}

// run has a process read the stream in one of the ways, into a read model where that
// is one of them.
func (r *replays) run(ctx context.Context, way, model string) (sample contest.Sample, err error) {
	if r.stream == nil {
		if r.stream, err = r.fill(ctx, r.name, r.orders); err != nil {
			return sample, err
		}
	}
	last := r.stream.Webhooks
	if way == "router" {
		last = min(last, uint64(r.single))
	}
	err = ask(ctx, &sample, "replay", way, filepath.Join(r.stream.dir, "stream"), strconv.FormatUint(last, 10), model)
	return sample, err
}

// rebuild rebuilds, and compares the first read model that came of it, row by row, with
// one that was made as the program makes it while it serves.
func (r *replays) rebuild(ctx context.Context) (contest.Sample, error) {
	model := r.newModel()
	sample, err := r.run(ctx, "rebuild", model)
	if err != nil || r.reference != "" {
		return sample, err
	}
	r.reference = r.newModel()
	if _, err := r.run(ctx, "live", r.reference); err != nil {
		return sample, err
	}
	return sample, sameRows(ctx, r.reference, model)
}

func (r *replays) router(ctx context.Context) (contest.Sample, error) {
	return r.run(ctx, "router", r.newModel())
}

func (r *replays) newModel() string {
	r.models++
	return filepath.Join(r.dir, r.name+"-models", fmt.Sprintf("model-%d.sqlite", r.models))
}

func sameRows(ctx context.Context, one, other string) error {
	c, err := sqlite.Compare(ctx, one, other)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	d, err := c.Difference(ctx, 1)
	if err == nil && !d.None() {
		err = fmt.Errorf("two read models of one stream differ: %+v", d.Tables)
	}
	return err
}
