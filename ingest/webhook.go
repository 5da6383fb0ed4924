package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
)

// visit is one request to a webhook endpoint, as metrics and logs see it.
type visit struct {
	source *source
	at     time.Time
	size   int64 // of the body: as announced (-1 for unknown), then as read
	event  string
	span   trace.Span // nil where requests are not traced
}

func (h *Handler) serveWebhook(w http.ResponseWriter, r *http.Request, s *source) {
	v := &visit{source: s, at: h.config.Now(), size: r.ContentLength}
	h.begin(r, v)
	receipt, err := h.take(w, r, v)
	if err != nil {
		refused := refusalOf(err)
		h.count(v, refused.code, refused.status, 0)
		h.note(r.Context(), v, refused, err)
		refused.answer(w)
		return
	}
	h.count(v, outcomeOf(receipt), http.StatusOK, receipt.StreamSequence)
	answerReceipt(w, receipt)
}

// take is the whole way of a webhook, from the cheapest check to the dearest:
// what holds memory comes after what holds none, and the stream comes last.
func (h *Handler) take(w http.ResponseWriter, r *http.Request, v *visit) (receipt eventlog.Receipt, err error) {
	defer rescue(&err)
	s := v.source
	if err := s.precheck(r, h.config.MaxBody); err != nil {
		return receipt, err
	}
	request := &provider.Request{Header: r.Header, At: v.at}
	if r.URL.RawQuery != "" {
		request.Query = r.URL.Query()
	}
	if err := s.verifyHead(request); err != nil {
		h.keepStranger(w, r, v, request, err)
		return receipt, err
	}
	body := openBody(w, r, h.config.MaxBody, s.bodies)
	defer body.release()
	if request.Body, err = v.read(body); err != nil {
		return receipt, err
	}

	// A place is taken only now, so that slow senders cannot hold all of them.
	if !h.enter() {
		return receipt, errBusy
	}
	defer h.leave()
	identity, err := s.admit(w.Header(), request)
	if err != nil {
		if Reason(err) != "" && s.mayKeep(v.size) {
			h.keep(r.Context(), s, request, err)
		}
		return receipt, err
	}
	v.event = identity.Event
	webhook := s.Webhook(request, identity)
	defer h.sends(v, webhook)()
	return h.publish(webhook)
}

// rescue makes a panic an error of ours, so that the sender tries again. The panic's
// value may hold what a sender wrote: only its type is told, and the way to it.
func rescue(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("taking it panicked with a %T: %s", cause, debug.Stack())
	}
}

// keepStranger keeps a request that was refused for its head. That is the one
// reason to read its body, so no more of bodies is read and held than is kept.
func (h *Handler) keepStranger(w http.ResponseWriter, r *http.Request, v *visit, request *provider.Request, cause error) {
	s, size := v.source, r.ContentLength
	if size < 0 {
		size = keptShare // of unknown size, it is kept if it is small
	}
	if !s.mayKeep(size) {
		return
	}
	body := openBody(w, r, size, s.strangers)
	defer body.release()
	raw, err := v.read(body)
	if err != nil || !h.enter() {
		s.metrics.rejected[outcomeFailed].Inc()
		return
	}
	defer h.leave()
	request.Body = raw
	h.keep(r.Context(), s, request, cause)
}

func (v *visit) read(body *body) ([]byte, error) {
	raw, err := body.read()
	if err == nil {
		v.size = int64(len(raw))
		v.source.metrics.size.Observe(float64(v.size))
	}
	return raw, err
}

func (h *Handler) enter() bool {
	if !h.places.TryAcquire(1) {
		return false
	}
	h.metrics.inFlight.Inc()
	return true
}

func (h *Handler) leave() {
	h.metrics.inFlight.Dec()
	h.places.Release(1)
}

// publish outlives the request: a sender who hangs up must not leave it open whether the
// webhook was stored.
func (h *Handler) publish(w *domain.Webhook) (eventlog.Receipt, error) {
	ctx := h.patience.context()
	size := int64(len(w.Body))
	if err := h.appending.Acquire(ctx, size); err != nil {
		return eventlog.Receipt{}, errBusy
	}
	defer h.appending.Release(size)
	return h.log.Append(ctx, w)
}

// keep puts a refused request into the stream of rejected ones. Whatever comes
// of that, the sender's answer stays the same.
func (h *Handler) keep(ctx context.Context, s *source, r *provider.Request, cause error) {
	if err := h.log.Reject(h.patience.context(), s.rejection(r, Reason(cause))); err != nil {
		s.metrics.rejected[outcomeFailed].Inc()
		h.faults.line().LogAttrs(ctx, slog.LevelWarn, "rejected request not kept",
			slog.String("source", s.Name), slog.Any("error", err))
		return
	}
	s.metrics.rejected[outcomeKept].Inc()
}

// count counts a request once it is known what comes of it, and tells of it.
func (h *Handler) count(v *visit, outcome string, status int, streamSequence uint64) {
	took := h.config.Now().Sub(v.at)
	v.source.metrics.requests[outcome].Inc()
	v.source.metrics.duration.Observe(took.Seconds())
	v.end(outcome, status, streamSequence)
	h.config.Tell(domain.Arrival{
		At: domain.InstantOf(v.at), Source: v.source.Name, Event: v.event, Verdict: outcome, Status: status,
		StreamSequence: streamSequence, Size: v.size, Took: took,
	})
}

// note logs a refusal. The text of an error is logged only where the cause is on
// this side; what the sender did wrong is told by its code.
func (h *Handler) note(ctx context.Context, v *visit, refused refusal, err error) {
	facts := []slog.Attr{
		slog.String("source", v.source.Name),
		slog.String("reason", refused.code),
		slog.Int64("size", v.size),
	}
	if refused.ours() {
		h.faults.line().LogAttrs(ctx, slog.LevelWarn, "webhook not taken", append(facts, slog.Any("error", err))...)
		return
	}
	h.refused.line().LogAttrs(ctx, slog.LevelInfo, "webhook refused", facts...)
}

func outcomeOf(receipt eventlog.Receipt) string {
	if receipt.Duplicate {
		return domain.VerdictDuplicate
	}
	return domain.VerdictAccepted
}

// ofJSON is shared by all answers, since nobody changes the values of a header.
var ofJSON = []string{"application/json"}

func answerReceipt(w http.ResponseWriter, receipt eventlog.Receipt) {
	w.Header()["Content-Type"] = ofJSON
	text := append(make([]byte, 0, 64), `{"stream_sequence":`...)
	text = strconv.AppendUint(text, receipt.StreamSequence, 10)
	text = append(text, `,"duplicate":`...)
	text = strconv.AppendBool(text, receipt.Duplicate)
	_, _ = w.Write(append(text, '}')) // an error means that the sender has gone, and cannot be told
}
