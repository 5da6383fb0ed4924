package provider

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxLevels is how deep a body may be nested; providers send six levels.
const maxLevels = 64

// member is one name of an object with its value, as it stands in the body.
type member struct {
	name  []byte
	value jsontext.Value
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

// elements gives the values of an array that is known to be JSON; none for nil.
func elements(array jsontext.Value) iter.Seq[jsontext.Value] {
	return func(yield func(jsontext.Value) bool) {
		d := jsontext.NewDecoder(bytes.NewBuffer(array))
		_, err := d.ReadToken()
		for err == nil && d.PeekKind() != jsontext.KindEndArray {
			var element jsontext.Value
			if element, err = next(d, array); err != nil || !yield(element) {
				return
			}
		}
	}
}

// isNoValue tells whether a value is null, "" or {}: providers write all three
// where they have nothing to say.
func isNoValue(v jsontext.Value) bool {
	switch v.Kind() {
	case jsontext.KindNull:
		return true
	case jsontext.KindString:
		return len(v) == len(`""`)
	case jsontext.KindBeginObject:
		return bytes.TrimLeft(v[1:], " \t\r\n")[0] == '}'
	}
	return false
}

func unquote(value jsontext.Value) string { return string(unquoted(value)) }

// nestedTooDeeply counts brackets outside strings. It runs before any parser, on
// any bytes.
func nestedTooDeeply(text []byte) bool {
	if bytes.Count(text, []byte("{"))+bytes.Count(text, []byte("[")) <= maxLevels {
		return false // as for nearly all, and much faster
	}
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
