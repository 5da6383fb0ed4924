package eventlog

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
)

// RejectedRequest is a rejected request as its stream holds it.
type RejectedRequest struct {
	Rejection
	// Sequence is its position in the stream of rejected requests, from 1.
	Sequence uint64
	// Size is that of the body in bytes, also where the body was not read.
	Size int
}

// RejectedRequest reads one rejected request, or returns domain.ErrNotFound for
// one that was never there or that the stream has forgotten.
func (l *Log) RejectedRequest(ctx context.Context, sequence uint64) (*RejectedRequest, error) {
	if sequence == 0 {
		return nil, domain.ErrNotFound
	}
	raw, err := l.rejected.GetMsg(ctx, sequence)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, domain.ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("read rejected request %d: %w", sequence, refusal(err))
	}
	request := l.rejectedRequest(storedRaw(raw))
	request.Body, request.Size = raw.Data, len(raw.Data)
	return request, nil
}

// RejectedRequests gives the rejected requests after a sequence, without their
// bodies, in order; those of one source or one reason, where these are not empty.
// It ends with the last one that was there when it began, or after an error.
func (l *Log) RejectedRequests(ctx context.Context, after uint64, source, reason string) iter.Seq2[*RejectedRequest, error] {
	return l.readRejected(ctx, backlog{js: l.js, stream: l.rejected, after: after, heads: true}, source, reason)
}

// RejectedWhole gives all rejected requests of a source as RejectedRequests does, with
// their bodies: for who looks into each of them.
func (l *Log) RejectedWhole(ctx context.Context, source string) iter.Seq2[*RejectedRequest, error] {
	return l.readRejected(ctx, backlog{js: l.js, stream: l.rejected}, source, "")
}

func (l *Log) readRejected(ctx context.Context, b backlog, source, reason string) iter.Seq2[*RejectedRequest, error] {
	return func(yield func(*RejectedRequest, error) bool) {
		var any bool
		if b.subject, any = rejectedSubject(source, reason); !any {
			return
		}
		for s, err := range b.read(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			request := l.rejectedRequest(s)
			if !b.heads {
				request.Body, request.Size = s.body, len(s.body)
			}
			if !yield(request, nil) {
				return
			}
		}
	}
}

// rejectedSubject gives the subject of a selection; any is false where a name
// cannot be in a subject, so that there is nothing to select.
func rejectedSubject(source, reason string) (subject string, any bool) {
	tokens := [...]string{source, reason}
	for i, token := range tokens {
		switch {
		case token == "":
			tokens[i] = "*"
		case !isToken(token):
			return "", false
		}
	}
	return rejectedRoot + ".*." + tokens[0] + "." + tokens[1], true
}

// RejectedSince tells since when the stream of rejected requests has forgotten
// none: the time of its oldest one, or of the last one that it forgot where it
// holds none. It is zero where it has never forgotten any.
func (l *Log) RejectedSince(ctx context.Context) (domain.Instant, error) {
	info, err := l.rejected.Info(ctx)
	switch {
	case err != nil:
		return domain.Instant{}, fmt.Errorf("ask for the stream of rejected requests: %w", refusal(err))
	case info.State.FirstSeq <= 1:
		return domain.Instant{}, nil
	case info.State.Msgs == 0:
		return domain.InstantOf(info.State.LastTime), nil
	}
	return domain.InstantOf(info.State.FirstTime), nil
}

// RejectedLast tells the sequence of the last rejected request that was kept; 0
// before any.
func (l *Log) RejectedLast(ctx context.Context) (uint64, error) {
	info, err := l.rejected.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask for the stream of rejected requests: %w", refusal(err))
	}
	return info.State.LastSeq, nil
}

// EraseRejected overwrites rejected requests, and deletes them. Those that are gone are
// passed over.
func (l *Log) EraseRejected(ctx context.Context, sequences []uint64) error {
	for _, sequence := range sequences {
		err := l.rejected.SecureDeleteMsg(ctx, sequence)
		if err == nil {
			continue
		}
		if _, gone := l.RejectedRequest(ctx, sequence); !errors.Is(gone, domain.ErrNotFound) {
			return fmt.Errorf("erase rejected request %d: %w", sequence, refusal(err))
		}
	}
	if l.embedded == nil || len(sequences) == 0 {
		return nil
	}
	return l.syncErased(RejectedStream)
}

// Release stores a webhook that was made of a rejected request, with its time of
// receipt. It is stored once however often it is released within the duplicate
// window, also where its provider gives no webhook id; and where its sender has
// sent it again meanwhile, the receipt says so. Its errors are those of Append.
func (l *Log) Release(ctx context.Context, r *RejectedRequest, w *domain.Webhook) (Receipt, error) {
	n, err := webhookMessage(w)
	if err != nil {
		return Receipt{}, err
	}
	setHeader(n, headerReceivedAt, r.ReceivedAt.String())
	if w.ID == "" {
		setHeader(n, jetstream.MsgIDHeader, releaseID(r))
	}
	return l.keep(ctx, n)
}

// releaseID is what the server tells a second release by. The time of receipt is
// part of it since sequences begin anew with a stream that is made anew.
func releaseID(r *RejectedRequest) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "release %s %d %s", RejectedStream, r.Sequence, r.ReceivedAt))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// rejectedRequest reads a message as a rejected request, without its body. It
// cannot fail: of a message that this program did not write it takes what can be
// read.
func (l *Log) rejectedRequest(s *stored) *RejectedRequest {
	r := &RejectedRequest{Sequence: s.StreamSequence}
	r.Provider, r.Source, r.Reason, _ = split(rejectedRoot, s.Subject)
	var receivedAt string
	if len(s.header) > 0 {
		receivedAt = s.header.Get(headerReceivedAt)
		r.Size, _ = strconv.Atoi(s.header.Get(nats.MsgSize))
		r.Header = l.requestHeader(s.header.Get(headerRequest))
	}
	r.ReceivedAt = instant(receivedAt, s.StoredAt)
	return r
}

// requestHeader reads the kept headers, of which only those that may be kept
// count; none where they cannot be read.
func (l *Log) requestHeader(text string) map[string][]string {
	var header map[string][]string
	if json.Unmarshal([]byte(text), &header) != nil {
		return map[string][]string{}
	}
	return l.kept(header)
}
