package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	changesPath = "/v1/changes"
	// reconnectAfter is what a client is told to wait before it comes back.
	reconnectAfter = 2 * time.Second
)

type changesInput struct {
	AtLeast
	State       []string `query:"state,explode" nullable:"false" example:"accepted,in-kitchen" doc:"Only changes after which the order is in one of these states, separated by commas or repeated."`
	Source      string   `query:"source" maxLength:"200" example:"ordatic" doc:"Only changes of orders of this source."`
	Store       string   `query:"store" maxLength:"200" pattern:"^\\P{Cc}*$" example:"store-7" doc:"Only changes of orders of this store."`
	Key         string   `query:"key" maxLength:"1000" pattern:"^\\P{Cc}*$" example:"store-7:o-1" doc:"Only changes of orders with this key."`
	After       string   `query:"after" pattern:"^[0-9]*$" maxLength:"20" example:"811" doc:"Go on after this stream sequence; 0 gives all there ever were. Without it the feed begins with what comes."`
	LastEventID string   `header:"Last-Event-ID" maxLength:"20" example:"811" doc:"The same, as a browser sends it when it comes back. It goes before after."`
}

func (h *handler) routeChanges(d *document) {
	read(h, d, huma.Operation{
		OperationID: "follow-changes",
		Path:        changesPath,
		Tags:        []string{tagOrders},
		Summary:     "Follow the changes of orders",
		Description: "Sends server-sent events: one change for each webhook that changed what readers see of an order, in the order of the stream, " +
			"each once. The id of an event is the stream sequence; who comes back with the last one misses nothing and gets nothing twice. Every 15 seconds " +
			"an event of nothing but an id tells how far the feed is. Where changes are left out, since there are more than 100,000 or orders became " +
			"others without one, the event reset tells from where it goes on: orders are to be read anew then.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The events change and reset. The data of each is one line of JSON.",
			Content: map[string]*huma.MediaType{typeEvents: {Schema: &huma.Schema{OneOf: []*huma.Schema{
				d.schema(reflect.TypeFor[Change]()), d.schema(reflect.TypeFor[Reset]()),
			}}}},
		}},
	}, h.followChanges)
}

func (h *handler) followChanges(ctx context.Context, in *changesInput) (*huma.StreamResponse, error) {
	states, err := parseStates(in.State)
	if err != nil {
		return nil, err
	}
	if err := h.knownSource(ctx, in.Source); err != nil {
		return nil, err
	}
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	filter := changeFilter{states: states, source: in.Source, store: in.Store, key: in.Key}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		h.sendChanges(ctx.Context(), w, h.stillMay(r), after, filter)
	}}, nil
}

// after gives the stream sequence that the client has come to, nil where it begins.
func (in *changesInput) after() (*uint64, error) {
	text, parameter := in.After, "query.after"
	if in.LastEventID != "" {
		text, parameter = in.LastEventID, "header.Last-Event-ID"
	}
	if text == "" {
		return nil, nil
	}
	after, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return nil, invalid(parameter, "is not a stream sequence")
	}
	return &after, nil
}

// sendChanges sends changes until the client goes, may have no more, or ctx ends.
func (h *handler) sendChanges(ctx context.Context, w http.ResponseWriter, stillMay func() bool, after *uint64, filter changeFilter) {
	feed := h.config.Feed
	follower, next, err := feed.follow(ctx, after)
	if err != nil {
		writeProblem(w, h.fail(ctx, changesPath, err))
		return
	}
	defer feed.leave(true)
	to := changeWriter{eventWriter: newEventWriter(w), personal: seesPersonal(ctx), filter: filter}
	to.begin(next)
	beat := time.NewTicker(feed.config.Heartbeat)
	defer beat.Stop()
	for ctx.Err() == nil && stillMay() {
		feed.metrics.sent.Add(to.run(next))
		if to.flush() != nil {
			return // nobody reads any more
		}
		select {
		case <-ctx.Done():
		case <-beat.C:
			to.position(follower.at)
		case <-next.more:
		}
		if next, err = follower.next(ctx); err != nil {
			_ = h.fail(ctx, changesPath, err) // it is logged, and the client comes back with its last id
			return
		}
	}
}

// changeWriter writes the changes that a client wants, as it may see them.
type changeWriter struct {
	*eventWriter
	personal bool
	filter   changeFilter
}

// begin tells when to come back, and from where, should the answer end before its first
// event.
func (w *changeWriter) begin(first run) {
	w.printf("retry: %d\n\n", reconnectAfter.Milliseconds())
	if first.reset == "" {
		w.position(first.through)
	}
}

// position tells how far the feed is: an event of nothing but an id.
func (w *changeWriter) position(at uint64) { w.printf("id: %d\n\n", at) }

// run writes what the filter takes of a run, and counts the changes.
func (w *changeWriter) run(next run) (sent float64) {
	if next.reset != "" {
		w.printf("id: %d\n", next.through)
		w.event("reset", Reset{StreamSequence: next.through, Reason: next.reset})
	}
	for _, f := range next.frames {
		if !w.filter.takes(&f.change) || w.err != nil {
			continue
		}
		text, err := f.text(w.personal)
		if err == nil {
			_, err = w.to.Write(text.event)
		}
		w.err = err
		sent++
	}
	return sent
}
