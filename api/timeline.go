package api

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// Timeline is a page of an order's timeline.
type Timeline struct {
	Entries    []TimelineEntry `json:"entries" nullable:"false" doc:"In the order of the stream."`
	NextCursor *string         `json:"next_cursor" doc:"The cursor of the next page; null on the last."`
	Redacted   bool            `json:"redacted" example:"false" doc:"Whether the notes of what was back-filled, which are personal, are withheld, since the token lacks the scope raw."`
}

// TimelineEntry is what one webhook did to the order, or a status that no webhook
// delivered and that the history of another one told of (effect back-filled).
type TimelineEntry struct {
	StreamSequence uint64          `json:"stream_sequence" example:"812" doc:"The webhook that did it, or that told of it."`
	Event          *string         `json:"event" example:"rider-delivering" doc:"The provider's own name of the event; null where back-filled."`
	Status         *string         `json:"status" doc:"The provider's own status, verbatim."`
	Effect         domain.Effect   `json:"effect" enum:"advanced,updated,no-change,late,contradiction,back-filled,duplicate,erased" example:"advanced" doc:"What it did to the order."`
	Note           *string         `json:"note" doc:"Why, in a few words, where the effect does not say it all."`
	State          domain.State    `json:"state" enum:"placed,accepted,in-kitchen,ready,rider-delivering,failed,completed,closed,canceled" example:"rider-delivering" doc:"The headline after it."`
	OccurredAt     *domain.Instant `json:"occurred_at" format:"date-time" doc:"When it happened, as the provider says."`
	ReceivedAt     domain.Instant  `json:"received_at" format:"date-time" doc:"When its webhook came."`
	Webhook        *string         `json:"webhook" format:"uri-reference" example:"/v1/webhooks/812" doc:"Where the raw webhook is; null where back-filled."`
}

type timelineInput struct {
	AtLeast
	OrderPath
	Page
}

type timelineOutput struct {
	Next
	Body encoded[Timeline]
}

func (h *handler) routeTimeline(d *document) {
	read(h, d, huma.Operation{
		OperationID: "get-timeline",
		Path:        ordersPath + "/{source}/{key}/timeline",
		Tags:        []string{tagOrders},
		Summary:     "List what happened to an order",
		Description: "Gives every webhook of the order in the order of the stream, with what it did and the state after it.",
	}, h.getTimeline)
}

func (h *handler) getTimeline(ctx context.Context, in *timelineInput) (*timelineOutput, error) {
	scope := fmt.Sprintf("timeline %q %q", in.Source, in.Key)
	var streamSequence, ordinal uint64
	if err := openCursor(scope, in.Cursor, &streamSequence, &ordinal); err != nil {
		return nil, err
	}
	after := domain.TimelinePosition{StreamSequence: streamSequence, Ordinal: int(ordinal)}
	holds := h.model.Watch()
	entries, err := h.model.Timeline(ctx, in.Source, in.Key, after, in.more())
	if err != nil {
		return nil, notFound(err, h.noOrder(in.Source))
	}
	entries, next := cut(in.Page, entries, func(last domain.TimelineEntry) string {
		return sealCursor(scope, last.StreamSequence, uint64(last.Ordinal))
	})
	redacted := !seesPersonal(ctx)
	if redacted {
		entries = each(entries, domain.TimelineEntry.Redacted)
	}
	body, err := encode(Timeline{Entries: each(entries, timelineEntry), NextCursor: next, Redacted: redacted})
	if err != nil {
		return nil, err
	}
	out := &timelineOutput{nextPage(ctx, next), body}
	keep(ctx, &kept{holds: holds, link: out.Link, body: body.text})
	return out, nil
}

func timelineEntry(e domain.TimelineEntry) TimelineEntry {
	entry := TimelineEntry{
		StreamSequence: e.StreamSequence,
		Event:          orNull(e.Event),
		Status:         orNull(e.Status),
		Effect:         e.Effect,
		Note:           orNull(e.Note),
		State:          e.State,
		OccurredAt:     orNull(e.OccurredAt),
		ReceivedAt:     e.ReceivedAt,
	}
	if e.Ordinal == 0 {
		entry.Webhook = new(webhookPath(e.StreamSequence))
	}
	return entry
}
