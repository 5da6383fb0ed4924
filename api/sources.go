package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

// Source is a configured source, as far as the API tells of it.
type Source struct {
	Name     string `json:"name" example:"ordatic" doc:"Its name, which its orders bear."`
	Provider string `json:"provider" example:"ordatic" doc:"The adapter that knows its webhooks."`
	// Currency is that of its orders where neither the provider nor the order
	// names one, ISO 4217; empty for none.
	Currency string `json:"currency,omitempty" example:"SEK" doc:"The currency of its orders where they name none."`
}

// currency gives the configured currency of a source, empty where there is none.
func (c *Config) currency(source string) string {
	for _, s := range c.Sources {
		if s.Name == source {
			return s.Currency
		}
	}
	return ""
}

// SourceList lists the configured sources.
type SourceList struct {
	Sources []Source `json:"sources" nullable:"false" doc:"In the order of the configuration."`
}

type sourcesOutput struct{ Body SourceList }

func (h *handler) routeSources(d *document) {
	register(h, d, huma.Operation{
		OperationID: "list-sources",
		Path:        "/v1/sources",
		Tags:        []string{tagOperation},
		Summary:     "List the configured sources",
		Description: "Gives the sources that webhooks are taken from. The read model may hold orders of sources that are configured no more.",
	}, func(context.Context, *struct{}) (*sourcesOutput, error) {
		return &sourcesOutput{Body: SourceList{Sources: append([]Source{}, h.config.Sources...)}}, nil
	})
}
