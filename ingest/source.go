package ingest

import (
	"cmp"
	"math"
	"net/http"

	"golang.org/x/time/rate"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
)

// The limit of kept requests: what a stranger sends for each source costs the
// disk no more than keptRate syncs and keptRate × keptShare bytes a second.
const (
	keptRate  = 10 // a second
	keptBurst = 50
	keptShare = 128 << 10 // bytes of body that count as one more request
)

// source is a Source at work.
type source struct {
	Source
	rate    *rate.Limiter
	kept    *rate.Limiter
	metrics *sourceMetrics
}

func newSource(s Source, m *sourceMetrics) *source {
	perSecond := cmp.Or(s.Rate, DefaultRate)
	return &source{
		Source:  s,
		rate:    rate.NewLimiter(rate.Limit(perSecond), int(math.Ceil(perSecond))),
		kept:    rate.NewLimiter(keptRate, keptBurst),
		metrics: m,
	}
}

// precheck refuses what the head of a request is enough to refuse.
func (s *source) precheck(r *http.Request) error {
	switch {
	case s.Provider == nil:
		return errUnknownSource
	case r.Method != http.MethodPost:
		return errNotPost
	case encoded(r.Header):
		return errEncoded
	}
	return nil
}

// admit checks a request and finds what the stream must know of it. The rate
// comes after the signature, so that nobody without the secret can use it up.
func (s *source) admit(r *provider.Request) (provider.Identity, error) {
	if err := s.Provider.Verify(r, s.Secrets); err != nil {
		return provider.Identity{}, err
	}
	if !s.rate.AllowN(r.At, 1) {
		return provider.Identity{}, errOverRate
	}
	return s.Provider.Identify(r)
}

// mayKeep tells whether a refused request is within the limit of kept ones. A
// large body counts as several requests, the largest as the whole burst.
func (s *source) mayKeep(r *provider.Request) bool {
	return s.kept.AllowN(r.At, min(1+len(r.Body)/keptShare, keptBurst))
}

// Webhook gives a request that the provider has verified and identified as the
// stream holds it.
func (s Source) Webhook(r *provider.Request, identity provider.Identity) *domain.Webhook {
	return &domain.Webhook{
		Provider:    s.Provider.Name(),
		Source:      s.Name,
		Event:       identity.Event,
		ID:          identity.WebhookID,
		ContentType: contentType(r.Header),
		Body:        r.Body,
		BodyDigest:  domain.DigestBody(r.Body),
	}
}

// rejection gives a refused request as it goes to the stream of rejected ones,
// which keeps only a fixed few of the headers.
func (s *source) rejection(r *provider.Request, reason string) *eventlog.Rejection {
	return &eventlog.Rejection{
		Source:     s.Name,
		Provider:   s.Provider.Name(),
		Reason:     reason,
		Header:     r.Header,
		Body:       r.Body,
		ReceivedAt: domain.InstantOf(r.At),
	}
}
