package otlp_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/otlp"
)

// spans are a span and its child, which failed.
func spans() []sdk.ReadOnlySpan {
	of := func(span byte) trace.SpanContext {
		return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{15: 1}, SpanID: trace.SpanID{7: span}, TraceFlags: trace.FlagsSampled})
	}
	at := time.Unix(1_700_000_000, 0)
	return tracetest.SpanStubs{
		{
			Name: "receive webhook", SpanContext: of(1), SpanKind: trace.SpanKindServer, StartTime: at, EndTime: at.Add(5),
			Attributes: []attribute.KeyValue{attribute.String("ticketrail.source", "ivy"), attribute.Int("http.response.status_code", 503)},
			Status:     sdk.Status{Code: codes.Error, Description: "stream-full"},
			Resource:   resource.NewSchemaless(attribute.String("service.name", "ticketrail")), InstrumentationScope: instrumentation.Scope{Name: "ticketrail"},
		},
		{
			Name: "publish webhook", SpanContext: of(2), Parent: of(1), SpanKind: trace.SpanKindProducer, StartTime: at, EndTime: at.Add(3),
			Resource: resource.NewSchemaless(attribute.String("service.name", "ticketrail")), InstrumentationScope: instrumentation.Scope{Name: "ticketrail"},
		},
	}.Snapshots()
}

// A collector gets spans in the JSON of OTLP.
func TestSpansAreSentAsOTLP(t *testing.T) {
	t.Parallel()
	var path, kind, body string
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		path, kind, body = r.URL.Path, r.Header.Get("Content-Type"), string(text)
	}))
	defer collector.Close()
	exporter := otlp.New(collector.URL+"/", nil, slog.New(slog.DiscardHandler))
	require.NoError(t, exporter.ExportSpans(t.Context(), spans()))
	require.NoError(t, exporter.Shutdown(t.Context()))
	require.Equal(t, "/v1/traces", path)
	require.Equal(t, "application/json", kind)
	require.JSONEq(t, `{"resourceSpans":[{
		"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"ticketrail"}}]},
		"scopeSpans":[{"scope":{"name":"ticketrail"},"spans":[
			{"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","name":"receive webhook","kind":2,
			 "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000000005",
			 "attributes":[{"key":"ticketrail.source","value":{"stringValue":"ivy"}},{"key":"http.response.status_code","value":{"intValue":"503"}}],
			 "status":{"code":2,"message":"stream-full"}},
			{"traceId":"00000000000000000000000000000001","spanId":"0000000000000002","parentSpanId":"0000000000000001","name":"publish webhook","kind":4,
			 "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000000003","attributes":[],"status":{}}
		]}]}]}`, body)
}

// A collector that is away or refuses is told of in the log, and is no error for anybody.
func TestLostSpansAreLogged(t *testing.T) {
	t.Parallel()
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	var log strings.Builder
	refused := otlp.New(collector.URL, nil, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, refused.ExportSpans(t.Context(), spans()))
	require.Contains(t, log.String(), "502")
	collector.Close()
	log.Reset()
	away := otlp.New(collector.URL, nil, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, away.ExportSpans(t.Context(), spans()))
	require.NoError(t, away.ExportSpans(t.Context(), spans()))
	require.Equal(t, 1, strings.Count(log.String(), "traces are not taken"), "once a minute is enough")
}
