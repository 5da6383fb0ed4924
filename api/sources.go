package api

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// Source is a configured source, as far as the API tells of it.
type Source struct {
	// Name is what its orders bear, Provider the adapter that knows its webhooks.
	Name, Provider string
	// Currency is that of its orders where neither the provider nor the order
	// names one, ISO 4217; empty for none.
	Currency string
	// States are those that its provider's webhooks tell of, in rising order. None: those
	// that are known of the provider by its name.
	States []domain.State
}

// currency gives the configured currency of a source, empty where there is none.
func (t *terms) currency(source string) string {
	for _, s := range t.sources {
		if s.Name == source {
			return s.Currency
		}
	}
	return ""
}

// states gives the states that an order's next webhooks may tell of.
func (t *terms) states(o *domain.Order) []domain.State {
	for _, s := range t.sources {
		if s.Name == o.Source && len(s.States) > 0 {
			return s.States
		}
	}
	return provider.States(o.Provider)
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
	Name        string          `json:"name" example:"ordatic" doc:"Its name, which its orders bear."`
	Provider    string          `json:"provider" example:"ordatic" doc:"The adapter that knows its webhooks."`
	Currency    *string         `json:"currency" example:"SEK" doc:"ISO 4217: the currency of its orders where they name none."`
	Secrets     []SecretUse     `json:"secrets" nullable:"false" doc:"Its secrets, in the order of the configuration; empty where another process takes the webhooks."`
	LastHeardAt *domain.Instant `json:"last_heard_at" format:"date-time" doc:"The minute in which its last webhook came; null where none did in the last eight days, or nobody watches."`
	Silent      *Silence        `json:"silent" doc:"That nothing comes from it although, by the same time of the days before, it should; null where that is not so."`
}

// SecretUse tells when a secret last fitted a request, and nothing of what it is.
type SecretUse struct {
	Fingerprint   string          `json:"fingerprint" example:"1f0c9a" doc:"Six hexadecimal digits that the secret is stretched to, the same wherever it is configured."`
	LastMatchedAt *domain.Instant `json:"last_matched_at" format:"date-time" doc:"When it last fitted a request; null where it has not since the program started."`
}

// Silence is that nothing comes from a source although it should.
type Silence struct {
	_            struct{}       `nullable:"true"`
	Since        domain.Instant `json:"since" format:"date-time" doc:"The minute in which its last webhook came."`
	MissedOrders uint64         `json:"missed_orders" example:"40" doc:"How many orders should have begun since, by the same minutes of the last seven days: their median, and no more than on the same day of the week."`
}

type sourcesOutput struct{ Body SourceList }

func (h *handler) routeSources(d *document) {
	register(h, d, huma.Operation{
		OperationID: "list-sources",
		Path:        "/v1/sources",
		Tags:        []string{tagOperation},
		Summary:     "List the configured sources",
		Description: "Gives the sources that webhooks are taken from, when each was last heard, and which of its secrets are in use. The read model may hold orders of sources that are configured no more.",
	}, h.listSources)
}

func (h *handler) listSources(context.Context, *struct{}) (*sourcesOutput, error) {
	listed := each(h.config.Sources, func(s Source) ListedSource {
		last, silence := h.config.Watcher.source(s.Name)
		listed := ListedSource{Name: s.Name, Provider: s.Provider, Currency: orNull(s.Currency), Secrets: []SecretUse{}, LastHeardAt: orNull(last)}
		if h.config.Secrets != nil {
			listed.Secrets = h.config.Secrets(s.Name)
		}
		if silence != nil {
			listed.Silent = &Silence{Since: domain.InstantOf(silence.Since), MissedOrders: silence.Missed}
		}
		return listed
	})
	return &sourcesOutput{Body: SourceList{Sources: listed}}, nil
}
