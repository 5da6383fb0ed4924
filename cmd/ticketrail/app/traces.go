package app

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/otlp"
)

// startTraces has what happens to webhooks traced, where somebody wants to know. It comes
// first of all parts, so that the last spans of each are sent.
func (a *App) startTraces(context.Context) error {
	settings := a.config.Traces
	endpoint := cmp.Or(settings.Endpoint, os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	exporter := a.spans
	if exporter == nil && endpoint != "" {
		headers, err := otlp.ParseHeaders(cmp.Or(settings.Headers.Reveal(), os.Getenv("OTEL_EXPORTER_OTLP_HEADERS")))
		if err != nil {
			return fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS: %w", err) // config has checked its own
		}
		exporter = otlp.New(endpoint, headers, a.logger)
	}
	if exporter == nil {
		return nil
	}
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(settings.Ratio))),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "ticketrail"), attribute.String("service.version", a.addresses.Version))))
	a.tracer = provider.Tracer("ticketrail")
	a.steps.push("send the last traces", limitTraces, func(ctx context.Context) error {
		_ = provider.Shutdown(ctx) // a collector that does not answer has been told of, and is no failure of ours
		return nil
	})
	return nil
}
