package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

const (
	// redrawEvery is how often the progress line of a terminal is drawn anew, and
	// lineEvery how often a line is printed elsewhere; JSON comes once a second.
	redrawEvery = 200 * time.Millisecond
	lineEvery   = 5 * time.Second
	jsonEvery   = time.Second
	// cancelWithin bounds the wait for the end of a rebuild that is canceled.
	cancelWithin = 30 * time.Second
	// askAgainFor is how long a server may not answer while its rebuild is followed.
	askAgainFor = 30 * time.Second
	// barWidth is the number of cells of the bar.
	barWidth = 30
)

// rebuildWatch follows a rebuild to its end: with a line that is drawn anew on a
// terminal, with a line every few seconds elsewhere, or in JSON.
type rebuildWatch struct {
	*program
	client *apiClient
	json   bool
	quiet  bool // show no progress
	// accept is how a rebuilt read model comes into use that differs.
	accept string
}

// follow begins a rebuild and waits for its end. Where ctx ends first, so does the
// rebuild.
func (w *rebuildWatch) follow(ctx context.Context, request api.RebuildRequest) (*api.Rebuild, error) {
	rebuild, err := w.start(ctx, request)
	if err != nil {
		return nil, err
	}
	show := w.progress()
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	for heard := time.Now(); !rebuild.State.Ended(); {
		select {
		case <-ctx.Done():
			return nil, w.interrupted(ctx, rebuild.ID)
		case <-tick.C:
		}
		now, err := w.look(ctx, rebuild.ID)
		switch {
		case err == nil:
			rebuild, heard = now, time.Now()
			show(rebuild)
		case ctx.Err() == nil && (!passing(err) || time.Since(heard) > askAgainFor):
			return nil, fmt.Errorf("follow rebuild %d: %w", rebuild.ID, err)
		}
	}
	return rebuild, nil
}

func (w *rebuildWatch) look(ctx context.Context, id int) (*api.Rebuild, error) {
	text, err := w.client.get(ctx, rebuildPath(id), nil)
	if err != nil {
		return nil, err
	}
	var rebuild api.Rebuild
	return &rebuild, understand(text, &rebuild)
}

func (w *rebuildWatch) start(ctx context.Context, request api.RebuildRequest) (*api.Rebuild, error) {
	var started api.Rebuild
	return &started, w.client.change(ctx, http.MethodPost, "/v1/rebuilds", request, &started)
}

func (w *rebuildWatch) cancel(ctx context.Context, id int) (*api.Rebuild, error) {
	var ended api.Rebuild
	return &ended, w.client.change(ctx, http.MethodPost, rebuildPath(id)+"/cancel", nil, &ended)
}

func rebuildPath(id int) string { return "/v1/rebuilds/" + strconv.Itoa(id) }

// interrupted cancels the rebuild, and says how it ended: it may have come to its
// own end in the meantime.
func (w *rebuildWatch) interrupted(ctx context.Context, id int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelWithin)
	defer cancel()
	ended, err := w.cancel(ctx, id)
	if err != nil {
		return fmt.Errorf("cancel rebuild %d: %w", id, err)
	}
	return cmp.Or(w.outcome(ended), fmt.Errorf("rebuild %d had ended before it could be canceled: %s", id, ended.State))
}

// progress gives what shows a rebuild whenever it was looked at.
func (w *rebuildWatch) progress() func(*api.Rebuild) {
	switch {
	case w.quiet:
		return func(*api.Rebuild) {}
	case w.json:
		return every(jsonEvery, func(r *api.Rebuild) {
			if !r.State.Ended() { // its end is for tell
				_ = printJSONLine(w.stdout, r) // who does not read any more sees no progress
			}
		})
	case isTerminal(w.stderr):
		return func(r *api.Rebuild) { redraw(w.stderr, r) }
	}
	return every(lineEvery, func(r *api.Rebuild) { fmt.Fprintln(w.stderr, progressLine(r)) })
}

// every lets one in so much time through, the first after that time.
func every(pause time.Duration, show func(*api.Rebuild)) func(*api.Rebuild) {
	last := time.Now()
	return func(r *api.Rebuild) {
		if time.Since(last) >= pause {
			last = time.Now()
			show(r)
		}
	}
}

// redraw puts the line in the place of the one before, and at the end nothing.
func redraw(w io.Writer, r *api.Rebuild) {
	const toTheLeft, clear = "\r", "\x1b[K"
	line := ""
	if !r.State.Ended() {
		line = progressLine(r)
	}
	fmt.Fprint(w, toTheLeft+line+clear)
}

func progressLine(r *api.Rebuild) string {
	if r.State == domain.RebuildComparing {
		return fmt.Sprintf("%-9s every row of every table, at stream sequence %d", r.State, r.Target)
	}
	done := int(r.Progress * barWidth)
	bar := strings.Repeat("█", done) + strings.Repeat("░", barWidth-done)
	line := fmt.Sprintf("%-9s %s %3.0f %%  %d of %d  %.0f/s", r.State, bar, 100*r.Progress, r.StreamSequence, r.Target, r.RatePerSecond)
	if r.ETASeconds != nil {
		line += "  ETA " + (time.Duration(*r.ETASeconds * float64(time.Second))).Round(time.Second).String()
	}
	if r.Error != nil {
		line += "  trying again: " + printable(*r.Error)
	}
	return line
}

// tell prints how a rebuild ended. Its error says that it did not end as wanted.
func (w *rebuildWatch) tell(r *api.Rebuild) error {
	if w.json {
		return errors.Join(printJSONLine(w.stdout, r), w.outcome(r))
	}
	switch r.State {
	case domain.RebuildSwitched:
		fmt.Fprintf(w.stdout, "rebuild %d is in use: %s\n", r.ID, work(r))
	case domain.RebuildEqual:
		fmt.Fprintf(w.stdout, "equal at stream sequence %d: %s\n", r.Difference.StreamSequence, work(r))
	case domain.RebuildKept:
		fmt.Fprintf(w.stdout, "rebuild %d is a snapshot of stream sequence %d: %s\n", r.ID, *r.Until, work(r))
	}
	w.printFindings(r)
	return w.outcome(r)
}

// printFindings prints what a rebuild found out about the two read models.
func (w *rebuildWatch) printFindings(r *api.Rebuild) {
	if r.FromVersion != r.ToVersion && (r.Difference != nil || r.Uncompared != nil) {
		fmt.Fprintf(w.stdout, "version %d of the projection built the one in use, version %d the new one\n", r.FromVersion, r.ToVersion)
	}
	if r.Uncompared != nil {
		printUncompared(w.stdout, r.Uncompared)
	} else if r.Difference != nil {
		printDifference(w.stdout, r.Difference)
	}
}

// outcome is the error of a rebuild that did not end as wanted.
func (w *rebuildWatch) outcome(r *api.Rebuild) error {
	switch r.State {
	case domain.RebuildDiffers:
		found := "differ"
		if r.Uncompared != nil {
			found = "cannot be compared"
		}
		return failf("take the new one into use: "+w.accept+agreement{}.beforehand(w.program), "the read models %s; nothing was changed", found)
	case domain.RebuildCanceled:
		return fmt.Errorf("rebuild %d was canceled; nothing was changed", r.ID)
	case domain.RebuildFailed:
		return failf(orEmpty(r.Hint), "rebuild %d failed; nothing was changed: %s", r.ID, orEmpty(r.Error))
	}
	return nil
}

// work says how many webhooks are in it, how long all of it took, and how fast they
// were read.
func work(r *api.Rebuild) string {
	took := time.Duration(0)
	if r.EndedAt != nil {
		took = r.EndedAt.Time().Sub(r.StartedAt.Time())
	}
	return fmt.Sprintf("%d webhooks in %s, read at %.0f/s", r.StreamSequence, took.Round(time.Millisecond), r.RatePerSecond)
}

// printDifference prints the rows of each table and, field by field, some of the
// orders that differ.
func printDifference(w io.Writer, d *api.Difference) {
	fmt.Fprintln(w)
	printTables(w, d.Tables)
	if d.Equal {
		return
	}
	differ := d.Orders.Missing + d.Orders.Added + d.Orders.Changed
	fmt.Fprintf(w, "\n%d orders differ: %d missing, %d added, %d changed.\n", differ, d.Orders.Missing, d.Orders.Added, d.Orders.Changed)
	for _, order := range d.Examples {
		fmt.Fprintf(w, "\n%s %s\n", printable(order.Source), clip(order.Key, cellWidth))
		printFields(w, order.Fields)
	}
	if told := uint64(len(d.Examples)); differ > told {
		fmt.Fprintf(w, "\nand %d more\n", differ-told)
	}
}

// printUncompared prints side by side what two read models hold that cannot be
// compared row by row.
func printUncompared(w io.Writer, u *api.Uncompared) {
	fmt.Fprintf(w, "\nThe two cannot be compared row by row: %s\n\n", printable(u.Reason))
	table := newTable(w, "", "in use", "rebuilt")
	stream := func(c api.Content) string {
		if c.Stream == nil || c.StreamCreatedAt == nil {
			return ""
		}
		return *c.Stream + " of " + c.StreamCreatedAt.String()
	}
	table.AppendRow(cells("stream", stream(u.InUse), stream(u.Rebuilt)))
	table.AppendRow(cells("checkpoint", u.InUse.Checkpoint, u.Rebuilt.Checkpoint))
	inUse := map[string]string{} // nothing for what cannot be read
	for _, t := range u.InUse.Tables {
		inUse[t.Table] = fmt.Sprint(t.Rows)
	}
	for _, t := range u.Rebuilt.Tables {
		table.AppendRow(cells(t.Table, inUse[t.Table], t.Rows))
	}
	table.Render()
}

func printTables(w io.Writer, tables []api.TableDifference) {
	table := newTable(w, "table", "in use", "rebuilt", "missing", "added", "changed")
	for _, t := range tables {
		table.AppendRow([]any{t.Table, t.InUse, t.Rebuilt, t.Missing, t.Added, t.Changed})
	}
	table.Render()
}

func printFields(w io.Writer, fields []api.FieldDifference) {
	table := newTable(w, "field", "in use", "rebuilt")
	for _, f := range fields {
		table.AppendRow(cells(f.Pointer, f.InUse, f.Rebuilt))
	}
	table.Render()
}
