package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// rebuildsCommand tells of rebuilds and snapshots, and ends or deletes them.
type rebuildsCommand struct {
	List   rebuildsList   `cmd:"" help:"List the rebuilds and the snapshots."`
	Show   rebuildsShow   `cmd:"" help:"Show one rebuild, with the difference that it found."`
	Cancel rebuildsCancel `cmd:"" help:"Cancel the rebuild that goes on."`
	Delete rebuildsDelete `cmd:"" help:"Delete the record of a rebuild, and the snapshot that it made."`
}

// rebuildsList prints a page of rebuilds.
type rebuildsList struct {
	asking
	listing
	paging
}

// Run asks and prints.
func (c *rebuildsList) Run(ctx context.Context, p *program) error {
	return askList(ctx, p, c.asking, c.listing, openParts, "/v1/rebuilds", c.values(), rebuildsSheet)
}

func rebuildsSheet(page *api.RebuildList) *sheet {
	s := newSheet("id", "started", "state", "webhooks", "version", "differing orders", "snapshot of")
	for _, r := range page.Rebuilds {
		version := fmt.Sprint(r.ToVersion)
		if r.FromVersion != 0 && r.FromVersion != r.ToVersion {
			version = fmt.Sprintf("%d to %d", r.FromVersion, r.ToVersion)
		}
		s.add(r.ID, r.StartedAt, string(r.State), r.StreamSequence, version, differing(&r), number(r.Until))
	}
	s.note = next(page.NextCursor)
	return s
}

// differing gives the number of orders that differ, empty where nothing was compared.
func differing(r *api.Rebuild) string {
	switch {
	case r.StartedOver != nil:
		return "started over"
	case r.Uncompared != nil:
		return "not comparable"
	case r.Difference == nil:
		return ""
	}
	o := r.Difference.Orders
	return fmt.Sprint(o.Missing + o.Added + o.Changed)
}

// rebuildsShow prints one rebuild.
type rebuildsShow struct {
	asking
	ID int `arg:"" help:"Id of the rebuild."`
}

// Run asks and prints.
func (c *rebuildsShow) Run(ctx context.Context, p *program) error {
	return ask(ctx, p, c.asking, openParts, rebuildPath(c.ID), url.Values{}, printRebuild)
}

func printRebuild(p *program, r *api.Rebuild) {
	table := newTable(p.stdout)
	for _, row := range [][2]any{
		{"id", r.ID}, {"state", string(r.State)}, {"error", r.Error}, {"started over", r.StartedOver}, {"plan", r.Plan}, {"accept", r.Accept},
		{"snapshot of", number(r.Until)}, {"started", r.StartedAt}, {"ended", r.EndedAt},
		{"stream sequence", fmt.Sprintf("%d of %d", r.StreamSequence, r.Target)},
		{"rate", fmt.Sprintf("%.0f/s", r.RatePerSecond)},
	} {
		if value := shown(row[1]); value != "" {
			table.AppendRow(cells(row[0], value))
		}
	}
	table.Render()
	(&rebuildWatch{program: p}).printFindings(r)
}

// rebuildsCancel ends a rebuild.
type rebuildsCancel struct {
	settings
	APIListen string `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	JSON      bool   `name:"json" help:"Print the rebuild as JSON."`
	ID        int    `arg:"" help:"Id of the rebuild."`
}

// Run ends it and tells how it ended.
func (c *rebuildsCancel) Run(ctx context.Context, p *program) (err error) {
	client, err := p.connect(ctx, c.settings, openParts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.close()) }()
	ended, err := (&rebuildWatch{program: p, client: client}).cancel(ctx, c.ID)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return printJSONLine(p.stdout, ended)
	}
	_, err = fmt.Fprintf(p.stdout, "rebuild %d: %s\n", ended.ID, ended.State)
	return err
}

// rebuildsDelete forgets rebuilds, of which a snapshot is asked about.
type rebuildsDelete struct {
	settings
	agreement
	APIListen string `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	Plan      bool   `help:"Tell what would be deleted, and delete nothing."`
	IDs       []int  `arg:"" name:"id" help:"Ids of the rebuilds."`
}

// Run tells what it is about, asks where a snapshot is among it, and deletes.
func (c *rebuildsDelete) Run(ctx context.Context, p *program) (err error) {
	client, err := p.connect(ctx, c.settings, openParts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.close()) }()
	found, snapshots, err := c.find(ctx, &rebuildWatch{program: p, client: client})
	if err != nil {
		return err
	}
	rebuildsSheet(found).table(p.stdout)
	if c.Plan {
		return nil
	}
	if snapshots > 0 {
		if err := c.possible(p); err != nil {
			return err
		}
		if !c.given(p, fmt.Sprintf("Delete them, with %s?", counted(snapshots, "snapshot"))) {
			return errUnchanged
		}
	}
	for _, r := range found.Rebuilds {
		if _, err := client.ask(ctx, http.MethodDelete, rebuildPath(r.ID), nil); err != nil {
			return fmt.Errorf("rebuild %d: %w", r.ID, err)
		}
	}
	_, err = fmt.Fprintf(p.stdout, "deleted: %d\n", len(found.Rebuilds))
	return err
}

// find gives the rebuilds that are to be deleted, and how many of them are snapshots.
func (c *rebuildsDelete) find(ctx context.Context, w *rebuildWatch) (found *api.RebuildList, snapshots int, err error) {
	found = &api.RebuildList{}
	for _, id := range c.IDs {
		r, err := w.look(ctx, id)
		if err != nil {
			return nil, 0, fmt.Errorf("rebuild %d: %w", id, err)
		}
		if r.State == domain.RebuildKept {
			snapshots++
		}
		found.Rebuilds = append(found.Rebuilds, *r)
	}
	return found, snapshots, nil
}
