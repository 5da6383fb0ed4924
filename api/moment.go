package api

import (
	"context"
	"fmt"

	"github.com/ticketrail/ticketrail/domain"
)

// parseAt gives the stream sequence that the parameter at looks back to, 0 where
// no webhook had come by then, and nil where there is no such parameter.
func (h *handler) parseAt(ctx context.Context, text string) (*uint64, error) {
	const parameter = "query.at"
	if text == "" {
		return nil, nil
	}
	m, err := domain.ParseMoment(text)
	if err != nil {
		return nil, invalid(parameter, err.Error())
	}
	last, err := h.lastAt(ctx, parameter, m)
	return &last, err
}

// lastAt gives the stream sequence of the last webhook up to a moment, 0 where
// there is none. One beyond the end of the stream is a problem of the parameter.
//
// What counts is when the stream took a webhook: nobody could see it before, although
// one that was released from quarantine had come long before.
func (h *handler) lastAt(ctx context.Context, parameter string, m domain.Moment) (uint64, error) {
	info, err := h.webhooks.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoStream, err)
	}
	switch {
	case m.StreamSequence > info.Last:
		return 0, invalid(parameter, fmt.Sprintf("the stream ends at stream sequence %d", info.Last))
	case m.StreamSequence > 0:
		return m.StreamSequence, nil
	}
	stored, missed := uint64(0), info.Last+1
	for next := max(info.First, 1); next < missed; next = stored + (missed-stored+1)/2 {
		w, err := h.webhooks.Webhook(ctx, next)
		switch {
		case err != nil:
			return 0, fmt.Errorf("%w: %w", errNoStream, err)
		case m.Includes(w):
			stored = next
		default:
			missed = next
		}
	}
	return stored, nil
}
