package provider

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ticketrail/ticketrail/domain"
)

// Path leads to a value of a body. It is written as names and, in lists, numbers from 0,
// with full stops between (data.items.0.id), as a JSON Pointer (RFC 6901), which begins
// with a slash and takes any name (/data/a.b), or as a text with paths in braces
// ({store}:{data.id}), which has a value where each of them has one.
type Path struct {
	text  string
	parts []pathPart
}

// pathPart is a text that stands for itself, or names that lead to a value.
type pathPart struct {
	text  string
	names []string
}

// maxPath is the longest path, in bytes; documented bodies take forty. It stands in the
// list of the quarantine.
const maxPath = 128

// MarshalText gives the path as it was written.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// UnmarshalText reads a path.
func (p *Path) UnmarshalText(text []byte) error {
	written := string(text)
	parts, err := parsePath(written)
	if err != nil {
		return err
	}
	*p = Path{written, parts}
	return nil
}

func parsePath(text string) ([]pathPart, error) {
	if len(text) > maxPath || !utf8.ValidString(text) {
		return nil, errors.New("the path is no text of up to 128 bytes")
	}
	if !strings.ContainsAny(text, "{}") {
		names, err := parseNames(text)
		return []pathPart{{names: names}}, err
	}
	return parseTemplate(text)
}

// parseTemplate reads a text with paths in braces.
func parseTemplate(text string) (parts []pathPart, err error) {
	for rest := text; rest != ""; {
		literal, behind, opened := strings.Cut(rest, "{")
		inside, after, closed := strings.Cut(behind, "}")
		if opened && !closed || strings.ContainsAny(literal+inside, "{}") {
			return nil, errors.New("a brace of the path has no partner")
		}
		if literal != "" {
			parts = append(parts, pathPart{text: literal})
		}
		if opened {
			names, err := parseNames(inside)
			if err != nil {
				return nil, err
			}
			parts = append(parts, pathPart{names: names})
		}
		rest = after
	}
	return parts, nil
}

func parseNames(text string) ([]string, error) {
	if pointer := jsontext.Pointer(text); strings.HasPrefix(text, "/") {
		if !pointer.IsValid() {
			return nil, errors.New("the path is no JSON Pointer: a tilde of a name is written ~0, and a slash ~1")
		}
		return slices.Collect(pointer.Tokens()), nil
	}
	names := strings.Split(text, ".")
	switch {
	case slices.Contains(names, ""):
		return nil, errors.New("a name of the path is empty: write names with full stops between, such as data.items.0.id")
	case strings.ContainsAny(text, "[]*$ "):
		return nil, errors.New("the path is written in another language: write data.items.0.id, or a JSON Pointer for odd names, /data/a b")
	}
	return names, nil
}

// Pointer gives the path as a JSON Pointer; that to the first value of a text that is put
// together of several.
func (p *Path) Pointer() string {
	for _, part := range p.parts {
		if part.names != nil {
			return part.pointer()
		}
	}
	return ""
}

func (p *pathPart) pointer() string {
	var pointer jsontext.Pointer
	for _, name := range p.names {
		pointer = pointer.AppendToken(name)
	}
	return string(pointer)
}

// Split gives what would have to stand where, by JSON Pointers, for the path to lead to a
// text. Of one that is not made as the path makes it, all stands at the last place.
func (p *Path) Split(text string) map[string]string {
	values, at := map[string]string{}, ""
	for _, part := range p.parts {
		if part.names != nil {
			at = part.pointer()
			continue
		}
		value, rest, made := strings.Cut(text, part.text)
		if made && at != "" {
			values[at] = value
		}
		if made {
			text = rest
		}
	}
	values[at] = text
	return values
}

// isTemplate tells whether the path makes a text of several.
func (p *Path) isTemplate() bool { return len(p.parts) != 1 || p.parts[0].names == nil }

// name gives the place as the members of an object know it, without the first slash.
func (p *Path) name() string { return strings.TrimPrefix(p.Pointer(), "/") }

// lacks gives the place of the first value that the path leads to and a body does not have,
// as name does.
func (p *Path) lacks(body object) string {
	for _, part := range p.parts {
		if part.names == nil {
			continue
		}
		if _, err := plainText(body.raw(body.lead(part.names))); err != nil {
			return strings.TrimPrefix(part.pointer(), "/")
		}
	}
	return p.name()
}

// find gives what the path leads to in a body; nil for no value.
func (p *Path) find(body object) jsontext.Value {
	if !p.isTemplate() {
		return body.raw(body.lead(p.parts[0].names))
	}
	var text []byte
	for _, part := range p.parts {
		if part.names == nil {
			text = append(text, part.text...)
			continue
		}
		piece, err := plainText(body.raw(body.lead(part.names)))
		if err != nil {
			return nil
		}
		text = append(text, piece...)
	}
	quoted, _ := jsontext.AppendQuote(nil, text) // of texts that are UTF-8
	return quoted
}

// lead gives the tree that names lead to; nil for no value.
func (o object) lead(names []string) tree {
	for _, name := range names {
		switch o.kind(o.tree) {
		case jsontext.KindBeginObject:
			o.tree = o.find(name)
		case jsontext.KindBeginArray:
			o.tree = o.element(name)
		default:
			return nil
		}
		if o.tree == nil {
			return nil
		}
	}
	return o.tree
}

// element gives an element of a list by its number.
func (o object) element(number string) tree {
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return nil
	}
	rest := o.tree.inside()
	for ; n > 0 && len(rest) > 0; n-- {
		_, rest = rest.cut()
	}
	if len(rest) == 0 {
		return nil
	}
	element, _ := rest.cut()
	if o.isNoValue(element) {
		return nil
	}
	return element
}

// plainText gives a text, or as it is written a whole number, which many providers have for
// their ids, or a truth, which may decide what an event means.
func plainText(v jsontext.Value) (string, error) {
	switch v.Kind() {
	case jsontext.KindTrue, jsontext.KindFalse:
		return string(v), nil
	case jsontext.KindString:
		return unquote(v), nil
	case jsontext.KindNumber:
		return wholeNumber(string(v))
	}
	return "", errUnreadable
}

func isTruth(v jsontext.Value) bool {
	return v.Kind() == jsontext.KindTrue || v.Kind() == jsontext.KindFalse
}

func wholeNumber(text string) (string, error) {
	if strings.ContainsAny(text, ".eE") {
		return "", errUnreadable
	}
	return text, nil
}

// Paths lead to a value in more than one way: the first that leads to one counts.
type Paths []Path

// find gives the first value, and the path to it; nil for no value, with the first path.
func (p Paths) find(body object) (jsontext.Value, *Path) {
	for i := range p {
		if value := p[i].find(body); value != nil {
			return value, &p[i]
		}
	}
	if len(p) == 0 {
		return nil, &Path{}
	}
	return nil, &p[0]
}

// fact reads a fact that may be written as a string or as a number. One that cannot be
// read is an anomaly.
func fact[T any](body object, paths Paths, parseString, parseNumber func(string) (T, error)) T {
	value, path := paths.find(body)
	fact, err := parseLeaf(value, parseString, parseNumber)
	if err != nil {
		body.note(domain.AnomalyUnreadableValue, clip(path.Pointer()))
	}
	return fact
}

// word takes a text of at most maxWord bytes.
func word(text string) (string, error) {
	if len(text) > maxWord {
		return "", errUnreadable
	}
	return text, nil
}

// shortText takes a text of at most maxText bytes.
func shortText(text string) (string, error) {
	if len(text) > maxText {
		return "", errUnreadable
	}
	return text, nil
}

func shortNumber(text string) (string, error) {
	if _, err := wholeNumber(text); err != nil {
		return "", err
	}
	return shortText(text)
}

// anyCurrency takes an ISO 4217 code in letters of either case.
func anyCurrency(code string) (string, error) {
	code = strings.ToUpper(code)
	if !isCurrency(code) {
		return "", errUnreadable
	}
	return code, nil
}

// noNumber is for what is never written as a number.
func noNumber(string) (string, error) { return "", errUnreadable }
