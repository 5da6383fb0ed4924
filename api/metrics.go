package api

import (
	"cmp"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// noRoute is the label of a request that no operation takes: the path itself
// would let anybody make as many series as there are paths.
const noRoute = "none"

type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec

	mu     sync.Mutex
	series map[kind]series // found once: to look for labels takes longer than to count
}

// kind is what the requests of one series have in common.
type kind struct {
	route  string
	status int
}

// series is where the requests of a kind are counted.
type series struct {
	requests prometheus.Counter
	duration prometheus.Observer
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	m := &metrics{
		series: map[kind]series{},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ticketrail_api_requests_total",
			Help: "Requests that the API answered, by route and HTTP status.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "ticketrail_api_request_duration_seconds",
			Help:    "How long the API took to answer, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
	}
	if registerer != nil {
		registerer.MustRegister(m.requests, m.duration)
	}
	return m
}

type feedMetrics struct {
	sent, pages prometheus.Counter
	resets      *prometheus.CounterVec
}

func newFeedMetrics(registerer prometheus.Registerer, f *Feed) feedMetrics {
	m := feedMetrics{
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ticketrail_changes_sent_total",
			Help: "Changes of orders that were sent to clients of the live feed.",
		}),
		pages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ticketrail_changes_pages_total",
			Help: "Pages of changes that were read for followers who are behind the newest ones.",
		}),
		resets: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ticketrail_changes_resets_total",
			Help: "How often a follower of the changes was told to read the orders anew, by reason.",
		}, []string{"reason"}),
	}
	for _, reason := range []string{resetBehind, resetRevised, resetUnknown} {
		m.resets.WithLabelValues(reason) // from the start on, so that a rate can be taken
	}
	followers := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ticketrail_changes_followers",
		Help: "Clients that follow the changes of orders now.",
	}, f.followed)
	if registerer != nil {
		registerer.MustRegister(m.sent, m.pages, m.resets, followers)
	}
	return m
}

// observe counts one answered request; the pattern is the mux's, empty for none.
func (m *metrics) observe(pattern string, status int, took time.Duration) {
	of := m.of(kind{cmp.Or(pattern, noRoute), status})
	of.requests.Inc()
	of.duration.Observe(took.Seconds())
}

func (m *metrics) of(k kind) series {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, found := m.series[k]
	if !found {
		known = series{m.requests.WithLabelValues(k.route, strconv.Itoa(k.status)), m.duration.WithLabelValues(k.route)}
		m.series[k] = known
	}
	return known
}

// metricsPage shows what was gathered. A collector that fails leaves a gap and
// not an error page, which would hide all the others.
func metricsPage(gatherer prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}
