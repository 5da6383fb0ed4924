package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	ordersPath = "/v1/orders"
	orderPath  = ordersPath + "/{source}/{key}"
)

// PathOfOrder gives the path of an order, whatever its key is made of.
func PathOfOrder(source, key string) string {
	return ordersPath + "/" + PathSegment(source) + "/" + PathSegment(key)
}

// PathSegment gives a text as one segment of a path: odd characters escaped, and
// dots where there is nothing else, which clients would take for a step up.
func PathSegment(text string) string {
	if strings.Trim(text, ".") == "" {
		return strings.ReplaceAll(text, ".", "%2E")
	}
	return url.PathEscape(text)
}

// OrderList is a page of orders.
type OrderList struct {
	Orders     []Order `json:"orders" nullable:"false" doc:"The orders of this page, in the sort asked for."`
	NextCursor *string `json:"next_cursor" doc:"The cursor of the next page; null on the last."`
}

type ordersInput struct {
	AtLeast
	Page
	State        []string         `query:"state,explode" nullable:"false" example:"accepted,in-kitchen" doc:"Only these states: one or more of placed, accepted, in-kitchen, ready, rider-delivering, failed, completed, closed and canceled, separated by commas or repeated."`
	Source       string           `query:"source" maxLength:"200" example:"ordatic" doc:"Only orders of this source."`
	Store        string           `query:"store" maxLength:"200" pattern:"^\\P{Cc}*$" example:"store-7" doc:"Only orders of this store."`
	Text         string           `query:"q" maxLength:"200" pattern:"^\\P{Cc}*$" example:"o-1" doc:"Only orders whose key or reference holds this text, in any case. Without the scope raw only keys are looked through."`
	Late         string           `query:"late" enum:"true" example:"true" doc:"Only orders that have been in their state for too long, see list-limits. Of orders as they were this is not told."`
	Problem      string           `query:"problem" enum:"true,false" example:"true" doc:"Only orders with a problem, or only those without."`
	UpdatedSince domain.Instant   `query:"updated_since" format:"date-time" example:"2026-01-01T00:00:00Z" doc:"Only orders with an updated_at of this time or later (RFC 3339): what became known since."`
	At           string           `query:"at" maxLength:"64" example:"3" doc:"The orders as they were: after the webhook of this stream sequence, or after the last one that the stream had taken at this time (RFC 3339), as readers saw them then. A snapshot of it must have been made, see start-rebuild."`
	Sort         domain.OrderSort `query:"sort" enum:"-updated,updated,-created,created,since" default:"-updated" example:"-created" doc:"By the last applied webhook (updated) or the first (created); a minus gives the latest first. With late=true also by how long they have been in their state (since), the longest first."`
}

type ordersOutput struct {
	Next
	Body encoded[OrderList]
}

type orderInput struct {
	AtLeast
	OrderPath
	At          string `query:"at" maxLength:"64" example:"3" doc:"The order as it was: after the webhook of this stream sequence, or after the last one that the stream had taken at this time (RFC 3339), as readers saw it then."`
	IfNoneMatch string `header:"If-None-Match" doc:"An ETag that the client holds: 304 where it is still the order's."`
}

// OrderPath is the part of a path that names an order.
type OrderPath struct {
	Source string `path:"source" example:"ordatic" doc:"The source of the order."`
	Key    string `path:"key" example:"store-7:o-1" doc:"The key of the order, percent-escaped."`
}

type orderOutput struct {
	Status       int
	ETag         string `header:"ETag" doc:"Changes whenever the answer would."`
	CacheControl string `header:"Cache-Control"`
	Body         encoded[Order]
}

// revalidate has a client that kept an answer ask whether it still holds.
const revalidate = "no-cache"

func (h *handler) routeOrders(d *document) {
	read(h, d, huma.Operation{
		OperationID: "list-orders",
		Path:        ordersPath,
		Tags:        []string{tagOrders},
		Summary:     "List orders",
		Description: "Gives orders in pages. Every filter narrows the list further.",
	}, h.listOrders)
	read(h, d, huma.Operation{
		OperationID: "get-order",
		Path:        orderPath,
		Tags:        []string{tagOrders},
		Summary:     "Get one order",
		Description: "Gives one order as it stands at the read model's checkpoint, or as it was at an earlier moment.",
		Responses:   map[string]*huma.Response{"304": {Description: "The order is still the one that If-None-Match names."}},
	}, h.getOrder)
}

func (h *handler) listOrders(ctx context.Context, in *ordersInput) (*ordersOutput, error) {
	query, err := in.query()
	if err != nil {
		return nil, err
	}
	if err := h.knownSource(ctx, query.Source); err != nil {
		return nil, err
	}
	query.KeysOnly = !seesPersonal(ctx) // what is found by its text is told by it
	now := h.config.Now()
	if query.Late != nil {
		query.Late = &domain.Lateness{Limits: h.config.Limits, At: now}
	}
	at, err := h.parseAt(ctx, in.At)
	if err != nil {
		return nil, err
	}
	scope := scopeOf(query, at)
	if err := openCursor(scope, in.Cursor, &query.After.Since, &query.After.Number); err != nil {
		return nil, err
	}
	holds := h.model.Watch()
	found, err := h.ordersAt(ctx, at, query)
	if err != nil {
		return nil, err
	}
	found, next := cut(in.Page, found, func(last *domain.Order) string {
		at := query.Sort.Position(last)
		return sealCursor(scope, at.Since, at.Number)
	})
	if at != nil {
		now = time.Time{}
	}
	bearer := bearerOf(ctx)
	told := each(found, func(o *domain.Order) Order { return h.order(bearer, o, now) })
	out := &ordersOutput{nextPage(ctx, next), encodeOrders(&OrderList{Orders: told, NextCursor: next})}
	if at == nil {
		end, err := h.listEnds(ctx, &query, found, now)
		if err != nil {
			return nil, err
		}
		keep(ctx, &kept{holds: h.until(end, holds), link: out.Link, body: out.Body.text})
	}
	return out, nil
}

// listEnds gives when the clock makes a list another one, if no webhook does before: when
// an order of it is late and, in a list of late ones, when any order is.
func (h *handler) listEnds(ctx context.Context, q *domain.OrderQuery, listed []*domain.Order, now time.Time) (time.Time, error) {
	if q.Late == nil {
		return h.nextLate(now, listed...), nil
	}
	late, err := h.model.Late(ctx, q.Late, now)
	return late.Next, err
}

// query gives what the parameters select. The same selection in other words, its
// states in another order, gives the same query.
func (in *ordersInput) query() (domain.OrderQuery, error) {
	states, err := parseStates(in.State)
	if err != nil {
		return domain.OrderQuery{}, err
	}
	query := domain.OrderQuery{
		States:       states,
		Source:       in.Source,
		Store:        in.Store,
		Text:         in.Text,
		UpdatedSince: in.UpdatedSince,
		Sort:         in.Sort,
		Limit:        in.more(),
	}
	if in.Problem != "" {
		query.Problem = new(in.Problem == "true")
	}
	switch {
	case in.Late != "" && in.At != "":
		return domain.OrderQuery{}, invalid("query.late", "is told of orders as they are, not as they were")
	case in.Late != "":
		query.Late = &domain.Lateness{}
	case in.Sort == domain.SortSince:
		return domain.OrderQuery{}, invalid("query.sort", "since is a sort of late orders: add late=true")
	}
	return query, nil
}

func parseStates(lists []string) (states []domain.State, err error) {
	for name := range strings.SplitSeq(strings.Join(lists, ","), ",") {
		var state domain.State
		if name == "" {
			continue
		}
		if err := state.UnmarshalText([]byte(name)); err != nil {
			return nil, invalid("query.state", err.Error())
		}
		states = append(states, state)
	}
	slices.Sort(states)
	return slices.Compact(states), nil
}

// scopeOf names a list of orders for its cursors: all that decides what follows
// what, and not how many are asked for at once.
func scopeOf(q domain.OrderQuery, at *uint64) string {
	problem, moment := "any", "now"
	if q.Problem != nil {
		problem = fmt.Sprint(*q.Problem)
	}
	if at != nil {
		moment = fmt.Sprint(*at)
	}
	return fmt.Sprintf("orders %v %q %q %q %t %t %s %s %s %s", q.States, q.Source, q.Store, q.Text, q.KeysOnly, q.Late != nil, problem, q.UpdatedSince, q.Sort, moment)
}

func (h *handler) getOrder(ctx context.Context, in *orderInput) (*orderOutput, error) {
	holds, now := h.model.WatchOrder(in.Source, in.Key), h.config.Now()
	if in.At != "" {
		now = time.Time{}
	}
	found, err := h.orderAt(ctx, in.OrderPath, in.At)
	if err != nil {
		return nil, err
	}
	answer := h.present(bearerOf(ctx), found, now, holds)
	out := &orderOutput{Status: http.StatusOK, ETag: answer.etag, CacheControl: revalidate, Body: encoded[Order]{answer.body}}
	if in.At == "" {
		keep(ctx, answer)
	}
	if matches(in.IfNoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

// present encodes an order as whoever asks may see it.
func (h *handler) present(bearer Token, o *domain.Order, now time.Time, holds func() bool) *kept {
	told := h.order(bearer, o, now)
	body := encodeOrder(&told).text
	return &kept{holds: h.until(h.nextLate(now, o), holds), etag: etagOf(body), body: body}
}

// etagOf gives the strong ETag of an answer: a sum over all of it, since the clock and
// the configuration change an order without any webhook.
func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// matches tells whether an If-None-Match header names the ETag. The comparison is
// the weak one (RFC 9110, 13.1.2): a proxy may have weakened what it passed on.
func matches(ifNoneMatch, etag string) bool {
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == etag {
			return true
		}
	}
	return false
}
