package main

import (
	"context"
	"net/url"
	"strconv"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// sourcesPath is where the API lists the sources.
const sourcesPath = "/v1/sources"

// sourcesCommand prints the sources of the running server, and which of them are silent.
type sourcesCommand struct {
	settings
	listing
	APIListen string `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	JSON      bool   `name:"json" help:"Print the API's own JSON."`
}

// Run asks and prints.
func (c *sourcesCommand) Run(ctx context.Context, p *program) error {
	question := asking{settings: c.settings, JSON: c.JSON}
	return askList(ctx, p, question, c.listing, serverOnly, sourcesPath, url.Values{}, sourcesSheet)
}

func sourcesSheet(list *api.SourceList) *sheet {
	s := newSheet("source", "provider", "currency", "last heard", "silent since", "missed orders")
	for _, source := range list.Sources {
		var since *domain.Instant
		missed := ""
		if source.Silent != nil {
			since, missed = &source.Silent.Since, strconv.FormatUint(source.Silent.MissedOrders, 10)
		}
		s.add(source.Name, source.Provider, source.Currency, source.LastHeardAt, since, missed)
	}
	return s
}
