package ingest

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/ticketrail/ticketrail/domain"
)

// traceParent is the one header of the W3C's Trace Context that is read and passed on. The
// other, tracestate, is whatever a sender likes.
const traceParent = "traceparent"

// begin begins the span of a request, where requests are traced.
func (h *Handler) begin(r *http.Request, v *visit) {
	if h.config.Tracer == nil {
		return
	}
	ctx := context.Background()
	if h.config.FollowSenders {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceParent: r.Header.Get(traceParent)})
	}
	_, v.span = h.config.Tracer.Start(ctx, "receive webhook", trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(v.at))
}

// end ends the span of a request. Like its metrics it has no word of the sender.
func (v *visit) end(outcome string, status int, streamSequence uint64) {
	if v.span == nil {
		return
	}
	v.span.SetAttributes(
		attribute.String("ticketrail.source", v.source.Name), attribute.String("ticketrail.event", v.event),
		attribute.String("ticketrail.outcome", outcome), attribute.Int("http.response.status_code", status))
	if streamSequence > 0 {
		v.span.SetAttributes(attribute.Int64("ticketrail.stream_sequence", int64(streamSequence)))
	}
	if status >= http.StatusInternalServerError {
		v.span.SetStatus(codes.Error, outcome)
	}
	v.span.End()
}

// sends begins the span of a webhook's way into the stream, which what follows the webhook
// from there is a child of, and gives what ends it.
func (h *Handler) sends(v *visit, w *domain.Webhook) (ends func()) {
	if v.span == nil || !v.span.SpanContext().IsSampled() {
		return func() {}
	}
	ctx, span := h.config.Tracer.Start(trace.ContextWithSpan(context.Background(), v.span), "publish webhook",
		trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(attribute.String("ticketrail.source", w.Source), attribute.String("ticketrail.event", w.Event)))
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	w.Trace = carrier.Get(traceParent)
	return func() { span.End() }
}
