package provider

import (
	"github.com/ticketrail/ticketrail/domain"
)

// Set has providers by their names. It is safe for concurrent use.
type Set map[string]Provider

// NewSet gives the set of the providers, of all of this package where there are none.
func NewSet(providers []Provider) Set {
	if providers == nil {
		providers = All()
	}
	set := make(Set, len(providers))
	for _, p := range providers {
		set[p.Name()] = p
	}
	return set
}

// Mapping gives the digest of the mapping by which webhooks of a provider are read, empty
// where none is configured; built in ones have none.
func (s Set) Mapping(provider string) (digest string, builtIn bool) {
	p, known := s[provider]
	if !known {
		return "", false
	}
	mapped, ok := p.(*Mapped)
	if !ok {
		return "", true
	}
	return mapped.Digest(), false
}

// Translate says what any stored webhook means: what ticketrail's own words in it say
// or else its provider. Its errors are those of [Provider]. A translation that panics
// has a bug, and costs this webhook its place in an order, but never the stream.
func (s Set) Translate(w *domain.Webhook) (event *domain.Event, err error) {
	defer func() {
		if recover() != nil {
			err = &domain.Untranslatable{Cause: domain.CauseInternalDefect}
		}
	}()
	if event, err := w.Own(); event != nil || err != nil {
		return event, err
	}
	p, known := s[w.Provider]
	if !known {
		return nil, &domain.Untranslatable{Cause: domain.CauseUnknownProvider}
	}
	return p.Translate(w)
}
