package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/tmaxmax/go-sse"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// mostMissed is how many webhooks are looked up that came while nobody listened.
const mostMissed = 1000

// listening is where the listening is.
type listening struct {
	*program
	*listenCommand
	on *forwarder // nil where nothing is sent on
	// begins is how often the feed was opened.
	begins int
	// last is the last stream sequence that is known of, lookedUp the last one that was
	// looked up: the feed may tell of it too.
	last, lookedUp uint64
}

// begun looks up what was accepted while the feed was closed. What was refused meanwhile, or
// known already, nobody has kept.
func (l *listening) begun(ctx context.Context, client *apiClient) error {
	fmt.Fprintf(l.stderr, "listening to %s; end with Ctrl-C\n", client.base)
	var projection api.Projection
	err := client.read(ctx, "/v1/projection", nil, &projection)
	if refused, ok := errors.AsType[*refusedError](err); ok && refused.status == http.StatusNotImplemented {
		return nil // it takes webhooks, and reads none
	}
	if err != nil {
		return err
	}
	if projection.Stream == nil {
		return nil // it does not answer now
	}
	end := projection.Stream.Last
	if l.begins++; l.begins == 1 || !l.wantsAccepted() {
		l.last = end
		return nil
	}
	if end < l.last { // it is another stream
		l.last, l.lookedUp = 0, 0
	}
	if end > l.last+mostMissed {
		fmt.Fprintf(l.stderr, "%s came meanwhile and are not shown\n", counted(end-mostMissed-l.last, "webhook"))
		l.last = end - mostMissed
	}
	for l.last < end {
		if err := l.lookUp(ctx, client, l.last+1); err != nil {
			return err
		}
		l.last++
		l.lookedUp = l.last
	}
	return nil
}

func (l *listening) wantsAccepted() bool {
	return l.Verdict == "" || l.Verdict == domain.VerdictAccepted || l.Verdict == fmt.Sprint(http.StatusOK)
}

// lookUp shows a webhook of the stream as if it had been heard. One that is gone, or was
// erased, is passed over.
func (l *listening) lookUp(ctx context.Context, client *apiClient, sequence uint64) error {
	stored, _, err := storedWebhook(ctx, client, sequence)
	if refused, ok := errors.AsType[*refusedError](err); ok && (refused.status == http.StatusNotFound || refused.status == http.StatusGone) {
		return nil
	}
	if err != nil || l.Source != "" && l.Source != stored.Source {
		return err
	}
	size := int64(stored.Size)
	return l.show(ctx, client, &heard{Arrival: api.Arrival{
		ReceivedAt: stored.ReceivedAt, Source: &stored.Source, Event: &stored.Event, Verdict: domain.VerdictAccepted,
		Status: http.StatusOK, StreamSequence: &stored.StreamSequence, Size: &size,
	}})
}

// heard shows one event.
func (l *listening) heard(ctx context.Context, client *apiClient, e sse.Event) error {
	switch e.Type {
	case "unheard":
		var unheard api.Unheard
		if err := understand([]byte(e.Data), &unheard); err != nil {
			return err
		}
		fmt.Fprintf(l.stderr, "%s came faster than they were read, and are not shown\n", counted(unheard.Unheard, "more request"))
	case "arrival":
		var h heard
		if err := understand([]byte(e.Data), &h.Arrival); err != nil {
			return err
		}
		if h.accepted() && *h.StreamSequence <= l.lookedUp {
			return nil
		}
		if h.accepted() {
			l.last = max(l.last, *h.StreamSequence)
		}
		return l.show(ctx, client, &h)
	}
	return nil
}

func (h *heard) accepted() bool {
	return h.Verdict == domain.VerdictAccepted && h.StreamSequence != nil
}

// show sends an accepted webhook on, where that is wanted, and prints.
func (l *listening) show(ctx context.Context, client *apiClient, h *heard) error {
	if h.accepted() && l.on != nil {
		h.Forwarded = l.on.forward(ctx, client, *h.StreamSequence)
	}
	if l.JSON {
		return printJSONLine(l.stdout, h)
	}
	_, err := fmt.Fprintln(l.stdout, printable(arrivalLine(h)))
	return err
}
