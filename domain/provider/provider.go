// Package provider knows the senders of webhooks: one file per provider, each
// with what is the same for all of them to have: verify, identify, translate,
// and, for the tools that play the sender, sign.
//
// Everything here is a pure function of its arguments: no clock, no I/O, no
// randomness, no log. A provider is a value without state, safe for concurrent
// use.
package provider

import (
	"errors"
	"fmt"
	"time"

	"github.com/ticketrail/ticketrail/domain"
)

// A Provider is an adapter that knows one sender's webhooks.
type Provider interface {
	// Name is the provider's name in configuration and in subjects.
	Name() string

	// Events gives the tokens of the provider's published events, in the order
	// of its documentation. A token is made of lower-case letters, digits, '-'
	// and '_', is unique, and is never "other".
	Events() []string

	// Verify checks that the request comes from the sender, on the raw bytes,
	// with any one of the secrets. Every secret is tried, in constant time. The
	// error wraps ErrUnauthentic and never holds text of the request.
	Verify(r *Request, secrets []string) error

	// VerifyHead does of Verify what needs no body, for requests whose body has not
	// been read: what it refuses, Verify refuses with the same error whatever the
	// body is.
	VerifyHead(r *Request, secrets []string) error

	// SignsBody tells whether Verify looks at the body. Where it does not, VerifyHead
	// checks all that Verify does.
	SignsBody() bool

	// Scheme says in words, for people, what Verify checks.
	Scheme() string

	// Identify finds what the stream must know of a verified request: the token
	// of its event and the provider's id of the webhook. It returns ErrNotJSON
	// or ErrNotObject for a body that is not a JSON object, and no other error:
	// every authentic JSON object is taken.
	Identify(r *Request) (Identity, error)

	// Translate says what a stored webhook means. It returns
	// domain.ErrNotAboutOrder for one that speaks of no order, and a
	// *domain.Untranslatable for one that no event can be made of; it never
	// panics on any bytes.
	Translate(w *domain.Webhook) (*domain.Event, error)

	// NewSecret makes a secret of the form the provider uses, from 24 random bytes.
	NewSecret(random [24]byte) string

	// CheckSecret tells why a configured secret cannot be one of this provider's.
	// The error does not hold the secret.
	CheckSecret(secret string) error

	// Sign makes r a request as the provider would send it: it sets the headers
	// or the query for r.Body at r.At. The id is used where the provider sends
	// one beside the body.
	Sign(r *Request, secret, id string)
}

// Request is what a provider may look at of an HTTP request.
type Request struct {
	Header map[string][]string // canonical names, as in net/http
	Query  map[string][]string
	Body   []byte
	At     time.Time // when it came, for signed timestamps
}

// Identity is what the stream must know of a webhook before it is translated.
type Identity struct {
	Event     string // one of Provider.Events, or Other
	WebhookID string // empty where there is none, or where it is unusable
}

// Other is the event token of an event that the provider has not published.
const Other = "other"

// ErrUnauthentic is wrapped by every error of Verify.
var ErrUnauthentic = errors.New("not authentic")

// The errors of Verify: all are ErrUnauthentic, and each names what to mend.
var (
	ErrCredentialMissing  = fmt.Errorf("%w: the signature, token or timestamp is missing", ErrUnauthentic)
	ErrCredentialRepeated = fmt.Errorf("%w: a signature header is repeated", ErrUnauthentic)
	ErrCredentialUnfit    = fmt.Errorf("%w: the signature, token or timestamp has a form that this provider does not send", ErrUnauthentic)
	ErrCredentialWrong    = fmt.Errorf("%w: the signature or token matches no configured secret", ErrUnauthentic)
	ErrTimestampTooOld    = fmt.Errorf("%w: the signed timestamp is too old", ErrUnauthentic)
	ErrTimestampTooNew    = fmt.Errorf("%w: the signed timestamp is too far ahead", ErrUnauthentic)
)

// The errors of Identify.
var (
	ErrNotJSON   = errors.New("the body is not JSON")
	ErrNotObject = errors.New("the body is JSON but not an object")
)

// All gives every provider, by name.
func All() []Provider {
	return []Provider{Ivy{}, Ordatic{}, Payway{}, Runa{}}
}

// Named gives the provider of that name.
func Named(name string) (Provider, bool) {
	for _, p := range All() {
		if p.Name() == name {
			return p, true
		}
	}
	return nil, false
}
