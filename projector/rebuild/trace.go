package rebuild

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/ticketrail/ticketrail/domain"
)

// traces begins the span of a rebuild, and gives what ends it with how that ended.
func (b *build) traces() (ends func()) {
	if b.config.Tracer == nil {
		return func() {}
	}
	_, span := b.config.Tracer.Start(context.Background(), "rebuild", trace.WithNewRoot())
	return func() {
		span.SetAttributes(
			attribute.Int("ticketrail.rebuild", b.record.ID), attribute.String("ticketrail.rebuild.state", string(b.record.State)),
			attribute.Int64("ticketrail.stream_sequence", int64(b.record.StreamSequence)))
		if b.record.State == domain.RebuildFailed {
			span.SetStatus(codes.Error, "it failed")
		}
		span.End()
	}
}
