package provider

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxLevels is how deep a body may be nested; providers send six levels.
const maxLevels = 64

// tree is a value of a text with all that is in it: its own node first, and then the
// trees of its elements, or of its names and values in turn.
type tree []node

// node is where a value stands in the text, from start to before end, and how many
// nodes the tree has that begins with it.
type node struct{ start, end, size int32 }

// survey gives the tree of a text that is known to be JSON of at most maxLevels. It
// only looks for where values end, and never for what could be wrong with them.
func survey(text []byte) tree {
	tree := make(tree, 0, atMost(text))
	var room [maxLevels]int
	open := room[:0]
	for i := 0; ; {
		for i < len(text) && roles[text[i]] == between {
			i++
		}
		if i == len(text) {
			return tree
		}
		start := i
		switch roles[text[i]] {
		case opening:
			i++
			open = append(open, len(tree))
		case closing:
			i++
			first := open[len(open)-1]
			open = open[:len(open)-1]
			tree[first].end, tree[first].size = int32(i), int32(len(tree)-first)
			continue
		case quote:
			i = endOfString(text, i) + 1
		default:
			for i < len(text) && roles[text[i]] == plain {
				i++
			}
		}
		tree = append(tree, node{int32(start), int32(i), 1})
	}
}

// atMost gives how many nodes the tree of a text can have: each but the first stands
// behind a bracket, a comma or a colon, and takes a byte itself.
func atMost(text []byte) int {
	nodes := 1
	for _, before := range []string{"{", "[", ",", ":"} {
		nodes += bytes.Count(text, []byte(before))
	}
	return min(nodes, 1+len(text)/2)
}

// inside gives the trees that stand in the value.
func (t tree) inside() tree { return t[min(1, len(t)):] }

// cut gives the first of several trees, and the others.
func (t tree) cut() (first, rest tree) { return t[:t[0].size], t[t[0].size:] }

// role is what a byte outside of strings does in a text that is JSON.
type role uint8

const (
	plain role = iota // is a part of a number or a literal
	quote
	opening
	closing
	between
)

var roles = [256]role{
	'"': quote,
	'{': opening, '[': opening,
	'}': closing, ']': closing,
	',': between, ':': between, ' ': between, '\t': between, '\r': between, '\n': between,
}

// unquoted gives the content of a JSON string, shared with it where possible.
func unquoted(value jsontext.Value) []byte {
	if bytes.IndexByte(value, '\\') < 0 && utf8.Valid(value) {
		return value[1 : len(value)-1]
	}
	content, _ := jsontext.AppendUnquote(nil, value) // its error repeats what was allowed
	return content
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
