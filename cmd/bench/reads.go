package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
	"github.com/ticketrail/ticketrail/cmd/bench/load"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

const (
	// readers is how many connections read at once.
	readers = 16
	// differentOrders is the most orders that are read, at random, where one is read at a
	// time, and keptOrders where they are read again and again.
	differentOrders = 100_000
	keptOrders      = 1000
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
	again := question{"GET one order, again", r.orderPaths(keptOrders), true}
	for _, q := range []question{
		{"GET one order, once", r.orderPaths(differentOrders), false},
		again,
		{"list page of 50", []string{"/v1/orders?limit=50", "/v1/orders?limit=50&state=completed"}, true},
		{"list page of 50, a source", []string{"/v1/orders?limit=50&source=ordatic"}, true},
		{"counts per state", []string{"/v1/stats?minutes=1"}, true},
	} {
		whileIdle, whileWriting := q.name+", "+idle, q.name+", "+writing
		contests = append(contests, &contest.Contest{
			Path: fmt.Sprintf("reads, %d orders", b.readOrders),
			Contestants: []contest.Contestant{
				{Name: nullHandler, Run: func(ctx context.Context) (contest.Sample, error) { return r.null(ctx, q) }},
				{Name: whileIdle, Run: func(ctx context.Context) (contest.Sample, error) { return r.program(ctx, idle, q) }},
				{Name: whileWriting, Run: func(ctx context.Context) (contest.Sample, error) { return r.program(ctx, writing, q) }},
			},
			Comparisons: []contest.Comparison{
				{What: nullHandler, Against: nullHandler},
				{What: whileIdle, Against: nullHandler},
				{What: whileWriting, Against: nullHandler},
				{What: whileWriting, Against: whileIdle},
			},
		})
	}
	const unread = "nobody reads"
	return append(contests, &contest.Contest{
		Path: fmt.Sprintf("projecting, %d orders", b.readOrders),
		Contestants: []contest.Contestant{
			{Name: unread, Run: func(ctx context.Context) (contest.Sample, error) { return r.catchUp(ctx, nil) }},
			{Name: again.name, Run: func(ctx context.Context) (contest.Sample, error) { return r.catchUp(ctx, &again) }},
		},
		Comparisons: []contest.Comparison{{What: unread, Against: unread}, {What: again.name, Against: unread}},
	})
}

// question is what is asked: the paths one after the other, and then again.
type question struct {
	name  string
	paths []string
	again bool
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
		idle: stream.Webhooks, writing: projected(stream),
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

// projected gives the stream sequence up to which a stream with a backlog is projected.
func projected(stream *filled) uint64 { return uint64(float64(stream.Webhooks) * (1 - backlog)) }

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

// orderPaths gives where some different orders are that every state has: they are among
// the first half.
func (r *reads) orderPaths(most int) []string { return r.pathsBelow(r.readOrders/2, most) }

// pathsBelow gives where some different orders are whose number is below another one.
func (r *reads) pathsBelow(orders, most int) (paths []string) {
	mix, random := load.NewMix(r.streamSeed), rand.New(rand.NewPCG(r.streamSeed, 2))
	for _, n := range random.Perm(max(1, orders)) {
		for _, w := range mix.Order(n) {
			if path := orderPath(w); path != "" {
				paths = append(paths, path)
				break
			}
		}
		if len(paths) == most {
			break
		}
	}
	return paths
}

func (r *reads) order(dir string, q question) (loadOrder, error) {
	file, err := fileOfPaths(dir, q.paths)
	return loadOrder{Plan: load.Plan{Connections: readers, For: r.length, Again: q.again}, paths: file}, err
}

func (r *reads) null(ctx context.Context, q question) (sample contest.Sample, err error) {
	q.again = true // it knows no order
	o, err := r.order(r.dir, q)
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
func (r *reads) program(ctx context.Context, state string, q question) (sample contest.Sample, err error) {
	p, err := r.serve(ctx, state)
	if err != nil {
		return sample, err
	}
	sample, err = r.ask(ctx, p, q)
	if err == nil && state == writing {
		sample.Note, err = p.stillBehind(ctx)
	}
	if err == nil && state == idle {
		err = r.allThere(ctx, p)
	}
	return sample, errors.Join(err, p.stop())
}

// catchUp gives how many webhooks a second the program projects while it is read, or
// while nobody reads.
func (r *reads) catchUp(ctx context.Context, q *question) (sample contest.Sample, err error) {
	p, err := r.serve(ctx, writing)
	if err != nil {
		return sample, err
	}
	begun, at := time.Now(), projection{}
	if q == nil {
		err = p.caughtUp(ctx)
	} else if _, err = r.ask(ctx, p, *q); err == nil {
		sample.Note, err = p.stillBehind(ctx)
	}
	if err == nil {
		err = p.get(ctx, "/v1/projection", &at)
	}
	sample.Rate = float64(at.Checkpoint-projected(r.stream)) / time.Since(begun).Seconds()
	return sample, errors.Join(err, p.stop())
}

// serve starts the program in one of its states.
func (r *reads) serve(ctx context.Context, state string) (*program, error) {
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if err := r.putBack(ctx, state); err != nil {
		return nil, err
	}
	return serveTicketrail(ctx, r.bench.program, r.stream.dir, append([]string{"archive: {dir: 'off'}"}, r.settings...)...)
}

// ask asks the program a question for a while.
func (r *reads) ask(ctx context.Context, p *program, q question) (sample contest.Sample, err error) {
	o, err := r.order(r.dir, q)
	if err != nil {
		return sample, err
	}
	o.Address = p.api
	_, sample, err = send(ctx, o, p)
	return sample, err
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
