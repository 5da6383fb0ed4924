package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// rebuildCommand has the read model made anew: by the running server, or in the
// data folder where none runs.
type rebuildCommand struct {
	settings
	agreement
	APIListen string `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	Plan      bool   `help:"Compare, and put nothing in the place of anything." xor:"what"`
	Accept    bool   `help:"Take the new read model into use although it differs." xor:"what"`
	Rollback  bool   `help:"Go back to the read model that was in use before." xor:"what"`
	Until     string `help:"Make a snapshot instead: the read model as it was at a stream sequence or a time. It is kept in the data folder, for orders list --at, until rebuilds delete." placeholder:"N|TIME" xor:"what"`
	To        string `help:"Put the snapshot into this file, which any SQLite tool opens, and not into the data folder." placeholder:"FILE"`
	Detach    bool   `help:"Begin, and leave it to the server. Without this, Ctrl-C cancels the rebuild."`
	JSON      bool   `name:"json" help:"Print the rebuild as JSON, a line a second."`
	Order     bool   `help:"Rebuild one order alone, from its own webhooks: the same as orders rebuild."`
	Source    string `arg:"" optional:"" help:"Source of the order, with --order."`
	Key       string `arg:"" optional:"" help:"Key of the order, with --order."`
}

// Validate refuses what does not go together.
func (c *rebuildCommand) Validate() error {
	if c.To != "" && c.Until == "" {
		return errors.New("--to: only a snapshot goes to a file; say which with --until")
	}
	if c.Until != "" {
		if _, err := domain.ParseMoment(c.Until); err != nil {
			return fmt.Errorf("--until: %w", err)
		}
	}
	if c.Order != (c.Key != "") || !c.Order && c.Source != "" {
		return errors.New("--order: name the source and the key of one order, and only with this flag")
	}
	if c.Order && (c.Accept || c.Rollback || c.Until != "" || c.Detach) {
		return errors.New("--order: an order is compared and replaced at once; only --plan, --yes and --json go with it")
	}
	if c.Detach && (c.Rollback || c.To != "") {
		return errors.New("--detach: this is over when the command is")
	}
	return nil
}

// Run does one thing with the read model and tells how it ended. Its error says
// that it failed, or that the read models differ and nothing was put in place.
func (c *rebuildCommand) Run(ctx context.Context, p *program) (err error) {
	if c.Order {
		order := ordersRebuild{changing{
			settings: c.settings, agreement: c.agreement, APIListen: c.APIListen,
			Plan: c.Plan, JSON: c.JSON, Source: c.Source, Key: c.Key,
		}}
		return order.Run(ctx, p)
	}
	if c.Accept || c.Rollback {
		if err := c.possible(p); err != nil {
			return err
		}
	}
	client, err := p.connect(ctx, c.settings, openParts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.close()) }()
	w := &rebuildWatch{program: p, client: client, json: c.JSON, accept: "the same with --accept"}
	if c.Plan {
		w.accept += " in the place of --plan"
	}
	switch {
	case c.Rollback:
		return c.rollBack(ctx, w)
	case c.Detach:
		return c.detach(ctx, w)
	case c.Until != "":
		return c.snapshot(ctx, w)
	}
	return c.rebuild(ctx, w)
}

// request is what the API is asked for.
func (c *rebuildCommand) request() api.RebuildRequest {
	moment, _ := domain.ParseMoment(c.Until) // Validate has looked at it
	return api.RebuildRequest{
		Plan: c.Plan, Accept: c.Accept && c.Yes, Until: moment.StreamSequence, UntilTime: moment.Time,
	}
}

// rebuild rebuilds and waits. A difference that is to be accepted, or what each of
// two read models holds that cannot be compared, is shown before the question whether
// it is, and the yes begins a second rebuild.
func (c *rebuildCommand) rebuild(ctx context.Context, w *rebuildWatch) error {
	ended, err := w.follow(ctx, c.request())
	if err != nil {
		return err
	}
	switch {
	case !c.Accept || c.Yes:
		return w.tell(ended)
	case ended.State != domain.RebuildDiffers:
		return w.tell(ended)
	case !c.JSON:
		w.printFindings(ended)
	}
	if !c.given(w.program, "Take the new read model into use?") {
		return errUnchanged
	}
	if ended, err = w.follow(ctx, api.RebuildRequest{Accept: true}); err != nil {
		return err
	}
	return w.tell(ended)
}

func (c *rebuildCommand) detach(ctx context.Context, w *rebuildWatch) error {
	if w.client.offline {
		return failf("leave out --detach", "no server runs that could go on with it")
	}
	started, err := w.start(ctx, c.request())
	switch {
	case err != nil:
		return err
	case c.JSON:
		return printJSONLine(w.stdout, started)
	}
	_, err = fmt.Fprintf(w.stdout, "rebuild %d has begun; see %s/v1/rebuilds/%[1]d, or end it: ticketrail rebuilds cancel %[1]d\n", started.ID, w.client.base)
	return err
}

func (c *rebuildCommand) rollBack(ctx context.Context, w *rebuildWatch) error {
	text, err := w.client.get(ctx, "/v1/projection/previous", nil)
	if err != nil {
		return err
	}
	var previous api.Previous
	if err := understand(text, &previous); err != nil {
		return err
	}
	question := fmt.Sprintf("Go back to the previous read model? Version %d of the projection built it, it is at stream sequence %d, and it is brought up to date first.",
		previous.ProjectionVersion, previous.Checkpoint)
	if !c.given(w.program, question) {
		return errUnchanged
	}
	var now api.Projection
	if err := w.client.change(ctx, http.MethodPost, "/v1/projection/rollback", nil, &now); err != nil {
		return err
	}
	if c.JSON {
		return printJSONLine(w.stdout, now)
	}
	_, err = fmt.Fprintf(w.stdout, "the previous read model is in use, at stream sequence %d; a second rollback undoes this one\n", now.Checkpoint)
	return err
}

// snapshot makes a snapshot and, where it was asked for, puts it into a file: then none is
// left in the data folder, of which nobody would think any more.
func (c *rebuildCommand) snapshot(ctx context.Context, w *rebuildWatch) error {
	if c.To != "" && exists(c.To) {
		return usagef("choose another name", "%s is there already", c.To)
	}
	ended, err := w.follow(ctx, c.request())
	if err != nil {
		return err
	}
	if ended.State == domain.RebuildKept && c.To != "" {
		if err := c.save(ctx, w.client, *ended.File); err != nil {
			return fmt.Errorf("save the snapshot: %w", err)
		}
		if _, err := w.client.ask(ctx, http.MethodDelete, rebuildPath(ended.ID), nil); err != nil {
			return fmt.Errorf("the snapshot is in %s; take it out of the data folder: %w", c.To, err)
		}
	}
	if err := w.tell(ended); err != nil || c.To == "" || c.JSON {
		return err
	}
	_, err = fmt.Fprintf(w.stdout, "it is in %s, and not in the data folder\n", c.To)
	return err
}

// save downloads a file, which bears its name when it is whole.
func (c *rebuildCommand) save(ctx context.Context, client *apiClient, path string) (err error) {
	part := c.To + ".part"
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = client.download(ctx, path, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return os.Rename(part, c.To)
}
