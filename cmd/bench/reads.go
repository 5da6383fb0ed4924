package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
	"github.com/ticketrail/ticketrail/cmd/bench/load"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

const (
	// readers is how many connections read at once.
	readers = 16
	// differentOrders is how many orders are read, at random, where one is read at a time.
	differentOrders = 10_000
	// backlog is the share of the stream that is left to project while orders are read.
	backlog = 0.3
)

// The states of the program while it is read.
const (
	idle    = "idle"
	writing = "projecting"
)

// readContests measure how fast orders are read, of a program that does nothing else and
// of one that catches up with its stream meanwhile.
func (b *bench) readContests() (contests []*contest.Contest) {
	r := &reads{bench: b}
	questions := []struct {
		name  string
		paths func() []string
	}{
		{"GET one order", r.orderPaths},
		{"list page of 50", func() []string { return []string{"/v1/orders?limit=50", "/v1/orders?limit=50&state=completed"} }},
		{"list page of 50, a source", func() []string { return []string{"/v1/orders?limit=50&source=ordatic"} }},
		{"counts per state", func() []string { return []string{"/v1/stats?minutes=1"} }},
	}
	for _, q := range questions {
		whileIdle, whileWriting := q.name+", "+idle, q.name+", "+writing
		contests = append(contests, &contest.Contest{
			Path: fmt.Sprintf("reads, %d orders", b.readOrders),
			Contestants: []contest.Contestant{
				{Name: nullHandler, Run: func(ctx context.Context) (contest.Sample, error) { return r.null(ctx, q.paths()) }},
				{Name: whileIdle, Run: func(ctx context.Context) (contest.Sample, error) { return r.program(ctx, idle, q.paths) }},
				{Name: whileWriting, Run: func(ctx context.Context) (contest.Sample, error) { return r.program(ctx, writing, q.paths) }},
			},
			Comparisons: []contest.Comparison{
				{What: nullHandler, Against: nullHandler},
				{What: whileIdle, Against: nullHandler},
				{What: whileWriting, Against: nullHandler},
				{What: whileWriting, Against: whileIdle},
			},
		})
	}
	return contests
}

// reads are of one data folder, which is put back before each.
type reads struct {
	*bench
	stream *filled // nil until it is needed
}

// prepare makes the data folder, and a read model for each state beside it.
func (r *reads) prepare(ctx context.Context) (err error) {
	if r.stream != nil {
		return nil
	}
	stream, err := r.fill(ctx, "reads", r.readOrders)
	if err != nil {
		return err
	}
	for state, last := range map[string]uint64{
		idle: stream.Webhooks, writing: uint64(float64(stream.Webhooks) * (1 - backlog)),
	} {
		var at uint64
		if err := ask(ctx, &at, "model", stream.dir, strconv.FormatUint(last, 10)); err != nil {
			return err
		}
		if err := os.Rename(app.ReadModelFolder(stream.dir), stream.dir+"-"+state); err != nil {
			return err
		}
	}
	r.stream = stream
	return nil
}

// makeModel is the process that makes the read model of a data folder: the folder, and
// the stream sequence to stop at, which it prints.
func makeModel(arguments []string) (err error) {
	last, err := strconv.ParseUint(arguments[1], 10, 64)
	if err != nil {
		return err
	}
	ctx := context.Background()
	e, err := openEmbedded(ctx, app.StreamFolder(arguments[0]))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	folder, err := sqlite.OpenFolder(app.ReadModelFolder(arguments[0]))
	if err != nil {
		return err
	}
	if err := rebuildModel(ctx, e, last, folder.Current()); err != nil {
		return err
	}
	fmt.Println(last)
	return nil
}

// orderPaths gives where orders are that every state has: the first half of them.
func (r *reads) orderPaths() []string { return r.pathsBelow(r.readOrders / 2) }

// pathsBelow gives where orders are whose number is below another one.
func (r *reads) pathsBelow(orders int) (paths []string) {
	mix, random := load.NewMix(r.streamSeed), rand.New(rand.NewPCG(r.streamSeed, 2))
	for len(paths) < differentOrders {
		for _, w := range mix.Order(random.IntN(max(1, orders))) {
			if path := orderPath(w); path != "" {
				paths = append(paths, path)
				break
			}
		}
	}
	return paths
}

func (r *reads) order(dir string, paths []string) (loadOrder, error) {
	file, err := fileOfPaths(dir, paths)
	return loadOrder{Plan: load.Plan{Connections: readers, For: r.length, Again: true}, paths: file}, err
}

func (r *reads) null(ctx context.Context, paths []string) (sample contest.Sample, err error) {
	o, err := r.order(r.dir, paths)
	if err != nil {
		return sample, err
	}
	s, err := self(ctx, "null")
	if err != nil {
		return sample, err
	}
	if o.Address, err = s.line(); err != nil {
		return sample, err
	}
	_, sample, err = send(ctx, o, s)
	return sample, errors.Join(err, s.end())
}

// program reads from the program in one of its states.
func (r *reads) program(ctx context.Context, state string, paths func() []string) (sample contest.Sample, err error) {
	if err := r.prepare(ctx); err != nil {
		return sample, err
	}
	if err := r.putBack(ctx, state); err != nil {
		return sample, err
	}
	o, err := r.order(r.dir, paths())
	if err != nil {
		return sample, err
	}
	p, err := serveTicketrail(ctx, r.bench.program, r.stream.dir, append([]string{"archive: {dir: 'off'}"}, r.settings...)...)
	if err != nil {
		return sample, err
	}
	o.Address = p.api
	_, sample, err = send(ctx, o, p)
	if err == nil && state == writing {
		sample.Note, err = p.stillBehind(ctx)
	}
	if err == nil && state == idle {
		err = r.allThere(ctx, p)
	}
	return sample, errors.Join(err, p.stop())
}

// putBack gives the data folder the read model of a state.
func (r *reads) putBack(ctx context.Context, state string) error {
	inUse := app.ReadModelFolder(r.stream.dir)
	if err := os.RemoveAll(inUse); err != nil {
		return err
	}
	return exec.CommandContext(ctx, "cp", "-a", r.stream.dir+"-"+state, inUse).Run()
}

// stillBehind tells whether the projector had work until the end of the reads.
func (p *program) stillBehind(ctx context.Context) (note string, err error) {
	var at projection
	if err := p.get(ctx, "/v1/projection", &at); err != nil {
		return "", err
	}
	if at.Checkpoint == at.Stream.Last {
		note = "the projector had caught up before the reads were over: raise -read-orders"
	}
	return note, nil
}

// allThere checks that the counts per state sum to the orders that the stream has.
func (r *reads) allThere(ctx context.Context, p *program) error {
	if err := p.caughtUp(ctx); err != nil {
		return err
	}
	var stats struct {
		Orders []struct {
			Orders uint64 `json:"orders"`
		} `json:"orders"`
	}
	if err := p.get(ctx, "/v1/stats", &stats); err != nil {
		return err
	}
	var sum uint64
	for _, count := range stats.Orders {
		sum += count.Orders
	}
	if sum != r.stream.Orders {
		return fmt.Errorf("the counts per state sum to %d, and the stream has %d orders", sum, r.stream.Orders)
	}
	return nil
}
