package eventlog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go"

	"github.com/ticketrail/ticketrail/domain"
)

// The reasons for which a request is rejected and kept.
const (
	ReasonCredentialMissing  = "credential-missing"
	ReasonCredentialRepeated = "credential-repeated"
	ReasonCredentialUnfit    = "credential-unfit"
	ReasonCredentialWrong    = "credential-wrong"
	ReasonTimestampTooOld    = "timestamp-too-old"
	ReasonTimestampTooNew    = "timestamp-too-new"
	ReasonNotJSON            = "not-json"
	ReasonNotObject          = "not-an-object"
)

// reasons is the closed list: a reason becomes part of a subject.
var reasons = []string{
	ReasonCredentialMissing, ReasonCredentialRepeated, ReasonCredentialUnfit, ReasonCredentialWrong,
	ReasonTimestampTooOld, ReasonTimestampTooNew, ReasonNotJSON, ReasonNotObject,
}

// Reasons gives the list of them.
func Reasons() []string { return slices.Clone(reasons) }

// headerRequest holds the kept headers of a rejected request, as one JSON object.
const headerRequest = "Ticketrail-Request-Header"

// keptHeaders are the request headers that are always kept: what is needed to verify the
// request again. Authorization is a secret and is not among them; neither is the
// query, which may hold a token.
var keptHeaders = []string{
	"Content-Type", "User-Agent",
	"Svix-Id", "Svix-Timestamp", "Svix-Signature",
	"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature",
	"X-Ivy-Signature", "X-Ivy-Version",
}

// maxKept bounds all kept values together, in bytes: written as JSON each byte
// may become six, and the server takes 64 KiB of headers.
const maxKept = 8 << 10

// Rejection is a request that was refused and is kept for a while.
type Rejection struct {
	Source, Provider string
	// Reason is one of the Reason constants.
	Reason string
	// Header is that of the request, with canonical names as in net/http. Of it
	// only a configured list of names is kept, and of these only values of 1 KiB at
	// the most, 8 KiB in all.
	Header map[string][]string
	// Body is the raw body.
	Body []byte
	// ReceivedAt is when the request came; the stream's time where it is zero.
	ReceivedAt domain.Instant
}

// Reject keeps a rejected request. The stream of rejected requests forgets its
// oldest. It returns [ErrUnfit] for a reason that is not on the list or a name
// that is no token, and else the errors of [Log.Append].
func (l *Log) Reject(ctx context.Context, r *Rejection) error {
	n, err := l.rejectedMessage(r)
	if err == nil {
		_, err = l.storeAside(ctx, n)
	}
	if err != nil {
		return fmt.Errorf("keep a rejected request: %w", err)
	}
	return nil
}

func (l *Log) rejectedMessage(r *Rejection) (*nats.Msg, error) {
	if !slices.Contains(reasons, r.Reason) {
		return nil, fmt.Errorf("%w: the reason is not on the list", ErrUnfit)
	}
	subject, err := join(rejectedRoot, r.Provider, r.Source, r.Reason)
	if err != nil {
		return nil, err
	}
	header, err := json.Marshal(l.kept(r.Header))
	if err != nil {
		return nil, err
	}
	n := &nats.Msg{Subject: subject, Data: r.Body, Header: nats.Header{headerRequest: {string(header)}}}
	if !r.ReceivedAt.IsZero() {
		n.Header.Set(headerReceivedAt, r.ReceivedAt.String())
	}
	return n, nil
}

func (l *Log) kept(header map[string][]string) map[string][]string {
	kept, left := make(map[string][]string), maxKept
	for _, name := range l.keptHeaders {
		for _, value := range header[name] {
			if len(value) <= min(maxHeaderValue, left) {
				kept[name] = append(kept[name], value)
				left -= len(value)
			}
		}
	}
	return kept
}
