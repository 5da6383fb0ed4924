package provider

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ticketrail/ticketrail/domain"
)

// maxLevels is how deep a body may be nested; providers send six levels.
const maxLevels = 64

// translate reads the body strictly and says what it means: say gives the event,
// or nil for a webhook that is about no order. What say could not read is in the
// reading by then, and decides over what it gave.
func translate(w *domain.Webhook, say func(body object) *domain.Event) (*domain.Event, error) {
	body, err := read(w)
	if err != nil {
		return nil, err
	}
	event := say(body)
	switch {
	case body.failure != nil:
		return nil, body.failure
	case event == nil:
		return nil, domain.ErrNotAboutOrder
	}
	event.Anomalies = body.anomalies
	return event, nil
}

// reading is what came up while one body was read.
type reading struct {
	digest    domain.Digest
	anomalies []domain.Anomaly
	failure   *domain.Untranslatable // the first one
}

// object is a JSON object of the body. It is strict on structure and lenient on
// leaves: a value that decides and is of the wrong type fails the reading, a mere
// fact that cannot be read is an anomaly. The zero object has no members.
type object struct {
	*reading
	path    string // a JSON pointer; positions in arrays are left out
	raw     jsontext.Value
	members []member
}

// member is one name of an object with its value, as it stands in the body.
type member struct {
	name  []byte
	value jsontext.Value
}

// read takes only what can be read in one way: valid UTF-8, no name twice in one
// object, nothing behind it.
func read(w *domain.Webhook) (object, error) {
	if nestedTooDeeply(w.Body) {
		return object{}, &domain.Untranslatable{Cause: domain.CauseTooDeep}
	}
	members, err := split(w.Body)
	switch {
	case errors.Is(err, ErrNotObject):
		return object{}, &domain.Untranslatable{Cause: domain.CauseWrongType}
	case err != nil:
		return object{}, &domain.Untranslatable{Cause: domain.CauseMalformed}
	}
	return object{reading: &reading{digest: w.BodyDigest}, raw: w.Body, members: members}, nil
}

// split gives the members of the object that is all of a text, or ErrNotJSON, or
// ErrNotObject for another JSON value. The members share the text's memory.
func split(text []byte, options ...jsontext.Options) ([]member, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(text), options...)
	if d.PeekKind() != jsontext.KindBeginObject {
		return nil, refuse(d)
	}
	members := make([]member, 0, 8)
	_, err := d.ReadToken()
	for err == nil && d.PeekKind() == jsontext.KindString {
		var m member
		if m, err = readMember(d, text); err == nil {
			members = append(members, m)
		}
	}
	if err == nil {
		_, err = d.ReadToken() // the closing brace, or what is wrong
	}
	if err != nil || !ended(d) {
		return nil, ErrNotJSON
	}
	return members, nil
}

// refuse tells whether what is no object is JSON at least.
func refuse(d *jsontext.Decoder) error {
	if err := d.SkipValue(); err != nil || !ended(d) {
		return ErrNotJSON
	}
	return ErrNotObject
}

// ended tells whether nothing but white space is left.
func ended(d *jsontext.Decoder) bool {
	_, err := d.ReadToken()
	return errors.Is(err, io.EOF)
}

func readMember(d *jsontext.Decoder, text []byte) (m member, err error) {
	name, err := next(d, text)
	if err != nil {
		return member{}, err
	}
	m.name = unquoted(name)
	m.value, err = next(d, text)
	return m, err
}

// next reads a value and gives it as a part of the text, since the decoder's own
// copy lasts only until its next call.
func next(d *jsontext.Decoder, text []byte) (jsontext.Value, error) {
	value, err := d.ReadValue()
	end := d.InputOffset()
	return text[end-int64(len(value)) : end : end], err
}

// unquoted gives the content of a JSON string, shared with it where possible.
func unquoted(value jsontext.Value) []byte {
	if bytes.IndexByte(value, '\\') < 0 && utf8.Valid(value) {
		return value[1 : len(value)-1]
	}
	content, _ := jsontext.AppendUnquote(nil, value) // its error repeats what split allowed
	return content
}

func unquote(value jsontext.Value) string { return string(unquoted(value)) }

// nestedTooDeeply counts brackets outside strings. It runs before any parser, on
// any bytes.
func nestedTooDeeply(text []byte) bool {
	levels := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = endOfString(text, i)
		case '{', '[':
			levels++
		case '}', ']':
			levels--
		}
		if levels > maxLevels {
			return true
		}
	}
	return false
}

// endOfString gives the place of the quote that ends the string begun at i.
func endOfString(text []byte, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i
}
