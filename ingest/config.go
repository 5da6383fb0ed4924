package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// The defaults of a Config and of its sources.
const (
	DefaultMaxBody        = 4 << 20 // a proof of delivery is a base64 picture
	DefaultBodyBudget     = 32 << 20
	DefaultMaxInFlight    = 256
	DefaultPublishTimeout = 5 * time.Second // the most patient senders wait 15 seconds
	DefaultRate           = 10_000
)

// maxRate is far above what one process can take.
const maxRate = 1_000_000

// Source is one endpoint that takes the webhooks of one sender.
type Source struct {
	// Name is the last part of the path /webhooks/{source}: 1 to 32 lower-case
	// letters, digits and hyphens, unique among the sources.
	Name string
	// Provider knows the sender's webhooks.
	Provider provider.Provider
	// Secrets are all active at once, so that one can be rotated; at least one.
	Secrets []string
	// Rate is the most webhooks a second that are taken, from 1 to 1,000,000, in
	// bursts of up to one second's worth; 0 means DefaultRate.
	Rate float64
}

// Config tells a Handler what to take and how much of it. Zero values mean the
// defaults.
type Config struct {
	// Sources are the endpoints, at least one.
	Sources []Source
	// MaxBody is the size in bytes of the largest body that is taken.
	MaxBody int64
	// BodyBudget bounds the bytes of all bodies held at once; it is not below
	// MaxBody. A request that would exceed it is answered with 503. One source may
	// hold half of it, or one body of MaxBody where that is more, so that nobody
	// shuts out the other sources.
	BodyBudget int64
	// MaxInFlight bounds the webhooks that are being read or appended at once; one
	// more is answered with 503.
	MaxInFlight int
	// PublishTimeout is how long the stream may take to acknowledge a webhook.
	PublishTimeout time.Duration
	// Tell is told of each request to a webhook endpoint, before it is answered, and so
	// must not wait for anything; by default nobody is.
	Tell func(domain.Arrival)
	// Now gives the time, for signed timestamps and rates; time.Now by default.
	Now func() time.Time
	// Logger gets a few lines a second at most; by default nothing is logged.
	Logger *slog.Logger
	// Registerer gets the metrics; without one they are counted and not shown.
	Registerer prometheus.Registerer
	// Tracer gets a span for each request to a webhook endpoint, and one for its way into the
	// stream; nil: there are none. FollowSenders has a request's traceparent go before.
	Tracer        trace.Tracer
	FollowSenders bool
}

var sourceNames = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// IsSourceName tells whether a source can have this name, see [Source].
func IsSourceName(name string) bool { return sourceNames.MatchString(name) }

func (c Config) withDefaults() Config {
	c.MaxBody = cmp.Or(c.MaxBody, DefaultMaxBody)
	c.BodyBudget = cmp.Or(c.BodyBudget, max(DefaultBodyBudget, c.MaxBody))
	c.MaxInFlight = cmp.Or(c.MaxInFlight, DefaultMaxInFlight)
	c.PublishTimeout = cmp.Or(c.PublishTimeout, DefaultPublishTimeout)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Tell == nil {
		c.Tell = func(domain.Arrival) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// bodyShare is what one source may hold of the body budget.
func (c Config) bodyShare() int64 { return max(c.BodyBudget/2, c.MaxBody) }

// maxAppending bounds the bytes that the stream is given at once, if one body is not
// more. It writes one webhook after the other, so that more of them are not faster;
// but of each there are half a dozen copies on its way through client, broker, archive and
// projector.
const maxAppending = 8 << 20

// appendShare is what the stream may be given at once.
func (c Config) appendShare() int64 { return max(maxAppending, c.MaxBody) }

func (c Config) check() error {
	switch {
	case c.MaxBody < 0, c.MaxInFlight < 0, c.PublishTimeout < 0:
		return errors.New("ingest: a limit is below zero")
	case c.BodyBudget < c.MaxBody:
		return fmt.Errorf("ingest: a body budget of %d bytes is less than one body of %d", c.BodyBudget, c.MaxBody)
	case len(c.Sources) == 0:
		return errors.New("ingest: no source")
	}
	seen := make(map[string]bool, len(c.Sources))
	for _, s := range c.Sources {
		if err := s.check(); err != nil {
			return err
		}
		if seen[s.Name] {
			return fmt.Errorf("ingest: two sources are named %q", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

func (s Source) check() error {
	switch {
	case !IsSourceName(s.Name):
		return fmt.Errorf("ingest: source %q: a name is 1 to 32 lower-case letters, digits and hyphens", s.Name)
	case s.Provider == nil:
		return fmt.Errorf("ingest: source %q: no provider", s.Name)
	case len(s.Secrets) == 0:
		return fmt.Errorf("ingest: source %q: no secret", s.Name)
	case s.Rate != 0 && !(s.Rate >= 1 && s.Rate <= maxRate): // not a number is neither
		return fmt.Errorf("ingest: source %q: a rate is 1 to %d webhooks a second", s.Name, maxRate)
	}
	return nil
}
