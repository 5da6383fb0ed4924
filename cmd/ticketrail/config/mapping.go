package config

import (
	"encoding"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// mappingFile is a file that makes a provider.
type mappingFile struct {
	path     string
	provider *provider.Mapped
	origins  map[string]origin
}

// Providers gives the providers by whose rules webhooks can be read: those of ticketrail's
// own, and those of mapping files.
func (c *Config) Providers() []provider.Provider {
	all := provider.All()
	for _, m := range c.mapped {
		all = append(all, m.provider)
	}
	return all
}

// KeptHeaders gives the headers that rejected requests of the mapping files' providers
// have to keep, to be verified again.
func (c *Config) KeptHeaders() (names []string) {
	for _, m := range c.mapped {
		names = append(names, m.provider.KeptHeaders()...)
	}
	return names
}

// Mapping is what [Config.CheckMappings] tells of a mapping file.
type Mapping struct {
	File     string
	Provider *provider.Mapped
	Examples []Example
}

// Example is what an example of a mapping file says; nothing where it is about no order.
type Example struct {
	Event string
	Said  []provider.Said
}

// CheckMappings tells what the examples of each mapping file mean. The error is an
// [*Error], for one that does not mean what it should.
func (c *Config) CheckMappings() ([]Mapping, error) {
	var all []Mapping
	for _, m := range c.mapped {
		told := Mapping{File: m.path, Provider: m.provider}
		for i, example := range m.provider.Examples() {
			said, err := m.provider.Understand(example)
			if err != nil {
				key := fmt.Sprintf("examples[%d]", i)
				return nil, m.fail(key, key+" ("+example.Event+")", err.Error(), "mend the mapping, or the example and what it expects")
			}
			told.Examples = append(told.Examples, Example{example.Event, said})
		}
		all = append(all, told)
	}
	return all, nil
}

// fail gives the error of a key, as it is called.
func (m *mappingFile) fail(key, called, problem, mend string) error {
	at := (&checker{origins: m.origins}).origin(key)
	if at.line == 0 {
		at = origin{name: m.path}
	}
	return &Error{Origin: at.String(), Key: called, Problem: problem, Mend: mend}
}

// readMappings reads the mapping files, and gives each source that names one its provider.
func readMappings(c *Config, d *decoder, _ Inputs) error {
	for i, path := range c.Mappings {
		if _, err := c.readMapping(d, fmt.Sprintf("mappings[%d]", i), path); err != nil {
			return err
		}
	}
	check := &checker{origins: d.origins}
	for i := range c.Sources {
		s, key := &c.Sources[i], fmt.Sprintf("sources[%d].mapping", i)
		isMapped := s.Provider == provider.MappedName
		check.require(!isMapped || s.Mapping != "", key, "name the file: mapping: FILE", "provider: mapped needs a mapping file")
		check.require(isMapped || s.Mapping == "", key, "write provider: mapped, or leave it out", "the provider %s has no use for a mapping file", s.Provider)
		if check.first != nil {
			return check.first
		}
		if !isMapped {
			continue
		}
		m, err := c.readMapping(d, key, s.Mapping)
		if err != nil {
			return err
		}
		s.mapped = m.provider
	}
	return nil
}

// readMapping reads the mapping file that a key names, once.
func (c *Config) readMapping(d *decoder, key, path string) (*mappingFile, error) {
	if i := slices.IndexFunc(c.mapped, func(m *mappingFile) bool { return m.path == path }); i >= 0 {
		return c.mapped[i], nil
	}
	check := &checker{origins: d.origins}
	text, err := readSmall(path)
	check.require(err == nil, key, "name a mapping file that this user can read", "the file cannot be read: %v", err)
	if check.first != nil {
		return nil, check.first
	}
	m, err := parseMapping(path, text)
	if err != nil {
		return nil, err
	}
	for _, other := range c.mapped {
		if other.provider.Name() == m.provider.Name() {
			return nil, m.fail("name", "name", "the provider of "+other.path+" has this name too", "give each provider one file, and a name of its own")
		}
	}
	c.mapped = append(c.mapped, m)
	return m, nil
}

// maxMapping is the size in bytes above which a file is no mapping.
const maxMapping = 1 << 20

// readSmall reads a file that can hold a mapping.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxMapping {
		return nil, fmt.Errorf("%s is no file of up to 1 MiB", path)
	}
	return os.ReadFile(path)
}

// parseMapping makes a provider of the text of a file. Its error is an [*Error].
func parseMapping(path string, text []byte) (*mappingFile, error) {
	d := &decoder{origin: path, lines: true, origins: map[string]origin{}}
	m := &mappingFile{path: path, origins: d.origins}
	var mapping provider.Mapping
	if err := d.decodeYAML(text, reflect.ValueOf(&mapping).Elem(), ""); err != nil {
		return nil, err
	}
	var err error
	m.provider, err = provider.NewMapped(mapping)
	if wrong, ok := errors.AsType[*provider.MappingError](err); ok {
		return nil, m.fail(wrong.Key, wrong.Key, wrong.Problem, wrong.Mend)
	}
	return m, err
}

// decodeEvents reads the table of events, in its order.
func (d *decoder) decodeEvents(node ast.Node, target reflect.Value, key string) error {
	var events []provider.MappedEvent
	err := d.eachPair(node, key, func(name string, line int, value ast.Node) error {
		event := provider.MappedEvent{Name: name}
		d.origins[join(key, name)] = d.at(line)
		err := d.decode(value, reflect.ValueOf(&event).Elem(), join(key, name))
		events = append(events, event)
		return err
	})
	target.Set(reflect.ValueOf(events))
	return err
}

// decodePaths reads one path, or a list of them.
func (d *decoder) decodePaths(node ast.Node, target reflect.Value, key string) error {
	if _, isList := node.(*ast.SequenceNode); isList {
		return d.decodeSequence(node, target, key)
	}
	var path provider.Path
	err := d.decode(node, reflect.ValueOf(&path).Elem(), key)
	target.Set(reflect.ValueOf(provider.Paths{path}))
	return err
}

// decodeMap reads values by names that are not keys.
func (d *decoder) decodeMap(node ast.Node, target reflect.Value, key string) error {
	target.Set(reflect.MakeMap(target.Type()))
	return d.eachPair(node, key, func(name string, _ int, value ast.Node) error {
		entry := reflect.New(target.Type().Elem()).Elem()
		err := d.decode(value, entry, join(key, name))
		target.SetMapIndex(reflect.ValueOf(name), entry)
		return err
	})
}

// isPath tells whether a section may be written as its path alone.
func isPath(section reflect.Value) bool {
	return section.Type() == reflect.TypeFor[provider.Place]()
}

func isMapping(node ast.Node) bool {
	_, ok := node.(ast.MapNode)
	return ok
}

// isText tells whether a value reads itself from a text.
func isText(value reflect.Value) bool {
	_, ok := value.Addr().Interface().(encoding.TextUnmarshaler)
	return ok
}
