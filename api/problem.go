package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/ticketrail/ticketrail/domain"
)

// problemsPath is where the types of problems are explained.
const problemsPath = "/problems/"

// Problem is the body of every answer that is not a success: problem details
// (RFC 9457). As an error it is answered as it is.
type Problem struct {
	Type   string             `json:"type" format:"uri-reference" example:"/problems/order-not-found" doc:"Where the problem is explained."`
	Title  string             `json:"title" example:"No such order" doc:"The problem in a few words, always the same for one code."`
	Status int                `json:"status" example:"404" doc:"The HTTP status."`
	Code   string             `json:"code" example:"order-not-found" doc:"The problem's name, for programs."`
	Detail string             `json:"detail" example:"The source has no order with this key." doc:"What happened, and what can be done."`
	Hint   string             `json:"hint,omitempty" example:"restore the stream from its newest backup" doc:"What an operator can do, where somebody must act."`
	Errors []ParameterProblem `json:"errors,omitempty" doc:"The parameters that cannot be used." nullable:"false"`
}

// ParameterProblem is what is wrong with one parameter of a request.
type ParameterProblem struct {
	Parameter string `json:"parameter" example:"query.limit" doc:"Where it is: query, path or header, and its name."`
	Message   string `json:"message" example:"expected number <= 200" doc:"What is wrong with it."`
}

// The errors of the API itself. Each has its line in the table of failures.
var (
	errParameter       = errors.New("a parameter cannot be used")
	errCursor          = errors.New("the cursor is not of this list")
	errUnauthorized    = errors.New("the token is missing or wrong")
	errForbidden       = errors.New("the token lacks the scope")
	errCrossSite       = errors.New("the request comes from another site's page")
	errNoTokens        = errors.New("the tokens cannot be read")
	errNoAudit         = errors.New("the audit log cannot be written")
	errForeignHost     = errors.New("the request is to a name that is not this machine's")
	errMethod          = errors.New("the method is not allowed")
	errNotJSON         = errors.New("the content type is not JSON")
	errKeyInUse        = errors.New("the request of this idempotency key goes on")
	errKeyReused       = errors.New("the idempotency key is another request's")
	errNoPath          = errors.New("no such path")
	errNoOrder         = errors.New("no such order")
	errNoSource        = errors.New("no such source")
	errNoProof         = errors.New("no such proof of delivery")
	errNoWebhook       = errors.New("no such webhook")
	errProofErased     = errors.New("the bytes of the proof were erased")
	errWebhookErased   = errors.New("the body of the webhook was erased")
	errNoProblem       = errors.New("no such problem")
	errNoRebuild       = errors.New("no such rebuild")
	errNoEntry         = errors.New("no such quarantine entry")
	errReleased        = errors.New("the entry was released")
	errNoSnapshot      = errors.New("no such snapshot")
	errNoArrivals      = errors.New("ingest is another process")
	errBusy            = errors.New("too many bodies are being read")
	errManyFollowers   = errors.New("too many follow the changes")
	errBehind          = errors.New("the read model is behind")
	errSnapshotDamaged = errors.New("the snapshot is damaged")
	errIncomplete      = errors.New("the read model is being made")
	errNotReady        = errors.New("not ready")
	errNoStream        = domain.ErrNoStream
	errDefect          = errors.New("internal defect")
)

const codeIncomplete = "read-model-incomplete"

// failure is what an error means to a client.
type failure struct {
	err                 error
	status              int
	code, title, detail string
}

// failures is the one table from error to answer. The first line that matches
// counts; an error without one is a defect of ours.
var failures = []failure{
	{errParameter, http.StatusBadRequest, "invalid-parameter", "A parameter cannot be used",
		"The errors name the parameters and what is wrong with them."},
	{errCursor, http.StatusBadRequest, "invalid-cursor", "The cursor is not of this list",
		"A cursor is used as it was given, with the same filters and the same sort. Start again without one."},
	{errUnauthorized, http.StatusUnauthorized, "unauthorized", "The token is missing or wrong",
		"Send a token of the API as Authorization: Bearer <token>. One that has expired is no token any more."},
	{errForbidden, http.StatusForbidden, "forbidden", "The token lacks the scope",
		"What changes something needs the scope admin, what a sender sent needs raw, and the rest read, which leaves out what is personal."},
	{errCrossSite, http.StatusForbidden, "cross-site", "The request comes from another site",
		"A page of another site cannot change anything here."},
	{errNoTokens, http.StatusServiceUnavailable, "tokens-unreadable", "The tokens cannot be read",
		"Nobody is let in until the file of the tokens can be read again. The log has the cause."},
	{errNoAudit, http.StatusServiceUnavailable, "audit-unwritable", "The audit log cannot be written",
		"Nothing was done, for what cannot be recorded is not done. The log has the cause; most often the disk of the data folder is full."},
	{errForeignHost, http.StatusMisdirectedRequest, "foreign-host", "The request is to another name",
		"Without a token the API answers to localhost, 127.0.0.1 and [::1] only. Use one of them, or make a token: ticketrail token create."},
	{errMethod, http.StatusMethodNotAllowed, "method-not-allowed", "The method is not allowed",
		"The Allow header names the methods of this path."},
	{errNotJSON, http.StatusUnsupportedMediaType, "not-json", "The content type is not JSON",
		"What changes something is sent with Content-Type: application/json, a request without a body too."},
	{errKeyInUse, http.StatusConflict, "idempotency-key-in-use", "The request of this key goes on",
		"A request with this Idempotency-Key is being answered. Send it again when that has ended."},
	{errKeyReused, http.StatusUnprocessableEntity, "idempotency-key-reused", "The key is another request's",
		"This Idempotency-Key was sent with another request within a day. Make a key for each act, and send it again with that act alone."},
	{errNoPath, http.StatusNotFound, "path-not-found", "No such path",
		"The paths are in /openapi.json. Within one, a key is percent-escaped."},
	{errNoOrder, http.StatusNotFound, "order-not-found", "No such order",
		"The source has no order with this key. Its webhook may not be applied yet: where it can be given, min_stream_sequence waits for it."},
	{errNoSource, http.StatusNotFound, "source-not-found", "No such source",
		"No source of this name is configured, and no order bears it. GET /v1/sources lists the sources."},
	{domain.ErrForgotten, http.StatusGone, "webhooks-forgotten", "Webhooks of the order are gone",
		"The stream no longer holds every webhook of the order, so it cannot be folded again."},
	{domain.ErrOrderAlone, http.StatusConflict, "order-not-rebuilt-alone", "The order cannot be rebuilt alone",
		"Its timeline lacks webhooks, or another version of the projection built the read model. POST /v1/rebuilds rebuilds every order."},
	{errNoProof, http.StatusNotFound, "proof-not-found", "No such proof of delivery",
		"The order has no proof with this id. The order lists the proofs that it has."},
	{errNoWebhook, http.StatusNotFound, "webhook-not-found", "No such webhook",
		"The stream holds no webhook at this stream sequence."},
	{errProofErased, http.StatusGone, "proof-erased", "The proof was erased",
		"What is personal of the order was erased, and with it the bytes of its proofs of delivery."},
	{errWebhookErased, http.StatusGone, "webhook-erased", "The webhook was erased",
		"What is personal of its order was erased, and with it the body of this webhook. The explanation of the order tells what it said, without that."},
	{errNoProblem, http.StatusNotFound, "problem-not-found", "No such problem",
		"No answer bears this code."},
	{errNoRebuild, http.StatusNotFound, "rebuild-not-found", "No such rebuild",
		"GET /v1/rebuilds lists the rebuilds that there were."},
	{errNoSnapshot, http.StatusNotFound, "no-snapshot", "No such snapshot",
		"No snapshot of this moment is kept. POST /v1/rebuilds with until makes one."},
	{ErrElsewhere, http.StatusNotImplemented, "projector-elsewhere", "The projector is another process",
		"Orders are read, and rebuilds made, where a projector runs. Orders are erased, and what is set aside is decided about, where ticketrail project or ticketrail serve does."},
	{ErrRebuildGoesOn, http.StatusConflict, "rebuild-goes-on", "A rebuild goes on",
		"One rebuild or rollback goes on at a time. Wait for it, or cancel it: GET /v1/rebuilds lists it."},
	{ErrNotErasable, http.StatusConflict, "not-erasable", "The stream lets nothing be deleted",
		"An older program made it. Where the broker is inside, ticketrail restore makes it anew from the archive, with the same stream sequences."},
	{ErrNoRoom, http.StatusServiceUnavailable, "no-room", "There is no room for the tombstone",
		"An erasure adds to the stream before it takes anything away. Free space on its disk, or raise stream.max_bytes and restart; then erase again."},
	{ErrNoPrevious, http.StatusConflict, "no-previous", "There is no previous read model",
		"A rollback goes back to the read model that was in use before the last switch. There was none, or an erasure has removed it with what it held."},
	{ErrPreviousVersion, http.StatusConflict, "previous-version", "The previous read model is of another version",
		"Another version of the projection built it, and that version alone can go on with it."},
	{errNoEntry, http.StatusNotFound, "quarantine-entry-not-found", "No such entry",
		"The quarantine holds no entry with this id. Rejected requests are kept for a while only."},
	{errReleased, http.StatusConflict, "quarantine-entry-released", "The entry was released",
		"It is a webhook by now: GET the entry for its place in the stream."},
	{errNoQuarantine, http.StatusNotImplemented, "quarantine-elsewhere", "The quarantine is another process's",
		"The quarantine is told of where the stream can be read."},
	{errNoArrivals, http.StatusNotImplemented, "ingest-elsewhere", "Ingest is another process",
		"What comes in is told where webhooks are taken."},
	{errBusy, http.StatusServiceUnavailable, "busy", "Too much is being read at once",
		"As many webhooks and proofs as fit are being read, or as many listen as may. Try again."},
	{errManyFollowers, http.StatusServiceUnavailable, "too-many-followers", "Too many follow the changes",
		"As many clients as may follow the changes of orders do. Try again, or close one that nobody looks at."},
	{errBehind, http.StatusServiceUnavailable, "read-model-behind", "The read model is behind",
		"The stream sequence asked for was not applied in time. Try again, or see /v1/projection."},
	{errIncomplete, http.StatusServiceUnavailable, codeIncomplete, "The read model is being made",
		"It is made from the beginning of the stream, and would deny orders that there are. Try again."},
	{errNotReady, http.StatusServiceUnavailable, "not-ready", "Not ready",
		"The read model cannot be read now."},
	{errSnapshotDamaged, http.StatusServiceUnavailable, "snapshot-damaged", "The snapshot is damaged",
		"A part of its file is not what was written, and is not served. DELETE its rebuild, and POST /v1/rebuilds with the same until makes it anew."},
	{domain.ErrDamaged, http.StatusServiceUnavailable, "read-model-damaged", "The read model is damaged",
		"A part of its file is not what was written, and is not served. ticketrail rebuild --accept makes it anew; so does a restart, where it begins with that part."},
	{errNoStream, http.StatusServiceUnavailable, "stream-unavailable", "The stream cannot be read",
		"The stream that holds the webhooks does not answer now. Try again."},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "too-slow", "The read took too long",
		"Try again, or ask for less: a smaller page or a narrower filter."},
	{context.Canceled, http.StatusServiceUnavailable, "interrupted", "The read was interrupted",
		"Try again."},
	{errDefect, http.StatusInternalServerError, "internal-defect", "A defect of ticketrail",
		"The log has the cause."},
}

// problemOf gives the problem that an error is answered with.
func problemOf(err error) *Problem {
	var problem *Problem
	if errors.As(err, &problem) {
		return problem
	}
	for _, f := range failures {
		if errors.Is(err, f.err) {
			return f.problem()
		}
	}
	return problemOf(errDefect)
}

func (f failure) problem() *Problem {
	return &Problem{Type: problemsPath + f.code, Title: f.title, Status: f.status, Code: f.code, Detail: f.detail}
}

// invalid gives the problem of one parameter, such as "query.state".
func invalid(parameter, message string) *Problem {
	problem := problemOf(errParameter)
	problem.Errors = []ParameterProblem{{Parameter: parameter, Message: message}}
	return problem
}

// forbidden gives the problem of a token that lacks a scope.
func forbidden(scope Scope) *Problem {
	problem := problemOf(errForbidden)
	problem.Detail = "This needs a token with the scope " + scope.String() + "."
	return problem
}

// Error gives the title.
func (p *Problem) Error() string { return p.Title }

// GetStatus gives the HTTP status, which huma answers with.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType gives the media type of problem details.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders gives the headers that belong to the problem: when to try again,
// and how to say who one is.
func (p *Problem) GetHeaders() http.Header {
	header := http.Header{}
	switch p.Status {
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", "1")
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Bearer")
	}
	return header
}

// writeProblem answers with a problem where huma has no part in it. An error of
// writing means that nobody reads any more.
func writeProblem(w http.ResponseWriter, p *Problem) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
