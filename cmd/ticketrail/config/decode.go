package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// decoder puts values into a configuration and remembers where each was set.
type decoder struct {
	// origin names what is being read; with lines where it is a file.
	origin string
	lines  bool
	// origins holds, by key, where each value was set last.
	origins map[string]origin
	// lookup finds an environment variable.
	lookup func(name string) (string, bool)
	// referenced are the variables that ${NAME} was written for.
	referenced map[string]bool
	// secretsUnread leaves the secrets of sources as they are written.
	secretsUnread bool
	// plainSecrets says that a file holds a secret itself.
	plainSecrets bool
}

// origin is where a value was set: the name of a file, a variable or a flag, and
// in a file the line.
type origin struct {
	name string
	line int // 0 outside of files
}

func (o origin) String() string {
	if o.line > 0 {
		return fmt.Sprintf("%s:%d", o.name, o.line)
	}
	return o.name
}

// decodeYAML reads a YAML document into target, which key names.
func (d *decoder) decodeYAML(text []byte, target reflect.Value, key string) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return d.syntaxError(err, key)
	}
	if len(file.Docs) == 0 {
		return nil
	}
	if len(file.Docs) > 1 {
		return d.fail(file.Docs[1].Start.Position.Line, key, misfitf("keep one document, without ---", "it holds more than one YAML document"))
	}
	return d.decode(file.Docs[0].Body, target, key)
}

// syntaxError keeps the parser's words but not its excerpt of the source, which
// may hold a secret.
func (d *decoder) syntaxError(err error, key string) error {
	const mend = "mend the YAML; a value with special characters goes in quotes"
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil {
		return d.fail(0, key, misfitf(mend, "it is not YAML"))
	}
	return d.fail(syntax.GetToken().Position.Line, key, misfitf(mend, "%s", syntax.GetMessage()))
}

func (d *decoder) decode(node ast.Node, target reflect.Value, key string) error {
	if node == nil {
		return nil
	}
	if tagged, ok := node.(*ast.TagNode); ok {
		node = tagged.Value
	}
	line := node.GetToken().Position.Line
	switch {
	case target.Type() == reflect.TypeFor[Secret]():
		return d.decodeSecret(node, target, key)
	case target.Type() == reflect.TypeFor[Limits]():
		return d.decodeLimits(node, target, key)
	case target.Type() == reflect.TypeFor[[]provider.MappedEvent]():
		return d.decodeEvents(node, target, key)
	case target.Type() == reflect.TypeFor[provider.Paths]():
		return d.decodePaths(node, target, key)
	case isPath(target) && !isMapping(node):
		return d.decode(node, target.FieldByName("Path"), key)
	case target.Kind() == reflect.Map:
		return d.decodeMap(node, target, key)
	case target.Kind() == reflect.Struct && !isText(target):
		return d.decodeMapping(node, target, key)
	case target.Kind() == reflect.Slice:
		return d.decodeSequence(node, target, key)
	}
	text, ok := scalar(node)
	if !ok {
		return d.fail(line, key, misfitf("write a plain value", "it must be one value, not %s", kindOf(node)))
	}
	return d.setText(text, target, key, line)
}

// setText reads the text of a single value.
func (d *decoder) setText(text string, target reflect.Value, key string, line int) error {
	if err := parseInto(target, text); err != nil {
		return d.fail(line, key, err)
	}
	d.origins[key] = d.at(line)
	return nil
}

func (d *decoder) decodeMapping(node ast.Node, target reflect.Value, key string) error {
	fields := fieldsOf(target)
	return d.eachPair(node, key, func(name string, line int, value ast.Node) error {
		field, known := fields.named(name)
		if !known {
			return d.fail(line, join(key, name), misfitf("it knows "+fields.list(), "there is no such key"))
		}
		return d.decode(value, field, join(key, name))
	})
}

// eachPair visits the keys of a mapping with their lines and values, until visit fails.
func (d *decoder) eachPair(node ast.Node, key string, visit func(name string, line int, value ast.Node) error) error {
	line := node.GetToken().Position.Line
	d.origins[key] = d.at(line)
	if _, empty := node.(*ast.NullNode); empty {
		return nil
	}
	pairs, ok := node.(ast.MapNode)
	if !ok {
		return d.fail(line, key, misfitf("write its keys on lines of their own, indented", "it must hold keys, not %s", kindOf(node)))
	}
	for pair := pairs.MapRange(); pair.Next(); {
		token := pair.Key().GetToken()
		if err := visit(token.Value, token.Position.Line, pair.Value()); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) decodeSequence(node ast.Node, target reflect.Value, key string) error {
	line := node.GetToken().Position.Line
	d.origins[key] = d.at(line)
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		return d.fail(line, key, misfitf("put the entries in brackets: [a, b]", "it must be a list, not %s", kindOf(node)))
	}
	entries := reflect.MakeSlice(target.Type(), len(list.Values), len(list.Values))
	for i, entry := range list.Values {
		if err := d.decode(entry, entries.Index(i), fmt.Sprintf("%s[%d]", key, i)); err != nil {
			return err
		}
	}
	target.Set(entries)
	return nil
}

// at gives the origin of a line of what is being read.
func (d *decoder) at(line int) origin {
	if !d.lines {
		line = 0
	}
	return origin{d.origin, line}
}

func (d *decoder) fail(line int, key string, err error) error {
	failure := &Error{Origin: d.at(line).String(), Key: key, Problem: err.Error()}
	if m, ok := errors.AsType[*misfit](err); ok {
		failure.Mend = m.mend
	}
	return failure
}

// parseInto reads the text of a value that is not a secret.
func parseInto(target reflect.Value, text string) error {
	switch value := target.Addr().Interface().(type) {
	case *string:
		*value = text
	case *bool:
		yes, no := text == "true", text == "false"
		if !yes && !no {
			return misfitf("write true or false", "%q is neither true nor false", text)
		}
		*value = yes
	case *int:
		number, err := strconv.Atoi(text)
		if err != nil {
			return misfitf("write a whole number", "%q is not a whole number", text)
		}
		*value = number
	case *float64:
		number, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return misfitf("write a number", "%q is not a number", text)
		}
		*value = number
	case *Size:
		size, err := ParseSize(text)
		*value = size
		return err
	case *Duration:
		duration, err := ParseDuration(text)
		*value = duration
		return err
	case *time.Duration:
		duration, err := ParseDuration(text)
		*value = time.Duration(duration)
		return err
	case encoding.TextUnmarshaler:
		return value.UnmarshalText([]byte(text))
	default:
		panic(fmt.Sprintf("config: a field of type %s cannot be read", target.Type()))
	}
	return nil
}

// scalar gives the text of a single value; that of null is empty.
func scalar(node ast.Node) (text string, ok bool) {
	switch n := node.(type) {
	case *ast.NullNode:
		return "", true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	}
	return "", false
}

func kindOf(node ast.Node) string {
	switch node.(type) {
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "a list of keys"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias"
	}
	return "a single value"
}
