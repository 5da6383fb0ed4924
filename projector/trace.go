package projector

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/ticketrail/ticketrail/domain"
)

// traceCommit tells of each webhook that came with a trace that it was projected, by a
// commit that began at a time, together with the others after a stream sequence.
func (p *Projector) traceCommit(webhooks []*domain.Webhook, begun time.Time, after uint64) {
	if p.tracer == nil {
		return
	}
	reached := p.at.StreamSequence
	for _, w := range webhooks {
		if w.Trace == "" || w.StreamSequence > reached || w.StreamSequence <= p.tracedAfter {
			continue
		}
		parent := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": w.Trace})
		if !trace.SpanContextFromContext(parent).IsSampled() { // another program may write what it likes
			continue
		}
		_, span := p.tracer.Start(parent, "project webhook", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(begun),
			trace.WithAttributes(
				attribute.String("ticketrail.source", w.Source), attribute.String("ticketrail.event", w.Event),
				attribute.Int64("ticketrail.stream_sequence", int64(w.StreamSequence)),
				attribute.Int64("ticketrail.commit.checkpoint", int64(reached)),
				attribute.Int64("ticketrail.commit.webhooks", int64(reached-after))))
		span.End()
	}
}
