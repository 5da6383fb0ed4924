package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
	"github.com/ticketrail/ticketrail/cmd/bench/load"
	"github.com/ticketrail/ticketrail/cmd/bench/plot"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// growthPace is how many webhooks a second come while the program is looked at.
const growthPace = 500

// size is the program at one number of orders.
type size struct {
	orders, webhooks uint64
	// ordered and rebuild are webhooks a second; the first is what can be read at all.
	ordered, rebuild contest.Sample
	// restart is the time until a program that starts takes webhooks.
	restart time.Duration
	live    contest.Sample // from a 200 to the order in the API
	get     contest.Sample // one order
	serving uint64         // the most memory that the program had, in bytes
	file    int64          // of the read model, in bytes
}

// growth looks at the program at each number of orders, prints a table and draws it.
// These are no contests: what is compared is a size with the smallest one.
func (b *bench) growth(ctx context.Context, orders []int, picture string) error {
	fmt.Println("| orders | webhooks | ordered consumer | rebuild | against the consumer | against the smallest | rebuild's CPU each | rebuild's memory | restart | 200 to API p50 | p99 | GET p50 | p99 | serving memory | read model |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	var sizes []size
	for _, n := range orders {
		s, err := b.sizeOf(ctx, n)
		if err != nil {
			return fmt.Errorf("at %d orders: %w", n, err)
		}
		sizes = append(sizes, s)
		fmt.Printf("| %s | %s | %s/s | %s/s | %.2f | %.2f | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n",
			plot.Count(float64(s.orders)), plot.Count(float64(s.webhooks)), plot.Count(s.ordered.Rate), plot.Count(s.rebuild.Rate),
			s.rebuild.Rate/s.ordered.Rate, s.rebuild.Rate/sizes[0].rebuild.Rate, s.rebuild.CPU, megabytes(float64(s.rebuild.Memory)), s.restart.Round(time.Millisecond),
			s.live.P50.Round(time.Microsecond), s.live.P99.Round(time.Microsecond), s.get.P50.Round(time.Microsecond),
			s.get.P99.Round(time.Microsecond), megabytes(float64(s.serving)), megabytes(float64(s.file)))
	}
	file, err := os.Create(picture)
	if err != nil {
		return err
	}
	return errors.Join(plot.Write(file, charts(sizes)), file.Close())
}

// sizeOf makes a stream of so many orders, reads it, rebuilds it, and serves it.
func (b *bench) sizeOf(ctx context.Context, orders int) (s size, err error) {
	name := "growth-" + strconv.Itoa(orders)
	defer func() { err = errors.Join(err, os.RemoveAll(filepath.Join(b.dir, name))) }()
	stream, err := b.fill(ctx, name, orders)
	if err != nil {
		return s, err
	}
	s.orders, s.webhooks = stream.Orders, stream.Webhooks
	last := strconv.FormatUint(stream.Webhooks, 10)
	if err := ask(ctx, &s.ordered, "replay", "ordered", app.StreamFolder(stream.dir), last, ""); err != nil {
		return s, err
	}
	folder, err := sqlite.OpenFolder(app.ReadModelFolder(stream.dir))
	if err != nil {
		return s, err
	}
	if err := ask(ctx, &s.rebuild, "replay", "rebuild", app.StreamFolder(stream.dir), last, folder.Current()); err != nil {
		return s, err
	}
	return s, b.serveSize(ctx, stream.dir, &s)
}

// serveSize starts the program where the orders are there, twice: the first start has
// things to make.
func (b *bench) serveSize(ctx context.Context, dir string, s *size) (err error) {
	settings := append([]string{"archive: {dir: 'off'}"}, b.settings...)
	p, err := serveTicketrail(ctx, b.program, dir, settings...)
	if err != nil {
		return err
	}
	if err := p.stop(); err != nil {
		return err
	}
	begun := time.Now()
	if p, err = serveTicketrail(ctx, b.program, dir, settings...); err != nil {
		return err
	}
	s.restart = time.Since(begun)
	defer func() { err = errors.Join(err, p.stop()) }()
	if s.live, _, err = b.watched(ctx, p, growthPace); err != nil {
		return err
	}
	r := &reads{bench: b}
	o, err := r.order(dir, question{paths: r.pathsBelow(int(s.orders)/2, differentOrders)})
	if err != nil {
		return err
	}
	o.Plan = load.Plan{Address: p.api, Connections: 1, For: b.length, Again: true}
	if _, s.get, err = send(ctx, o, p); err != nil {
		return err
	}
	s.serving = p.memory()
	s.file, err = bytesOf(app.ReadModelFolder(dir))
	return err
}

// bytesOf gives what the files of a folder take.
func bytesOf(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

func megabytes(bytes float64) string { return fmt.Sprintf("%.3g MB", bytes/(1<<20)) }

func milliseconds(seconds float64) string { return fmt.Sprintf("%.3g ms", seconds*1e3) }

// charts draws what grows, and what should not.
func charts(sizes []size) []plot.Chart {
	var x []float64
	lines := func(names []string, of func(size) []float64) []plot.Line {
		all := make([]plot.Line, len(names))
		for i, name := range names {
			all[i].Name = name
			for _, s := range sizes {
				all[i].Y = append(all[i].Y, of(s)[i])
			}
		}
		return all
	}
	for _, s := range sizes {
		x = append(x, float64(s.orders))
	}
	return []plot.Chart{
		{Title: "webhooks a second", X: x, Write: plot.Count, Lines: lines([]string{"rebuild", "ordered consumer"},
			func(s size) []float64 { return []float64{s.rebuild.Rate, s.ordered.Rate} })},
		{Title: "from a 200 to the API", X: x, Write: milliseconds, Lines: lines([]string{"p50", "p99"},
			func(s size) []float64 { return []float64{s.live.P50.Seconds(), s.live.P99.Seconds()} })},
		{Title: "GET one order", X: x, Write: milliseconds, Lines: lines([]string{"p50", "p99"},
			func(s size) []float64 { return []float64{s.get.P50.Seconds(), s.get.P99.Seconds()} })},
		{Title: "most memory", X: x, Write: megabytes, Lines: lines([]string{"rebuild", "serving"},
			func(s size) []float64 { return []float64{float64(s.rebuild.Memory), float64(s.serving)} })},
		{Title: "restart", X: x, Write: milliseconds, Lines: lines([]string{"until it takes webhooks"},
			func(s size) []float64 { return []float64{s.restart.Seconds()} })},
		{Title: "bytes of the read model, each order", X: x, Write: plot.Count, Lines: lines([]string{"bytes"},
			func(s size) []float64 { return []float64{float64(s.file) / float64(s.orders)} })},
	}
}
