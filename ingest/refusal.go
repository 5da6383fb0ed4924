package ingest

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
)

var (
	errUnknownPath   = errors.New("unknown path")
	errUnknownSource = errors.New("unknown source")
	errNotPost       = errors.New("not POST")
	errNotGet        = errors.New("not GET")
	errEncoded       = errors.New("the body has a content encoding")
	errBusy          = errors.New("too much is in flight")
	errTooLarge      = errors.New("the body is over the limit")
	errTooSlow       = errors.New("the body came too slowly")
	errIncomplete    = errors.New("the body broke off")
	errOverRate      = errors.New("over the source's rate")
)

// refusal is what the sender is told, and what else follows, when a request is
// not taken. All of it is fixed text: nothing of a request is ever echoed.
type refusal struct {
	err    error // matched with errors.Is
	status int
	code   string // for programs: in the answer, in metrics and in logs
	title  string
	detail string
	header header // one that belongs to the status
	kept   bool   // in the stream of rejected requests, with the code as the reason
}

type header struct{ name, value string }

// refusals holds every refusal once; the first row that matches counts.
var refusals = []refusal{
	{
		err: errUnknownPath, status: http.StatusNotFound, code: "unknown-path",
		title:  "Nothing is here",
		detail: "Webhooks go to POST /webhooks/{source}.",
	}, {
		err: errUnknownSource, status: http.StatusNotFound, code: "unknown-source",
		title:  "Unknown source",
		detail: "No source of this name is configured.",
	}, {
		err: errNotPost, status: http.StatusMethodNotAllowed, code: "method-not-allowed",
		title:  "Method not allowed",
		detail: "This is an endpoint for webhooks: send them with POST.",
		header: header{"Allow", "POST"},
	}, {
		err: errNotGet, status: http.StatusMethodNotAllowed, code: "method-not-allowed",
		title:  "Method not allowed",
		detail: "Health is read with GET.",
		header: header{"Allow", "GET, HEAD"},
	}, {
		err: errEncoded, status: http.StatusUnsupportedMediaType, code: "content-encoding",
		title:  "Content encoding not accepted",
		detail: "Send the body as it is, without compression.",
		header: header{"Accept-Encoding", "identity"},
	}, {
		err: errBusy, status: http.StatusServiceUnavailable, code: "busy",
		title:  "Too many webhooks at once",
		detail: "As many webhooks as fit are being taken. Send this one again.",
		header: header{"Retry-After", "1"},
	}, {
		err: errTooLarge, status: http.StatusRequestEntityTooLarge, code: "body-too-large",
		title:  "Body too large",
		detail: "The body is over the limit for webhooks.",
	}, {
		err: errTooSlow, status: http.StatusRequestTimeout, code: "body-too-slow",
		title:  "Body too slow",
		detail: "The body did not arrive in time. Send it again.",
	}, {
		err: errIncomplete, status: http.StatusBadRequest, code: "body-incomplete",
		title:  "Body incomplete",
		detail: "The body broke off before its end. Send it again.",
	}, {
		err: provider.ErrCredentialMissing, status: http.StatusUnauthorized, code: eventlog.ReasonCredentialMissing, kept: true,
		title:  "Not authentic",
		detail: "The signature, token or timestamp is missing.",
	}, {
		err: provider.ErrCredentialRepeated, status: http.StatusUnauthorized, code: eventlog.ReasonCredentialRepeated, kept: true,
		title:  "Not authentic",
		detail: "A signature header is repeated.",
	}, {
		err: provider.ErrCredentialUnfit, status: http.StatusUnauthorized, code: eventlog.ReasonCredentialUnfit, kept: true,
		title:  "Not authentic",
		detail: "The signature, token or timestamp has a form that this provider does not send.",
	}, {
		err: provider.ErrTimestampTooOld, status: http.StatusUnauthorized, code: eventlog.ReasonTimestampTooOld, kept: true,
		title:  "Not authentic",
		detail: "The signed timestamp is more than 5 minutes old. Check the sender's clock.",
	}, {
		err: provider.ErrTimestampTooNew, status: http.StatusUnauthorized, code: eventlog.ReasonTimestampTooNew, kept: true,
		title:  "Not authentic",
		detail: "The signed timestamp is more than 5 minutes ahead. Check the sender's clock.",
	}, {
		err: provider.ErrUnauthentic, status: http.StatusUnauthorized, code: eventlog.ReasonCredentialWrong, kept: true,
		title:  "Not authentic",
		detail: "The signature or token matches no active secret of this source.",
	}, {
		err: errOverRate, status: http.StatusTooManyRequests, code: "rate-limited",
		title:  "Over the rate limit",
		detail: "This source sends more webhooks a second than it may. Send this one again.",
		header: header{"Retry-After", "1"}, // rates are at least 1 a second
	}, {
		err: provider.ErrNotJSON, status: http.StatusBadRequest, code: eventlog.ReasonNotJSON, kept: true,
		title:  "Not JSON",
		detail: "The body is not JSON.",
	}, {
		err: provider.ErrNotObject, status: http.StatusBadRequest, code: eventlog.ReasonNotObject, kept: true,
		title:  "Not a JSON object",
		detail: "The body is JSON but not an object.",
	}, {
		err: eventlog.ErrFull, status: http.StatusServiceUnavailable, code: "stream-full",
		title:  "The stream is full",
		detail: "The webhook was not stored. Send it again later.",
		header: header{"Retry-After", "60"}, // an operator has to make room
	},
}

// unavailable is the refusal for every other error. Those are ours, so whether
// the webhook was stored is not known and the sender is asked for it again.
var unavailable = refusal{
	status: http.StatusServiceUnavailable, code: "stream-unavailable",
	title:  "The stream cannot take webhooks now",
	detail: "The webhook may not have been stored. Send it again.",
	header: header{"Retry-After", "5"},
}

func refusalOf(err error) refusal {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r
		}
	}
	return unavailable
}

// ProblemType is what one code of the receiver's answers means.
type ProblemType struct {
	Code   string
	Status int
	// Title says what it is, and Detail what happened and what can be done.
	Title, Detail string
}

// ProblemTypes gives what each code means that a refused request is answered with,
// the first meaning of a code that has several.
func ProblemTypes() (types []ProblemType) {
	for _, r := range append(slices.Clone(refusals), unavailable) {
		if !slices.ContainsFunc(types, func(t ProblemType) bool { return t.Code == r.code }) {
			types = append(types, ProblemType{Code: r.code, Status: r.status, Title: r.title, Detail: r.detail})
		}
	}
	return types
}

// Reason gives the reason for which a request is kept among the rejected ones,
// for an error of a provider's Verify or Identify; empty for any other error.
func Reason(err error) string {
	if refused := refusalOf(err); refused.kept {
		return refused.code
	}
	return ""
}

// ours tells whether the cause is on this side.
func (r refusal) ours() bool { return r.status >= http.StatusInternalServerError }

// challenge goes with every 401, which has to name a scheme (RFC 9110, 15.5.2):
// how a provider signs its webhooks has no registered name.
const challenge = "Webhook"

// problem is the RFC 9457 form of a refusal. Its type leads nowhere, since the
// public side explains nothing: the code says which problem it is.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

func (r refusal) answer(w http.ResponseWriter) {
	if r.header.name != "" {
		w.Header().Set(r.header.name, r.header.value)
	}
	if r.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	answerJSON(w, r.status, "application/problem+json", problem{
		Type:   "about:blank",
		Title:  r.title,
		Status: r.status,
		Detail: r.detail,
		Code:   r.code,
	})
}

// secured are the headers that keep a browser from making anything of an answer. No
// page has a reason to come here.
var secured = http.Header{
	"X-Content-Type-Options":       {"nosniff"},
	"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
	"Referrer-Policy":              {"no-referrer"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Cache-Control":                {"no-store"},
}

func answerJSON(w http.ResponseWriter, status int, contentType string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // the values are our own structs of strings and numbers
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(text) // a sender who has gone cannot be told
}
