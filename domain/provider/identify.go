package provider

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
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
	top := texts{names: names, found: make([]string, len(names))}
	err := json.Unmarshal(body, &top, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	switch {
	case err != nil:
		return nil, ErrNotJSON
	case !top.isObject:
		return nil, ErrNotObject
	}
	return top.found, nil
}

// texts are the strings of an object by their names, read in one pass over it.
type texts struct {
	names, found []string
	isObject     bool
}

// UnmarshalJSONFrom reads an object, and passes over any other value.
func (t *texts) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if t.isObject = d.PeekKind() == jsontext.KindBeginObject; !t.isObject {
		return d.SkipValue()
	}
	_, err := d.ReadToken()
	for err == nil && d.PeekKind() == jsontext.KindString {
		err = t.readMember(d)
	}
	if err == nil {
		_, err = d.ReadToken() // the closing brace, or what is wrong
	}
	return err
}

func (t *texts) readMember(d *jsontext.Decoder) error {
	name, err := d.ReadValue()
	if err != nil {
		return err
	}
	i := slices.Index(t.names, string(unquoted(name)))
	value, err := d.ReadValue()
	if err == nil && i >= 0 && value.Kind() == jsontext.KindString {
		t.found[i] = unquote(value)
	}
	return err
}

// usableWebhookID gives the id, or "" for one that cannot serve as one.
func usableWebhookID(id string) string {
	if !domain.IsWebhookID(id) {
		return ""
	}
	return id
}
