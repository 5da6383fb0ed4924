package ingest

import (
	"cmp"
	"math"
	"net/http"
	"time"

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
	rate      *limit
	policy    []string // of the rate, as answers tell it
	kept      *limit
	bodies    *budget
	strangers *budget // the part of bodies that is for requests which are refused
	metrics   *sourceMetrics
	secrets   []*secret
}

// newSource makes a source that may hold share bytes of bodies.
func newSource(s Source, bodies *budget, share int64, now func() time.Time, m *sourceMetrics) *source {
	own := bodies.part(share)
	perSecond := cmp.Or(s.Rate, DefaultRate)
	rate := newLimit(perSecond, int(math.Ceil(perSecond)), now)
	return &source{
		Source:    s,
		rate:      rate,
		policy:    rate.policy(),
		kept:      newLimit(keptRate, keptBurst, now),
		bodies:    own,
		strangers: own.part(share / 2),
		metrics:   m,
		secrets:   newSecrets(s, m),
	}
}

// precheck refuses what asks for something else than this to take a webhook.
func (s *source) precheck(r *http.Request, maxBody int64) error {
	switch {
	case s.Provider == nil:
		return errUnknownSource
	case r.Method != http.MethodPost:
		return errNotPost
	case encoded(r.Header):
		return errEncoded
	case r.ContentLength > maxBody:
		return errTooLarge
	}
	return nil
}

// admit checks a request whose head was checked, and finds what the stream must know of
// it. The rate comes after the signature, so that nobody without the secret can use it up,
// or is told of it in the header of the answer.
func (s *source) admit(answered http.Header, r *provider.Request) (provider.Identity, error) {
	if err := s.verifyBody(r); err != nil {
		return provider.Identity{}, err
	}
	allowed, left := s.rate.take(1)
	tellLeft(answered, s.policy, left)
	if !allowed {
		return provider.Identity{}, errOverRate
	}
	return s.Provider.Identify(r)
}

// mayKeep tells whether a refused request with a body of this size is within the
// limit of kept ones. A large body counts as several requests, the largest as the
// whole burst.
func (s *source) mayKeep(size int64) bool {
	if !s.kept.allow(int(min(1+size/keptShare, keptBurst))) {
		s.metrics.rejected[outcomeDropped].Inc()
		return false
	}
	return true
}

// Webhook gives a request that the provider has verified and identified as the
// stream takes it, which needs no digest.
func (s Source) Webhook(r *provider.Request, identity provider.Identity) *domain.Webhook {
	return &domain.Webhook{
		Provider:    s.Provider.Name(),
		Source:      s.Name,
		Event:       identity.Event,
		ID:          identity.WebhookID,
		ContentType: contentType(r.Header),
		Body:        r.Body,
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
