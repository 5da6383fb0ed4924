package provider

import (
	"bytes"
	"iter"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxLevels is how deep a body may be nested; providers send six levels.
const maxLevels = 64

// judge tells whether a text is one JSON object and nothing else: the error is
// ErrNotJSON, or ErrNotObject for another JSON value. What it takes is read without
// a further check.
func judge(text jsontext.Value, options ...jsontext.Options) error {
	switch {
	case !text.IsValid(options...):
		return ErrNotJSON
	case text.Kind() != jsontext.KindBeginObject:
		return ErrNotObject
	}
	return nil
}

// member is one name of an object with its value, as it stands in the body.
type member struct {
	name  []byte
	value jsontext.Value
}

// appendMembers adds the members of an object. They share its memory.
func appendMembers(members []member, object jsontext.Value) []member {
	var name []byte
	isName := true
	for part := range parts(object) {
		if isName {
			name = unquoted(part)
		} else {
			members = append(members, member{name, part})
		}
		isName = !isName
	}
	return members
}

// parts gives the elements of an array, or the names and the values of an object in
// turn. Since judge took all of it, what lies between two parts can only be white
// space, commas and colons.
func parts(container jsontext.Value) iter.Seq[jsontext.Value] {
	return func(yield func(jsontext.Value) bool) {
		for i := bytes.IndexAny(container, "{[") + 1; i > 0; {
			switch container[i] {
			case ' ', '\t', '\r', '\n', ',', ':':
				i++
			case '}', ']':
				return
			default:
				end := endOfValue(container, i)
				if !yield(container[i:end:end]) {
					return
				}
				i = end
			}
		}
	}
}

// endOfValue gives the place behind the value that begins at i in a container.
func endOfValue(text []byte, i int) int {
	switch text[i] {
	case '"':
		return endOfString(text, i) + 1
	case '{', '[':
		return endOfContainer(text, i) + 1
	}
	for ; ; i++ { // a number or a literal
		switch text[i] {
		case ' ', '\t', '\r', '\n', ',', '}', ']':
			return i
		}
	}
}

// endOfContainer gives the place of the bracket that ends what begins at i.
func endOfContainer(text []byte, i int) int {
	for levels := 0; ; i++ {
		switch text[i] {
		case '"':
			i = endOfString(text, i)
		case '{', '[':
			levels++
		case '}', ']':
			if levels--; levels == 0 {
				return i
			}
		}
	}
}

// unquoted gives the content of a JSON string, shared with it where possible.
func unquoted(value jsontext.Value) []byte {
	if bytes.IndexByte(value, '\\') < 0 && utf8.Valid(value) {
		return value[1 : len(value)-1]
	}
	content, _ := jsontext.AppendUnquote(nil, value) // its error repeats what judge allowed
	return content
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
