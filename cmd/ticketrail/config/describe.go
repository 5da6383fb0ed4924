package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// Description is what is to be known of a key.
type Description struct {
	// Key has [] in it where it is of each entry of a list.
	Key string
	// Variable is empty where it has none, as the settings of one source.
	Variable string
	// Default is its value where nobody sets it, as it would be written.
	Default string
	Help    string
}

// Describe gives every key, in the order of [Config].
func Describe() []Description { return describe(reflect.ValueOf(Default()).Elem(), "", true) }

func describe(section reflect.Value, prefix string, named bool) (all []Description) {
	for _, f := range fieldsOf(section) {
		key := join(prefix, f.name)
		if f.value.Kind() == reflect.Struct {
			all = append(all, describe(f.value, key, named)...)
			continue
		}
		d := Description{Key: key, Default: textOf(f.value), Help: f.help}
		if named {
			d.Variable = Variable(key)
		}
		all = append(all, d)
		if entry := f.value.Type(); entry.Kind() == reflect.Slice && entry.Elem().Kind() == reflect.Struct {
			all = append(all, describe(reflect.New(entry.Elem()).Elem(), key+"[]", false)...)
		}
	}
	return all
}

// DescribeMapping gives every key of a mapping file, in the order of [provider.Mapping];
// what can be said of several paths or amounts stands at the first one alone.
func DescribeMapping() []Description {
	return describeMapping(reflect.TypeFor[provider.Mapping](), "", map[reflect.Type]bool{})
}

func describeMapping(section reflect.Type, prefix string, seen map[reflect.Type]bool) (all []Description) {
	for _, f := range fieldsOf(reflect.New(section).Elem()) {
		key, inside := join(prefix, f.name), f.value.Type()
		if f.help != "" {
			all = append(all, Description{Key: key, Help: f.help})
		}
		switch inside {
		case reflect.TypeFor[[]provider.MappedEvent]():
			key, inside = key+".NAME", inside.Elem()
		case reflect.TypeFor[[]provider.Example]():
			key, inside = key+"[]", inside.Elem()
		}
		if inside.Kind() == reflect.Struct && !seen[inside] {
			seen[inside] = true
			all = append(all, describeMapping(inside, key, seen)...)
		}
	}
	return all
}

// The kinds of places where a value comes from.
const (
	FromDefault     = "default"
	FromFile        = "file"
	FromEnvironment = "environment"
	FromFlag        = "flag"
)

// Setting is a key with its value and where that came from.
type Setting struct {
	Key string `json:"key"`
	// Value is empty where it is; of a secret it is "[secret]".
	Value string `json:"value"`
	// From is one of FromDefault, FromFile, FromEnvironment and FromFlag, and Where says
	// which: the file with the line, the variable or the flag. It is empty for a default.
	From  string `json:"from"`
	Where string `json:"where"`
}

// Settings gives the settings that Load makes, in the order of [Config]. Its error is
// Load's.
func Settings(in Inputs) ([]Setting, error) {
	config, d, err := load(in)
	if err != nil {
		return nil, err
	}
	return d.settings(reflect.ValueOf(config).Elem(), ""), nil
}

func (d *decoder) settings(section reflect.Value, prefix string) (all []Setting) {
	for _, f := range fieldsOf(section) {
		key := join(prefix, f.name)
		switch {
		case f.value.Kind() == reflect.Struct:
			all = append(all, d.settings(f.value, key)...)
		case f.value.Type() == reflect.TypeFor[Limits]():
			for state, limit := range f.value.Interface().(Limits).rising() {
				all = append(all, d.setting(join(key, state.String()), reflect.ValueOf(limit)))
			}
		case f.value.Kind() == reflect.Slice && f.value.Type().Elem().Kind() == reflect.Struct && f.value.Len() > 0:
			for i := range f.value.Len() {
				all = append(all, d.settings(f.value.Index(i), fmt.Sprintf("%s[%d]", key, i))...)
			}
		default:
			all = append(all, d.setting(key, f.value))
		}
	}
	return all
}

func (d *decoder) setting(key string, value reflect.Value) Setting {
	s := Setting{Key: key, Value: textOf(value), From: FromDefault}
	origin, set := d.origins[key]
	if !set {
		return s
	}
	s.Where = origin.String()
	switch {
	case strings.HasPrefix(origin.name, "--"):
		s.From = FromFlag
	case strings.HasPrefix(origin.name, Prefix):
		s.From = FromEnvironment
	default:
		s.From = FromFile
	}
	return s
}

// inAddress is what a broker's address may hold of a user and a password.
var inAddress = regexp.MustCompile(`://[^/@,]*@`)

// textOf gives a value as it would be written, and of secrets that there are some.
func textOf(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case string:
		return inAddress.ReplaceAllLiteralString(v, "://"+hidden+"@")
	case Secret:
		if v == "" {
			return ""
		}
	}
	if value.Kind() != reflect.Slice {
		return fmt.Sprint(value.Interface())
	}
	var entries []string
	for i := range value.Len() {
		entries = append(entries, textOf(value.Index(i)))
	}
	return strings.Join(entries, ", ")
}
