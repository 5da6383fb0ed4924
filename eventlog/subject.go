package eventlog

import (
	"fmt"
	"strings"
)

// The roots of the streams' subjects.
const (
	webhookRoot  = "webhooks"
	rejectedRoot = "rejected"
	decisionRoot = "decisions"
	orderRoot    = "orders"
)

// maxToken is the longest token of a subject, in bytes.
const maxToken = 64

// Subject gives the subject webhooks.<provider>.<source>.<event>. Each name must
// be a token, 1 to 64 of the bytes a-z, 0-9, '_' and '-': names come from the
// configuration and from the providers' published lists, never from a sender.
// It returns [ErrUnfit] for any other.
func Subject(provider, source, event string) (string, error) {
	return join(webhookRoot, provider, source, event)
}

// ParseSubject gives the names of a subject that [Subject] made; ok is false for
// any other text.
func ParseSubject(subject string) (provider, source, event string, ok bool) {
	return split(webhookRoot, subject)
}

// alertName stands between the source and the kind of an alert: a subject of four names is
// never that of a change, whatever states there will be.
const alertName = "alert"

// OrderSubjects matches every subject that [OrderSubject] and [AlertSubject] make.
const OrderSubjects = orderRoot + ".>"

// OrderSubject gives the subject orders.<source>.<state> of a change of an order, for
// tokens as those of [Subject]. It returns [ErrUnfit] for any other name.
func OrderSubject(source, state string) (string, error) { return join(orderRoot, source, state) }

// AlertSubject gives the subject orders.<source>.alert.<kind> of an alert, for tokens as
// those of [Subject]. It returns [ErrUnfit] for any other name.
func AlertSubject(source, kind string) (string, error) {
	return join(orderRoot, source, alertName, kind)
}

// split gives the three names of a subject under a root.
func split(under, subject string) (provider, source, last string, ok bool) {
	root, rest, _ := strings.Cut(subject, ".")
	provider, rest, _ = strings.Cut(rest, ".")
	source, last, _ = strings.Cut(rest, ".")
	if root != under || !isToken(provider) || !isToken(source) || !isToken(last) {
		return "", "", "", false
	}
	return provider, source, last, true
}

// join gives the subject of a root and the names after it.
func join(names ...string) (string, error) {
	for i, name := range names {
		if !isToken(name) {
			return "", fmt.Errorf("%w: name %d of the subject is no token", ErrUnfit, i)
		}
	}
	return strings.Join(names, "."), nil
}

func isToken(text string) bool {
	for i := range len(text) {
		c := text[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return 0 < len(text) && len(text) <= maxToken
}
