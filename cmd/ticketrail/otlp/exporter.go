// Package otlp sends spans to a collector: OTLP over HTTP, in JSON (OpenTelemetry Protocol
// 1.x, "OTLP/HTTP"). The exporter of OpenTelemetry itself brings gRPC along, which would
// make the program a quarter larger.
package otlp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/time/rate"
)

const (
	// sendWithin bounds the wait for a collector.
	sendWithin = 5 * time.Second
	// maxAnswer is as much of an answer as is read, so that its connection can be kept.
	maxAnswer = 64 << 10
)

// Exporter sends spans. What a collector does not take is lost: that is logged once a minute
// and holds up nothing. Its methods are safe for concurrent use.
type Exporter struct {
	url      string
	headers  http.Header
	client   *http.Client
	logger   *slog.Logger
	complain rate.Sometimes
}

var _ sdk.SpanExporter = (*Exporter)(nil)

// New gives an exporter to the collector at an address, to which the path of traces is added.
// The headers go with each request, to that address alone: they may hold a secret.
func New(endpoint string, headers http.Header, logger *slog.Logger) *Exporter {
	return &Exporter{
		url:     strings.TrimSuffix(endpoint, "/") + "/v1/traces",
		headers: headers,
		client: &http.Client{
			Timeout:       sendWithin,
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		logger:   logger,
		complain: rate.Sometimes{Interval: time.Minute},
	}
}

// ExportSpans sends spans once. It returns nil always: OpenTelemetry would print an error
// past the program's log.
func (e *Exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := e.send(ctx, spans); err != nil {
		e.complain.Do(func() { e.logger.WarnContext(ctx, "traces are not taken by the collector, and are lost", "error", err) })
	}
	return nil
}

// Shutdown closes the connections.
func (e *Exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

func (e *Exporter) send(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	body, err := json.Marshal(requestOf(spans))
	if err != nil {
		return fmt.Errorf("write spans: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	maps.Copy(request.Header, e.headers)
	request.Header.Set("Content-Type", "application/json")
	response, err := e.client.Do(request)
	if err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("send spans: the answer is %d", response.StatusCode)
	}
	return nil
}

// The messages of opentelemetry/proto/collector/trace/v1, as its JSON mapping has them: ids in
// hexadecimal, 64-bit numbers as texts, enumerations as numbers.
type (
	request struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   resource     `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	resource struct {
		Attributes []keyValue `json:"attributes"`
	}
	scopeSpans struct {
		Scope scope  `json:"scope"`
		Spans []span `json:"spans"`
	}
	scope struct {
		Name string `json:"name"`
	}
	span struct {
		TraceID      string     `json:"traceId"`
		SpanID       string     `json:"spanId"`
		ParentSpanID string     `json:"parentSpanId,omitempty"`
		Name         string     `json:"name"`
		Kind         int        `json:"kind"`
		Start        string     `json:"startTimeUnixNano"`
		End          string     `json:"endTimeUnixNano"`
		Attributes   []keyValue `json:"attributes"`
		Status       status     `json:"status"`
	}
	status struct {
		Message string `json:"message,omitempty"`
		Code    int    `json:"code,omitzero"`
	}
	keyValue struct {
		Key   string            `json:"key"`
		Value map[string]string `json:"value"` // by its type
	}
)

// statusError is STATUS_CODE_ERROR, whose number is another one in Go.
const statusError = 2

// requestOf gives the request that sends spans, which are all of this program and so of one
// resource.
func requestOf(spans []sdk.ReadOnlySpan) request {
	var of resourceSpans
	for _, s := range spans {
		of.Resource.Attributes = keyValues(s.Resource().Attributes())
		name := s.InstrumentationScope().Name
		if last := len(of.ScopeSpans) - 1; last < 0 || of.ScopeSpans[last].Scope.Name != name {
			of.ScopeSpans = append(of.ScopeSpans, scopeSpans{Scope: scope{name}})
		}
		in := &of.ScopeSpans[len(of.ScopeSpans)-1]
		in.Spans = append(in.Spans, spanOf(s))
	}
	return request{[]resourceSpans{of}}
}

func spanOf(s sdk.ReadOnlySpan) span {
	sent := span{
		TraceID: s.SpanContext().TraceID().String(), SpanID: s.SpanContext().SpanID().String(),
		Name: s.Name(), Kind: int(s.SpanKind()), Attributes: keyValues(s.Attributes()),
		Start: strconv.FormatInt(s.StartTime().UnixNano(), 10), End: strconv.FormatInt(s.EndTime().UnixNano(), 10),
	}
	if s.Parent().HasSpanID() {
		sent.ParentSpanID = s.Parent().SpanID().String()
	}
	if s.Status().Code == codes.Error {
		sent.Status = status{s.Status().Description, statusError}
	}
	return sent
}

// keyValues gives attributes; those that are no whole numbers are texts.
func keyValues(attributes []attribute.KeyValue) []keyValue {
	all := make([]keyValue, len(attributes))
	for i, a := range attributes {
		kind := "stringValue"
		if a.Value.Type() == attribute.INT64 {
			kind = "intValue"
		}
		all[i] = keyValue{string(a.Key), map[string]string{kind: a.Value.String()}}
	}
	return all
}
