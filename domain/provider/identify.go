package provider

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ticketrail/ticketrail/domain"
)

// vocabulary is what a provider calls its published events.
type vocabulary []string

// tokens gives the token of each name.
func (v vocabulary) tokens() []string {
	tokens := make([]string, len(v))
	for i, name := range v {
		tokens[i] = token(name)
	}
	return tokens
}

// identify gives the token of a published name, and Other for every other text:
// nothing that a sender writes becomes a token.
func (v vocabulary) identify(name string) string {
	if !slices.Contains(v, name) {
		return Other
	}
	return token(name)
}

func token(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, ".", "-"))
}

// topLevel finds the strings that a body's object has under the names, in their
// order; empty where a name is missing or holds no string. It takes what
// Translate will refuse, such as a name that is there twice or text that is not
// UTF-8: an authentic JSON object is always taken, and judged later. The error is
// ErrNotJSON or ErrNotObject; more than 10,000 levels are no JSON to it.
func topLevel(body []byte, names ...string) ([]string, error) {
	if err := judge(body, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, err
	}
	found := make([]string, len(names))
	for _, m := range appendMembers(nil, body) {
		i := slices.Index(names, string(m.name))
		if i >= 0 && m.value.Kind() == jsontext.KindString {
			found[i] = unquote(m.value)
		}
	}
	return found, nil
}

// usableWebhookID gives the id, or "" for one that cannot serve as one.
func usableWebhookID(id string) string {
	if !domain.IsWebhookID(id) {
		return ""
	}
	return id
}
