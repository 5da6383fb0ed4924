package ingest

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/ticketrail/ticketrail/domain"
)

// The outcomes of keeping a refused request.
const (
	outcomeKept    = "kept"
	outcomeDropped = "dropped" // over the limit of its source
	outcomeFailed  = "failed"  // it did not come whole, or the stream did not take it
)

// metrics are the receiver's. Labels hold only configured names and our own
// codes; requests to an unknown source have the source "".
type metrics struct {
	requests *prometheus.CounterVec
	rejected *prometheus.CounterVec
	duration *prometheus.HistogramVec
	size     *prometheus.HistogramVec
	inFlight prometheus.Gauge
	secrets  *prometheus.GaugeVec
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	auto := promauto.With(registerer)
	return &metrics{
		requests: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "ticketrail_ingest_requests_total",
			Help: "Requests to the webhook endpoints, by what came of them.",
		}, []string{"source", "outcome"}),
		rejected: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "ticketrail_ingest_rejected_total",
			Help: "Requests that were not authentic or not JSON objects, by whether they were kept.",
		}, []string{"source", "outcome"}),
		duration: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "ticketrail_ingest_request_duration_seconds",
			Help:    "Time from the request's headers to the answer.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15), // 0.5 ms to 8 s
		}, []string{"source"}),
		size: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "ticketrail_ingest_body_bytes",
			Help:    "Sizes of the bodies that were read whole.",
			Buckets: prometheus.ExponentialBuckets(64, 4, 9), // 64 B to 4 MiB
		}, []string{"source"}),
		inFlight: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ticketrail_ingest_requests_in_flight",
			Help: "Webhooks that are being read or appended now.",
		}),
		secrets: auto.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ticketrail_ingest_secret_last_match_timestamp_seconds",
			Help: "When a secret, by its fingerprint, last fitted a request; 0 where it has not since the start.",
		}, []string{"source", "secret"}),
	}
}

// sourceMetrics are the metrics of one source, looked up once and not for every
// request.
type sourceMetrics struct {
	requests map[string]prometheus.Counter
	rejected map[string]prometheus.Counter
	duration prometheus.Observer
	size     prometheus.Observer
	secrets  *prometheus.GaugeVec // by fingerprint
}

func (m *metrics) of(source string) *sourceMetrics {
	return &sourceMetrics{
		requests: counters(m.requests, source, outcomes()),
		rejected: counters(m.rejected, source, []string{outcomeKept, outcomeDropped, outcomeFailed}),
		duration: m.duration.WithLabelValues(source),
		size:     m.size.WithLabelValues(source),
		secrets:  m.secrets.MustCurryWith(prometheus.Labels{"source": source}),
	}
}

// ofStranger gives the metrics of all unknown sources together: a request to one
// ends before its body is read.
func (m *metrics) ofStranger() *sourceMetrics {
	return &sourceMetrics{
		requests: counters(m.requests, "", []string{refusalOf(errUnknownSource).code}),
		duration: m.duration.WithLabelValues(""),
	}
}

// outcomes gives what can come of a request to a source that is known.
func outcomes() []string {
	possible := []string{domain.VerdictAccepted, domain.VerdictDuplicate, unavailable.code}
	for _, r := range refusals {
		if !errors.Is(r.err, errUnknownPath) && !errors.Is(r.err, errUnknownSource) {
			possible = append(possible, r.code)
		}
	}
	return possible
}

func counters(vector *prometheus.CounterVec, source string, outcomes []string) map[string]prometheus.Counter {
	byOutcome := make(map[string]prometheus.Counter, len(outcomes))
	for _, outcome := range outcomes {
		byOutcome[outcome] = vector.WithLabelValues(source, outcome)
	}
	return byOutcome
}
