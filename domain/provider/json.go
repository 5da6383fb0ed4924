package provider

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ticketrail/ticketrail/domain"
)

// maxLevels is how deep a body may be nested; providers send six levels.
const maxLevels = 64

// tree is a value of a text with all that is in it: its own node first, and then the
// trees of its elements, or of its names and values in turn.
type tree []node

// node is where a value stands in the text, from start to before end, and how many
// nodes the tree has that begins with it.
type node struct{ start, end, size int32 }

// survey gives the tree of a text, in the room where that is large enough; or the cause
// for which it cannot be read, where it is nested too deeply, or is no JSON that can be read
// in one way only. It finds most texts right itself, in a third of the library's time, and
// asks the library about those with escapes, with many names in one object, and whatever
// else is not plain.
func survey(text []byte, room []node) (t tree, cause string) {
	if nodes := nodesPerComma * (1 + bytes.Count(text, []byte(","))); nodes > cap(room) {
		room = make([]node, 0, min(nodes, usualNodes))
	}
	s := surveyor{text: text, tree: room[:0]}
	if s.all() {
		return s.tree, ""
	}
	switch {
	case nestedTooDeeply(text):
		return nil, domain.CauseTooDeep
	case !jsontext.Value(text).IsValid():
		return nil, domain.CauseMalformed
	}
	s.tree, s.levels, s.known = room[:0], 0, true
	s.all()
	return s.tree, ""
}

// nodesPerComma is about right: a name, its value, and a third of what they stand in.
const nodesPerComma = 3

// usualNodes is more than the tree of any body that a provider sends has. A text may have
// millions of commas and be none of JSON, and room for each takes nine times the text.
const usualNodes = 1 << 12

// surveyor goes through a text. Its methods begin at a place of it, and give the place
// behind what they have read, or unsure, where they give unsure again.
type surveyor struct {
	text   []byte
	tree   tree
	levels int  // of what is open
	known  bool // to be JSON: only where values end is looked for then
}

const unsure = -1

// mostNames is how many names of an object are compared with one another.
const mostNames = 32

func (s *surveyor) all() bool { return s.skip(s.value(s.skip(0))) == len(s.text) }

// byte gives what is at a place, and 0, which is in no plain text, behind the end.
func (s *surveyor) byte(i int) byte {
	if uint(i) < uint(len(s.text)) {
		return s.text[i]
	}
	return 0
}

func (s *surveyor) skip(i int) int {
	for c := s.byte(i); c == ' ' || c == '\n' || c == '\t' || c == '\r'; c = s.byte(i) {
		i++
	}
	return i
}

func (s *surveyor) value(i int) int {
	first, end := len(s.tree), unsure
	s.tree = append(s.tree, node{start: int32(i)})
	switch c := s.byte(i); {
	case s.levels == maxLevels && (c == '{' || c == '['):
	case c == '{':
		end = s.members(i, first, '}')
	case c == '[':
		end = s.members(i, first, ']')
	case c == '"':
		end = s.string(i)
	case c == '-' || isDigit(c):
		end = s.number(i)
	default:
		end = s.literal(i)
	}
	s.tree[first].end, s.tree[first].size = int32(end), int32(len(s.tree)-first)
	return end
}

// members reads what is between brackets, with a name before each value in an object.
func (s *surveyor) members(i, first int, closing byte) int {
	if i = s.skip(i + 1); s.byte(i) == closing {
		return i + 1
	}
	s.levels++
	names := names{object: first}
	for {
		if closing == '}' {
			i = s.name(i, &names)
		}
		i = s.skip(s.value(i))
		switch s.byte(i) {
		case closing:
			s.levels--
			return i + 1
		case ',':
			i = s.skip(i + 1)
		default:
			return unsure
		}
	}
}

// names are those of an object whose node is at a place of the tree.
type names struct {
	object, number int
	marks          uint64 // a bit for each: two names of one bit are compared
}

// name reads a name of an object, up to its value.
func (s *surveyor) name(i int, of *names) int {
	end := s.string(i)
	if end == unsure || !s.known && !s.isNew(s.text[i:end], of) {
		return unsure
	}
	s.tree = append(s.tree, node{int32(i), int32(end), 1})
	if i = s.skip(end); s.byte(i) != ':' {
		return unsure
	}
	return s.skip(i + 1)
}

// isNew tells whether a name, in its quotes, is another one than those before it, of which
// there may not be too many.
func (s *surveyor) isNew(name []byte, of *names) bool {
	of.number++
	mark := uint64(1) << ((uint(len(name)) + 7*uint(name[1]) + 31*uint(name[len(name)-2])) % 64)
	marked := of.marks&mark != 0
	of.marks |= mark
	return of.number <= mostNames && (!marked || !s.has(name, of.object))
}

// has tells whether an object has a name by now.
func (s *surveyor) has(name []byte, object int) bool {
	for at := object + 1; at < len(s.tree); at += 1 + int(s.tree[at+1].size) {
		if key := s.tree[at]; bytes.Equal(s.text[key.start:key.end], name) {
			return true
		}
	}
	return false
}

func (s *surveyor) string(i int) int {
	switch {
	case s.byte(i) != '"':
		return unsure
	case s.known:
		return endOfString(s.text, i) + 1
	}
	first, ascii := i, true
	for i++; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"' && (ascii || utf8.Valid(s.text[first:i])):
			return i + 1
		case c < ' ', c == '\\', c == '"':
			return unsure
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return unsure
}

func (s *surveyor) number(i int) int {
	if s.byte(i) == '-' {
		i++
	}
	if s.byte(i) == '0' {
		i++
	} else {
		i = s.digits(i)
	}
	if s.byte(i) == '.' {
		i = s.digits(i + 1)
	}
	if c := s.byte(i); c == 'e' || c == 'E' {
		if c = s.byte(i + 1); c == '+' || c == '-' {
			i++
		}
		i = s.digits(i + 1)
	}
	return i
}

// digits reads one digit or more.
func (s *surveyor) digits(i int) int {
	if !isDigit(s.byte(i)) {
		return unsure
	}
	for isDigit(s.byte(i)) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (s *surveyor) literal(i int) int {
	for _, literal := range []string{"null", "true", "false"} {
		if i >= 0 && bytes.HasPrefix(s.text[min(i, len(s.text)):], []byte(literal)) {
			return i + len(literal)
		}
	}
	return unsure
}

// inside gives the trees that stand in the value.
func (t tree) inside() tree { return t[min(1, len(t)):] }

// cut gives the first of several trees, and the others.
func (t tree) cut() (first, rest tree) { return t[:t[0].size], t[t[0].size:] }

// unquoted gives the content of a JSON string, shared with it where possible.
func unquoted(value jsontext.Value) []byte {
	if bytes.IndexByte(value, '\\') < 0 && utf8.Valid(value) {
		return value[1 : len(value)-1]
	}
	content, _ := jsontext.AppendUnquote(nil, value) // its error repeats what was allowed
	return content
}

func unquote(value jsontext.Value) string { return string(unquoted(value)) }

// nestedTooDeeply counts brackets outside strings. It runs before the library does, on
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
	for {
		length := bytes.IndexByte(text[i+1:], '"')
		if length < 0 {
			return len(text)
		}
		i += 1 + length
		if !escaped(text, i) {
			return i
		}
	}
}

// escaped tells whether an odd number of backslashes stands before i.
func escaped(text []byte, i int) (odd bool) {
	for i--; text[i] == '\\'; i-- {
		odd = !odd
	}
	return odd
}
