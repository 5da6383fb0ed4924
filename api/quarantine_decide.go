package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

// decideWithin bounds the decisions of one request. What is not done by then is
// told by a cursor.
const decideWithin = 10 * time.Second

// RetryRequest says how one entry is tried again.
type RetryRequest struct {
	Plan   bool   `json:"plan,omitempty" doc:"Tell what would come of it, and change nothing."`
	Trust  bool   `json:"trust,omitempty" doc:"Release a request without verifying it: nothing but your word says who sent it. It needs a reason."`
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why, which is recorded; needed with trust."`
}

// DiscardRequest says why an entry is of no use.
type DiscardRequest struct {
	Plan   bool   `json:"plan,omitempty" doc:"Give the entry as it is, and change nothing."`
	Reason string `json:"reason" minLength:"1" maxLength:"500" example:"a port scan" doc:"Why, which is recorded."`
}

// QuarantineSelection says which entries a request is about, of those that are open.
type QuarantineSelection struct {
	Plan   bool                  `json:"plan,omitempty" doc:"Count what would come of it, and change nothing."`
	Kind   domain.QuarantineKind `json:"kind,omitempty" enum:"rejected,untranslatable" doc:"Only requests that were rejected, or only webhooks that could not be translated."`
	Source string                `json:"source,omitempty" maxLength:"64" doc:"Only what came to this source."`
	Cause  string                `json:"cause,omitempty" maxLength:"64" doc:"Only what was set aside for this cause."`
	All    bool                  `json:"all,omitempty" doc:"Every entry there is. Without it, what is no plan has to say which entries it is about: by a filter, or by the until of a plan."`
	Until  string                `json:"until,omitempty" maxLength:"128" doc:"The until of a plan with the same filters: decide about what it showed, and about nothing that came later. Without one and without a cursor it is about what there is when the request comes."`
	Limit  int                   `json:"limit,omitempty" minimum:"1" maximum:"200" default:"100" doc:"How many entries at most."`
	Cursor string                `json:"cursor,omitempty" maxLength:"128" doc:"The next_cursor of the answer before, to go on with the rest, and to end where that would have."`
}

// selected gives the query of a selection. It ends with what there is now, or with
// what the plan saw that the selection goes by: nobody decides about an entry that
// came after they were told what there is.
func (h *handler) selected(ctx context.Context, s QuarantineSelection) (query domain.QuarantineQuery, err error) {
	if s == (QuarantineSelection{Limit: s.Limit}) {
		return query, invalid("body.all", "must be true where nothing else says which entries it is about")
	}
	query.QuarantineFilter = domain.QuarantineFilter{Kind: s.Kind, Source: s.Source, Cause: s.Cause}
	query.Limit, query.Until = s.Limit, &domain.QuarantinePosition{}
	scope := quarantineScope(query)
	switch {
	case s.Cursor != "":
		err = openCursor(scope, s.Cursor, &query.After.Rejected, &query.After.Webhook, &query.Until.Rejected, &query.Until.Webhook)
	case s.Until == "":
		query.Until, err = h.config.Quarantine.End(ctx)
	case openCursor(scope, s.Until, &query.Until.Rejected, &query.Until.Webhook) != nil:
		err = invalid("body.until", "is not the until of a plan with the same filters")
	}
	return query, err
}

// RetryAllRequest says which entries are tried again, and how.
type RetryAllRequest struct {
	QuarantineSelection
	Trust  bool   `json:"trust,omitempty" doc:"Release requests without verifying them: nothing but your word says who sent each of them. It needs a reason and a source."`
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why, which is recorded; needed with trust."`
}

// DiscardAllRequest says which entries are of no use, and why.
type DiscardAllRequest struct {
	QuarantineSelection
	Reason string `json:"reason" minLength:"1" maxLength:"500" example:"a port scan" doc:"Why, which is recorded."`
}

// Retried tells what came of trying one entry again.
type Retried struct {
	ID             string             `json:"id" example:"r-12" doc:"The entry."`
	Result         domain.RetryResult `json:"result" enum:"released,already-released,still-rejected,unknown-source,would-apply,not-about-an-order,still-untranslatable,gone" doc:"What came of it, or would come of it for a plan."`
	Cause          *string            `json:"cause" example:"credential-wrong" doc:"Why it stays, by today's secrets and today's program."`
	Where          *string            `json:"where" doc:"A JSON pointer to the place in a webhook."`
	StreamSequence *uint64            `json:"stream_sequence" example:"913" doc:"Where a released request is in the stream."`
	Webhook        *string            `json:"webhook" format:"uri-reference" doc:"Where the raw webhook is."`
	Duplicate      bool               `json:"duplicate" doc:"Whether the stream had it already, as where its sender had sent it again."`
	Event          *string            `json:"event" doc:"The event that it is, or would be."`
	OrderKey       *string            `json:"order_key" doc:"The order that a webhook would be about."`
	Hint           *string            `json:"hint" doc:"What can be done."`
}

// Discarded is an entry after it was discarded.
type Discarded struct {
	QuarantineEntry
	Before *Decision `json:"before" doc:"The decision that this one replaces: who discarded it before, and why. Null where nobody had."`
}

// Bulk counts what came of a request about many entries.
type Bulk struct {
	Plan       bool          `json:"plan" doc:"Whether nothing was changed."`
	Until      string        `json:"until" doc:"What there was: given with the next request, it is about no entry that came later."`
	Entries    int           `json:"entries" example:"57" doc:"How many entries it was about."`
	Results    []ResultCount `json:"results" nullable:"false" doc:"What came of them, by name."`
	Staying    []StayCount   `json:"staying" nullable:"false" doc:"Of a retry: what stays, why, and what can be done about it."`
	NextCursor *string       `json:"next_cursor" doc:"The cursor of the rest; null where there is none."`
}

// StayCount is how many entries stay in the quarantine for one cause.
type StayCount struct {
	Result string `json:"result" example:"still-rejected" doc:"What came of trying them again."`
	Cause  string `json:"cause" example:"credential-wrong" doc:"Why they stay, by today's secrets and today's program; empty where the result says it."`
	Count  int    `json:"count" example:"17" doc:"How many entries."`
	Hint   string `json:"hint" doc:"What can be done about them."`
}

// ResultCount is how many entries had one result.
type ResultCount struct {
	Result string `json:"result" example:"released" doc:"A result of a retry, or discarded."`
	Count  int    `json:"count" example:"40" doc:"How many entries."`
}

type (
	retryInput struct {
		ID   string `path:"id" maxLength:"32" example:"r-12" doc:"The id of the entry."`
		Body RetryRequest
	}
	discardInput struct {
		ID   string `path:"id" maxLength:"32" example:"r-12" doc:"The id of the entry."`
		Body DiscardRequest
	}
	retryAllInput   struct{ Body RetryAllRequest }
	discardAllInput struct{ Body DiscardAllRequest }
	retryOutput     struct{ Body Retried }
	discardOutput   struct{ Body Discarded }
	bulkOutput      struct{ Body Bulk }
)

func (h *handler) routeDecisions(d *document) {
	decide(h, d, huma.Operation{
		OperationID: "retry-quarantine-entry",
		Path:        quarantinePath + "/{id}/retry",
		RequestBody: example(RetryRequest{Plan: true}),
		Summary:     "Try one entry again",
		Description: "Verifies a rejected request again, with today's secrets and as of the time that it came, and puts it into the stream if it is authentic by now. " +
			"Of a webhook it tells what today's program makes of it; a rebuild applies that.",
	}, h.retryQuarantineEntry)
	decide(h, d, huma.Operation{
		OperationID: "discard-quarantine-entry",
		Path:        quarantinePath + "/{id}/discard",
		RequestBody: example(DiscardRequest{Reason: "a port scan"}),
		Summary:     "Discard one entry",
		Description: "Records that an entry is of no use, by whom and why, and hides it from the list. It can still be tried again.",
	}, h.discardQuarantineEntry)
	decide(h, d, huma.Operation{
		OperationID: "retry-quarantine",
		Path:        quarantinePath + "/retry",
		RequestBody: example(RetryAllRequest{QuarantineSelection: QuarantineSelection{Source: "ivy", Plan: true}}),
		Summary:     "Try many entries again",
		Description: "Does for the entries that are selected what a retry does for one, those that came first before the others, and counts the results. " +
			"The answer bears a cursor where entries are left. A plan's until has the request that follows it decide about what the plan counted, and about nothing that came later.",
	}, h.retryQuarantine)
	decide(h, d, huma.Operation{
		OperationID: "discard-quarantine",
		Path:        quarantinePath + "/discard",
		RequestBody: example(DiscardAllRequest{QuarantineSelection: QuarantineSelection{Source: "ivy"}, Reason: "a port scan"}),
		Summary:     "Discard many entries",
		Description: "Discards the entries that are selected, and counts them. The answer bears a cursor where entries are left. A plan's until is used as for a retry.",
	}, h.discardQuarantine)
}

// decide registers an operation that decides about the quarantine.
func decide[I, O any](h *handler, d *document, op huma.Operation, answer operation[I, O]) {
	op.Method, op.Tags = http.MethodPost, []string{tagQuarantine}
	add(h, d, op, answer.bounded(decideWithin))
}

func (h *handler) retryQuarantineEntry(ctx context.Context, in *retryInput) (*retryOutput, error) {
	id, err := domain.ParseQuarantineID(in.ID)
	if err != nil {
		return nil, invalid("path.id", err.Error())
	}
	ruling := domain.Ruling{By: asking(ctx), Reason: in.Body.Reason, Trust: in.Body.Trust}
	retried, err := h.config.Quarantine.Retry(ctx, id, domain.Retry{Ruling: ruling, Plan: in.Body.Plan})
	if err != nil {
		return nil, notFound(unjustified(err), errNoEntry)
	}
	return &retryOutput{Body: describeRetried(retried)}, nil
}

func (h *handler) discardQuarantineEntry(ctx context.Context, in *discardInput) (*discardOutput, error) {
	e, err := h.quarantineEntry(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Body.Plan {
		return &discardOutput{Body: Discarded{QuarantineEntry: quarantineEntry(e)}}, nil
	}
	before := decision(e.Decision)
	ruling := domain.Ruling{By: asking(ctx), Reason: in.Body.Reason}
	discarded, err := h.config.Quarantine.Discard(ctx, []domain.QuarantineMark{e.Mark()}, ruling)
	switch {
	case err != nil:
		return nil, unjustified(err)
	case discarded == 0:
		return nil, errReleased
	}
	e, err = h.quarantineEntry(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &discardOutput{Body: Discarded{quarantineEntry(e), before}}, nil
}

// retryQuarantine tries entry after entry, as many as the time allows. What is
// done is done: it is not undone by what comes after.
func (h *handler) retryQuarantine(ctx context.Context, in *retryAllInput) (*bulkOutput, error) {
	if in.Body.Trust && in.Body.Source == "" {
		return nil, invalid("body.source", "is needed with trust: nobody can vouch for every sender at once")
	}
	query, err := h.selected(ctx, in.Body.QuarantineSelection)
	if err != nil {
		return nil, err
	}
	page, err := h.config.Quarantine.List(ctx, query)
	if err != nil {
		return nil, misnamed(err, "body")
	}
	how := domain.Retry{
		Ruling: domain.Ruling{By: asking(ctx), Reason: in.Body.Reason, Trust: in.Body.Trust},
		Plan:   in.Body.Plan,
	}
	bulk := newBulk(in.Body.Plan, query, page)
	for _, e := range page.Entries {
		retried, err := h.config.Quarantine.Retry(ctx, e.ID, how)
		switch {
		case errors.Is(err, domain.ErrNotFound): // forgotten meanwhile
			retried.Result = domain.RetryGone
		case err != nil && ctx.Err() != nil && bulk.Entries > 0:
			bulk.NextCursor = new(quarantineCursor(query, page.Entries[:bulk.Entries]))
			return &bulkOutput{Body: bulk}, nil
		case err != nil:
			return nil, unjustified(err)
		}
		bulk.count(string(retried.Result), 1)
		bulk.stays(retried)
	}
	return &bulkOutput{Body: bulk}, nil
}

func (h *handler) discardQuarantine(ctx context.Context, in *discardAllInput) (*bulkOutput, error) {
	query, err := h.selected(ctx, in.Body.QuarantineSelection)
	if err != nil {
		return nil, err
	}
	page, err := h.config.Quarantine.List(ctx, query)
	if err != nil {
		return nil, misnamed(err, "body")
	}
	bulk := newBulk(in.Body.Plan, query, page)
	discarded := len(page.Entries)
	if !bulk.Plan && discarded > 0 {
		ruling := domain.Ruling{By: asking(ctx), Reason: in.Body.Reason}
		marks := each(page.Entries, (*domain.QuarantineEntry).Mark)
		if discarded, err = h.config.Quarantine.Discard(ctx, marks, ruling); err != nil {
			return nil, unjustified(err)
		}
	}
	bulk.count(string(domain.Discarded), discarded)
	return &bulkOutput{Body: bulk}, nil
}

func newBulk(plan bool, query domain.QuarantineQuery, page *domain.QuarantinePage) Bulk {
	until := sealCursor(quarantineScope(query), query.Until.Rejected, query.Until.Webhook)
	bulk := Bulk{Plan: plan, Until: until, Results: []ResultCount{}, Staying: []StayCount{}}
	if page.More {
		bulk.NextCursor = new(quarantineCursor(query, page.Entries))
	}
	return bulk
}

// count adds entries of one result.
func (b *Bulk) count(result string, entries int) {
	if entries == 0 {
		return
	}
	b.Entries += entries
	i, known := slices.BinarySearchFunc(b.Results, result, func(c ResultCount, result string) int {
		return cmp.Compare(c.Result, result)
	})
	if !known {
		b.Results = slices.Insert(b.Results, i, ResultCount{Result: result})
	}
	b.Results[i].Count += entries
}

// stays adds an entry that can be done something about.
func (b *Bulk) stays(r domain.Retried) {
	hint := retryHint(r)
	if hint == "" {
		return
	}
	why := StayCount{Result: string(r.Result), Cause: r.Cause, Hint: hint}
	i, known := slices.BinarySearchFunc(b.Staying, why, func(a, b StayCount) int {
		return cmp.Or(cmp.Compare(a.Result, b.Result), cmp.Compare(a.Cause, b.Cause))
	})
	if !known {
		b.Staying = slices.Insert(b.Staying, i, why)
	}
	b.Staying[i].Count++
}

// asking tells who asks, as far as a decision records it.
func asking(ctx context.Context) string {
	bearer := bearerOf(ctx)
	if print := bearer.Fingerprint(); print != "" {
		return "token-" + print
	}
	return bearer.Name
}

// unjustified gives the problem of a missing reason for domain.ErrReason, and any
// other error as it is.
func unjustified(err error) error {
	if errors.Is(err, domain.ErrReason) {
		return invalid("body.reason", domain.ErrReason.Error())
	}
	return err
}

func describeRetried(r domain.Retried) Retried {
	described := Retried{
		ID:             r.ID.String(),
		Result:         r.Result,
		Cause:          orNull(r.Cause),
		Where:          orNull(r.Where),
		StreamSequence: orNull(r.StreamSequence),
		Duplicate:      r.Duplicate,
		Event:          orNull(r.Event),
		OrderKey:       orNull(r.OrderKey),
		Hint:           orNull(retryHint(r)),
	}
	if r.StreamSequence > 0 {
		described.Webhook = new(webhookPath(r.StreamSequence))
	}
	return described
}
