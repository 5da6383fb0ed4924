package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// checkLate tells whether orders wait for too long, as the running program sees it.
func checkLate(ctx context.Context, e *examination) check {
	const name = "late orders"
	var stats api.Stats
	if unseen := e.look(ctx, name, "/v1/stats?minutes=1", &stats); unseen != nil {
		return *unseen
	}
	var late uint64
	var where []string
	for _, c := range stats.Late {
		late += c.Orders
		where = append(where, fmt.Sprintf("%d %s of %s", c.Orders, c.State, c.Source))
	}
	if late == 0 {
		return ok(name, "no order has been in its state for too long")
	}
	return warn(name, "see which: ticketrail orders list --late",
		"%s: %s", counted(late, "order"), strings.Join(where, ", "))
}

// checkSilent tells whether nothing comes from a source that should be heard.
func checkSilent(ctx context.Context, e *examination) check {
	const name = "silent sources"
	var list api.SourceList
	if unseen := e.look(ctx, name, sourcesPath, &list); unseen != nil {
		return *unseen
	}
	var silent []string
	for _, s := range list.Sources {
		if s.Silent != nil {
			silent = append(silent, fmt.Sprintf("%s since %s", s.Name, shown(s.Silent.Since)))
		}
	}
	if len(silent) == 0 {
		return ok(name, "every source is heard that should be")
	}
	return warn(name, "see whether they send, and where to; since when, and how many orders are missed: ticketrail sources",
		"%s", strings.Join(silent, ", "))
}

// look asks the running program's API. Where it cannot be seen what it would say, the check
// says that.
func (e *examination) look(ctx context.Context, name, path string, answer any) *check {
	if e.running == nil {
		return new(ok(name, "nothing runs that would know"))
	}
	status, err := e.ask(ctx, e.running.API+path, answer)
	switch {
	case err != nil:
		return new(failed(name, err))
	case status == http.StatusNotImplemented:
		return new(ok(name, elsewhere))
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return new(warn(name, "set api.token ("+config.Variable("api.token")+") to a token of the server", "it is not told to strangers"))
	case status != http.StatusOK:
		return new(warn(name, "ask again when the projector has caught up", "it is not known now: the api answers %d", status))
	}
	return nil
}
