package ingest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

// Every request is counted once, by its source and by what came of it; labels
// hold nothing that a sender wrote.
func TestMetrics(t *testing.T) {
	t.Parallel()
	r := start(t)
	body := []byte(`{"id":"` + canary + `"}`)
	r.do(t, r.signed(t, "runa", "msg_1", body))
	r.do(t, r.signed(t, "runa", "msg_1", body))
	r.do(t, r.plain(t, http.MethodPost, "/webhooks/runa?token="+canary, body))
	r.do(t, r.plain(t, http.MethodPost, "/webhooks/"+canary, body))

	const requests = "ticketrail_ingest_requests_total"
	require.Equal(t, 1.0, r.count(t, requests, "runa", "accepted"))
	require.Equal(t, 1.0, r.count(t, requests, "runa", "duplicate"))
	require.Equal(t, 1.0, r.count(t, requests, "runa", "credential-missing"))
	require.Equal(t, 1.0, r.count(t, requests, "", "unknown-source"))
	require.Equal(t, 1.0, r.count(t, "ticketrail_ingest_rejected_total", "runa", "kept"))
	require.Equal(t, 3.0, r.count(t, "ticketrail_ingest_request_duration_seconds", "runa", ""))
	require.Equal(t, 3.0, r.count(t, "ticketrail_ingest_body_bytes", "runa", ""))
	require.Zero(t, r.count(t, "ticketrail_ingest_requests_in_flight", "", ""))
	families, err := r.registry.Gather()
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprint(families), canary)
}

// Metrics follow the conventions of Prometheus, and are there before the first
// request, so that a rate can be taken of them.
func TestMetricsAreWellNamed(t *testing.T) {
	t.Parallel()
	r := start(t)
	require.Zero(t, r.count(t, "ticketrail_ingest_requests_total", "ivy", "stream-full"))
	require.Zero(t, r.count(t, "ticketrail_ingest_requests_total", "", "unknown-source"))

	problems, err := testutil.GatherAndLint(r.registry)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// What cannot happen has no series: a known source is not an unknown one, and of
// an unknown one no body is read.
func TestNoMetricIsImpossible(t *testing.T) {
	t.Parallel()
	r := start(t)
	families, err := r.registry.Gather()
	require.NoError(t, err)
	strangers := 0
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			source, outcome := labels(metric.GetLabel())["source"], labels(metric.GetLabel())["outcome"]
			require.NotEqual(t, "unknown-path", outcome)
			require.Equal(t, outcome == "unknown-source", source == "" && outcome != "", "%s{%s,%s}", family.GetName(), source, outcome)
			if hasSource := len(metric.GetLabel()) > 0; hasSource && source == "" {
				strangers++
			}
		}
	}
	require.Equal(t, 2, strangers, "a count and a duration")
}

// labels gives the labels of a metric; an absent one is empty.
func labels[P interface {
	GetName() string
	GetValue() string
}](pairs []P) map[string]string {
	values := make(map[string]string)
	for _, pair := range pairs {
		values[pair.GetName()] = pair.GetValue()
	}
	return values
}

// count gives a counter, a gauge or a histogram's number of samples; an absent
// label is empty.
func (r *receiver) count(t testing.TB, name, source, outcome string) float64 {
	t.Helper()
	families, err := r.registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name && labels(metric.GetLabel())["source"] == source && labels(metric.GetLabel())["outcome"] == outcome {
				return metric.GetCounter().GetValue() + metric.GetGauge().GetValue() +
					float64(metric.GetHistogram().GetSampleCount())
			}
		}
	}
	require.FailNow(t, "no such metric", "%s{source=%q,outcome=%q}", name, source, outcome)
	return 0
}
