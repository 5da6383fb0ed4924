package api

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// Source is a configured source, as far as the API tells of it.
type Source struct {
	// Name is what its orders bear, Provider the adapter that knows its webhooks.
	Name, Provider string
	// Currency is that of its orders where neither the provider nor the order
	// names one, ISO 4217; empty for none.
	Currency string
}

// currencyOf gives the configured currency of a source, empty where there is none.
func currencyOf(sources []Source, source string) string {
	for _, s := range sources {
		if s.Name == source {
			return s.Currency
		}
	}
	return ""
}

// noOrder says why a source has no order of some key. Where the source itself is
// unknown no other key would help; where the sources are, nobody can tell.
func (h *handler) noOrder(source string) error {
	ofName := func(s Source) bool { return s.Name == source }
	if len(h.config.Sources) == 0 || slices.ContainsFunc(h.config.Sources, ofName) {
		return errNoOrder
	}
	return errNoSource
}

// SourceList lists the configured sources.
type SourceList struct {
	Sources []ListedSource `json:"sources" nullable:"false" doc:"In the order of the configuration."`
}

// ListedSource is a configured source in JSON.
type ListedSource struct {
	Name     string  `json:"name" example:"ordatic" doc:"Its name, which its orders bear."`
	Provider string  `json:"provider" example:"ordatic" doc:"The adapter that knows its webhooks."`
	Currency *string `json:"currency" example:"SEK" doc:"ISO 4217: the currency of its orders where they name none."`
}

type sourcesOutput struct{ Body SourceList }

func (h *handler) routeSources(d *document) {
	register(h, d, huma.Operation{
		OperationID: "list-sources",
		Path:        "/v1/sources",
		Tags:        []string{tagOperation},
		Summary:     "List the configured sources",
		Description: "Gives the sources that webhooks are taken from. The read model may hold orders of sources that are configured no more.",
	}, h.listSources)
}

func (h *handler) listSources(context.Context, *struct{}) (*sourcesOutput, error) {
	listed := each(h.config.Sources, func(s Source) ListedSource {
		return ListedSource{Name: s.Name, Provider: s.Provider, Currency: orNull(s.Currency)}
	})
	return &sourcesOutput{Body: SourceList{Sources: listed}}, nil
}
