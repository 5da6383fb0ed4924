package api

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ticketrail/ticketrail/domain"
)

const quarantinePath = "/v1/quarantine"

// Quarantine is what was set aside: requests that were rejected, and webhooks that
// could not be translated. It must be safe for concurrent use.
type Quarantine interface {
	// List gives a page of the entries that nobody released, or returns a
	// *domain.UnknownName for a filter that can select nothing.
	List(ctx context.Context, q domain.QuarantineQuery) (*domain.QuarantinePage, error)
	// Groups counts the open entries by kind, source and cause, or returns what List
	// does.
	Groups(ctx context.Context, f domain.QuarantineFilter) ([]domain.QuarantineGroup, error)
	// End gives the position of the last entry that there is now.
	End(ctx context.Context) (*domain.QuarantinePosition, error)
	// Releases gives what tells of a webhook the decision that released it; nil for
	// one that was never set aside.
	Releases(ctx context.Context) (func(*domain.Webhook) *domain.Decision, error)
	// Entry gives one entry with its bytes, or domain.ErrNotFound.
	Entry(ctx context.Context, id domain.QuarantineID) (*domain.QuarantineEntry, error)
	// Retry tries one entry again, or returns domain.ErrNotFound, or
	// domain.ErrReason where a reason is needed.
	Retry(ctx context.Context, id domain.QuarantineID, how domain.Retry) (domain.Retried, error)
	// Discard hides entries, and tells how many of them were not released before.
	Discard(ctx context.Context, marks []domain.QuarantineMark, r domain.Ruling) (int, error)
}

// QuarantineList is a page of what was set aside.
type QuarantineList struct {
	Entries       []QuarantineEntry `json:"entries" nullable:"false" doc:"What came first, before the others."`
	NextCursor    *string           `json:"next_cursor" doc:"The cursor of the next page; null on the last."`
	RejectedSince *domain.Instant   `json:"rejected_since" format:"date-time" doc:"The list is complete from then on: rejected requests are kept for a while only, and older ones are gone. Null where none is gone. Of a flood of rejected requests a part is kept."`
}

// QuarantineEntry is a request or a webhook that was set aside.
type QuarantineEntry struct {
	ID         string                `json:"id" example:"w-6" doc:"r- and a number for a rejected request, w- and its stream sequence for a webhook."`
	Kind       domain.QuarantineKind `json:"kind" enum:"rejected,untranslatable" doc:"A request that was rejected, or a webhook that could not be translated."`
	Source     string                `json:"source" example:"runa" doc:"The source that it came to."`
	Provider   *string               `json:"provider" example:"runa" doc:"The source's provider, then."`
	Event      *string               `json:"event" example:"other" doc:"The event of a webhook: the provider's published one, or other."`
	Cause      string                `json:"cause" example:"order-key-missing" doc:"Why it was set aside."`
	Where      *string               `json:"where" example:"/data/orderId" doc:"A JSON pointer to the place in a webhook; null for the whole body."`
	ReceivedAt domain.Instant        `json:"received_at" format:"date-time" doc:"When it came."`
	Size       *int                  `json:"size" example:"412" doc:"Of the body, in bytes; null where the stream has forgotten it."`
	Erased     bool                  `json:"erased" doc:"Whether its body was erased with what is personal of its order: then nothing is left to do."`
	Headers    []Header              `json:"headers" nullable:"false" doc:"Those of a rejected request that are kept. No secret is."`
	Webhook    *string               `json:"webhook" format:"uri-reference" example:"/v1/webhooks/6" doc:"Where the raw webhook is, also that of a request that was released."`
	Decision   *Decision             `json:"decision" doc:"What was decided about it; null where nothing was."`
}

// Header is one value of a request's header.
type Header struct {
	Name  string `json:"name" example:"Svix-Id" doc:"The header's name."`
	Value string `json:"value" example:"msg_2f" doc:"One value of it, as the sender wrote it."`
}

// Decision is what an operator decided about an entry.
type Decision struct {
	_              struct{}       `nullable:"true"`
	Verdict        domain.Verdict `json:"verdict" enum:"released,discarded" doc:"Whether it became a webhook, or is of no use."`
	By             string         `json:"by" example:"token-1f0c9a2b" doc:"The fingerprint of the token that was used, or local."`
	Reason         *string        `json:"reason" doc:"Why, in the operator's words."`
	Trusted        bool           `json:"trusted" doc:"Whether it was released on the operator's word, without being verified."`
	At             domain.Instant `json:"at" format:"date-time" doc:"When."`
	StreamSequence *uint64        `json:"stream_sequence" example:"913" doc:"Where it is in the stream since it was released."`
}

// QuarantineDetail is an entry with its bytes. At most one of Body and BodyBase64
// is not null.
type QuarantineDetail struct {
	QuarantineEntry
	Body       *string `json:"body" doc:"The body as text; null where it is not UTF-8, gone or erased."`
	BodyBase64 *string `json:"body_base64" encoding:"base64" doc:"The body in base64; null where it is UTF-8, gone or erased."`
	Hint       *string `json:"hint" doc:"What can be done about it, by today's secrets and today's program; null where it was released."`
}

// QuarantineCauses counts what was set aside.
type QuarantineCauses struct {
	Causes []QuarantineCause `json:"causes" nullable:"false" doc:"The most frequent first."`
}

// QuarantineCause counts the open entries of one kind, source and cause.
type QuarantineCause struct {
	Kind   domain.QuarantineKind `json:"kind" enum:"rejected,untranslatable" doc:"Requests that were rejected, or webhooks that could not be translated."`
	Source string                `json:"source" example:"runa" doc:"The source that they came to."`
	Cause  string                `json:"cause" example:"order-key-missing" doc:"Why they were set aside."`
	Count  uint64                `json:"count" example:"57" doc:"How many there are."`
	First  domain.Instant        `json:"first" format:"date-time" doc:"When the first of them came."`
	Last   domain.Instant        `json:"last" format:"date-time" doc:"When the last of them came."`
	Hint   string                `json:"hint" doc:"What can be done about them."`
}

// QuarantineFilter narrows a question about the quarantine.
type QuarantineFilter struct {
	Kind   string `query:"kind" enum:"rejected,untranslatable" example:"untranslatable" doc:"Only requests that were rejected, or only webhooks that could not be translated."`
	Source string `query:"source" maxLength:"64" example:"runa" doc:"Only what came to this source."`
	Cause  string `query:"cause" maxLength:"64" example:"order-key-missing" doc:"Only what was set aside for this cause."`
}

func (f QuarantineFilter) filter() domain.QuarantineFilter {
	return domain.QuarantineFilter{Kind: domain.QuarantineKind(f.Kind), Source: f.Source, Cause: f.Cause}
}

type (
	quarantineInput struct {
		AtLeast
		Page
		QuarantineFilter
		Discarded bool `query:"discarded" example:"true" doc:"Give those, too, that were discarded."`
	}
	quarantineCausesInput struct {
		AtLeast
		QuarantineFilter
	}
	quarantineEntryInput struct {
		ID     string `path:"id" maxLength:"32" example:"w-6" doc:"The id of the entry."`
		Raw    bool   `query:"raw" example:"true" doc:"Give the body alone, byte for byte, as an attachment."`
		Accept string `header:"Accept" doc:"application/octet-stream does as raw=true does."`
	}
	quarantineOutput struct {
		Next
		Body QuarantineList
	}
	quarantineCausesOutput struct{ Body QuarantineCauses }
)

func (h *handler) routeQuarantine(d *document) {
	read(h, d, huma.Operation{
		OperationID: "list-quarantine",
		Path:        quarantinePath,
		Tags:        []string{tagQuarantine},
		Summary:     "List what was set aside",
		Description: "Gives the requests that were rejected and the webhooks that could not be translated, and why. They block nothing. " +
			"What was released is not among them, and what was discarded only if asked for.",
	}, h.listQuarantine)
	read(h, d, huma.Operation{
		OperationID: "group-quarantine",
		Path:        quarantinePath + "/causes",
		Tags:        []string{tagQuarantine},
		Summary:     "Count what was set aside by its cause",
		Description: "Gives for each kind, source and cause how many entries are open, and when the first and the last of them came.",
	}, h.groupQuarantine)
	register(h, d, huma.Operation{
		OperationID: "get-quarantine-entry",
		Path:        quarantinePath + "/{id}",
		Tags:        []string{tagQuarantine},
		Security:    needs(ScopeRaw),
		Summary:     "Get one entry with its bytes",
		Description: "Gives an entry, described in JSON or as its raw bytes, and what was decided about it. A request that was released is still there, as long as rejected requests are kept.",
		Responses:   jsonOrBytes(d, reflect.TypeFor[QuarantineDetail]()),
	}, within(h, h.getQuarantineEntry))
	h.routeDecisions(d)
}

func (h *handler) listQuarantine(ctx context.Context, in *quarantineInput) (*quarantineOutput, error) {
	query := domain.QuarantineQuery{QuarantineFilter: in.filter(), Discarded: in.Discarded, Limit: in.Limit}
	if err := openCursor(quarantineScope(query), in.Cursor, &query.After.Rejected, &query.After.Webhook); err != nil {
		return nil, err
	}
	page, err := h.config.Quarantine.List(ctx, query)
	if err != nil {
		return nil, misnamed(err, "query")
	}
	var next *string
	if page.More {
		next = new(quarantineCursor(query, page.Entries))
	}
	return &quarantineOutput{nextPage(ctx, next), QuarantineList{
		Entries:       each(page.Entries, quarantineEntry),
		NextCursor:    next,
		RejectedSince: orNull(page.RejectedSince),
	}}, nil
}

// quarantineCursor gives the cursor of what follows the entries, with the end of
// the query where it has one.
func quarantineCursor(query domain.QuarantineQuery, entries []*domain.QuarantineEntry) string {
	at := query.After
	for _, e := range entries {
		at = at.Pass(e.ID)
	}
	position := []uint64{at.Rejected, at.Webhook}
	if query.Until != nil {
		position = append(position, query.Until.Rejected, query.Until.Webhook)
	}
	return sealCursor(quarantineScope(query), position...)
}

func quarantineScope(q domain.QuarantineQuery) string {
	return fmt.Sprintf("quarantine %q %q %q %t", q.Kind, q.Source, q.Cause, q.Discarded)
}

func (h *handler) groupQuarantine(ctx context.Context, in *quarantineCausesInput) (*quarantineCausesOutput, error) {
	groups, err := h.config.Quarantine.Groups(ctx, in.filter())
	if err != nil {
		return nil, misnamed(err, "query")
	}
	return &quarantineCausesOutput{Body: QuarantineCauses{Causes: each(groups, func(g domain.QuarantineGroup) QuarantineCause {
		return QuarantineCause{Kind: g.Kind, Source: g.Source, Cause: g.Cause, Count: g.Count, First: g.First, Last: g.Last, Hint: causeHints[g.Cause]}
	})}}, nil
}

func (h *handler) getQuarantineEntry(ctx context.Context, in *quarantineEntryInput) (*webhookOutput, error) {
	e, err := h.quarantineEntry(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if wantsBytes(in.Raw, in.Accept) {
		switch {
		case e.Gone:
			return nil, errNoWebhook
		case e.Erased:
			return nil, errWebhookErased
		}
		return attachment("quarantine-"+e.ID.String(), e.Body), nil
	}
	// What can be done depends on today's secrets, not on why it was set aside.
	planned, err := h.config.Quarantine.Retry(ctx, e.ID, domain.Retry{Plan: true})
	if err != nil {
		return nil, notFound(err, errNoEntry)
	}
	detail := QuarantineDetail{QuarantineEntry: quarantineEntry(e), Hint: orNull(retryHint(planned))}
	if planned.Result == domain.RetryReleased {
		detail.Hint = new("It is authentic by now: retry it.")
	}
	switch {
	case e.Gone:
	case e.Erased:
		detail.Hint = nil
	case utf8.Valid(e.Body):
		detail.Body = new(string(e.Body))
	default:
		detail.BodyBase64 = new(base64.StdEncoding.EncodeToString(e.Body))
	}
	return &webhookOutput{ContentType: typeJSON, Vary: "Accept", Body: detail}, nil
}

// quarantineEntry gives the entry of an id from a path.
func (h *handler) quarantineEntry(ctx context.Context, text string) (*domain.QuarantineEntry, error) {
	id, err := domain.ParseQuarantineID(text)
	if err != nil {
		return nil, invalid("path.id", err.Error())
	}
	e, err := h.config.Quarantine.Entry(ctx, id)
	return e, notFound(err, errNoEntry)
}

func quarantineEntry(e *domain.QuarantineEntry) QuarantineEntry {
	described := QuarantineEntry{
		ID:         e.ID.String(),
		Kind:       e.ID.Kind,
		Source:     e.Source,
		Provider:   orNull(e.Provider),
		Event:      orNull(e.Event),
		Cause:      e.Cause,
		Where:      orNull(e.Where),
		ReceivedAt: e.ReceivedAt,
		Erased:     e.Erased,
		Headers:    []Header{},
		Decision:   decision(e.Decision),
	}
	for _, name := range slices.Sorted(maps.Keys(e.Header)) {
		for _, value := range e.Header[name] {
			described.Headers = append(described.Headers, Header{Name: name, Value: value})
		}
	}
	if !e.Gone {
		described.Size = &e.Size
	}
	switch {
	case e.ID.Kind == domain.UntranslatableWebhook:
		described.Webhook = new(webhookPath(e.ID.Sequence))
	case e.Decision != nil && e.Decision.StreamSequence > 0:
		described.Webhook = new(webhookPath(e.Decision.StreamSequence))
	}
	return described
}

func decision(d *domain.Decision) *Decision {
	if d == nil {
		return nil
	}
	return &Decision{
		Verdict:        d.Verdict,
		By:             d.By,
		Reason:         orNull(d.Reason),
		Trusted:        d.Trust,
		At:             d.At,
		StreamSequence: orNull(d.StreamSequence),
	}
}

// noQuarantine stands for the quarantine where this process does not know it.
type noQuarantine struct{}

var errNoQuarantine = errors.New("the quarantine is another process's")

func (noQuarantine) List(context.Context, domain.QuarantineQuery) (*domain.QuarantinePage, error) {
	return nil, errNoQuarantine
}

func (noQuarantine) Groups(context.Context, domain.QuarantineFilter) ([]domain.QuarantineGroup, error) {
	return nil, errNoQuarantine
}

func (noQuarantine) End(context.Context) (*domain.QuarantinePosition, error) {
	return nil, errNoQuarantine
}

func (noQuarantine) Releases(context.Context) (func(*domain.Webhook) *domain.Decision, error) {
	return nil, errNoQuarantine
}

func (noQuarantine) Entry(context.Context, domain.QuarantineID) (*domain.QuarantineEntry, error) {
	return nil, errNoQuarantine
}

func (noQuarantine) Retry(context.Context, domain.QuarantineID, domain.Retry) (domain.Retried, error) {
	return domain.Retried{}, errNoQuarantine
}

func (noQuarantine) Discard(context.Context, []domain.QuarantineMark, domain.Ruling) (int, error) {
	return 0, errNoQuarantine
}
