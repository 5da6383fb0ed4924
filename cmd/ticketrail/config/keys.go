package config

import (
	"reflect"
	"slices"
	"strings"
)

// Prefix begins the name of every environment variable.
const Prefix = "TICKETRAIL_"

// Variable gives the environment variable of a key: TICKETRAIL_INGEST_LISTEN for
// ingest.listen.
func Variable(key string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// FlagName gives the flag of a key, where a command has one: --ingest-listen for
// ingest.listen.
func FlagName(key string) string {
	return "--" + strings.NewReplacer(".", "-", "_", "-").Replace(key)
}

// Keys gives every key that has an environment variable, in the order of [Config].
// The settings of one source have none: TICKETRAIL_SOURCES holds the whole list.
func Keys() []string {
	var keys []string
	eachKey(reflect.ValueOf(Default()).Elem(), "", func(key string, _ reflect.Value) bool {
		keys = append(keys, key)
		return true
	})
	return keys
}

// eachKey visits the values of a configuration that are not sections, until
// visit gives false.
func eachKey(section reflect.Value, prefix string, visit func(key string, value reflect.Value) bool) bool {
	for _, f := range fieldsOf(section) {
		key := join(prefix, f.name)
		if f.value.Kind() == reflect.Struct {
			if !eachKey(f.value, key, visit) {
				return false
			}
		} else if !visit(key, f.value) {
			return false
		}
	}
	return true
}

// fields are the keys of one section.
type fields []field

type field struct {
	name  string
	help  string
	value reflect.Value
}

func fieldsOf(section reflect.Value) fields {
	var all fields
	for i := range section.NumField() {
		if tag := section.Type().Field(i).Tag; tag.Get("yaml") != "-" {
			all = append(all, field{name: tag.Get("yaml"), help: tag.Get("help"), value: section.Field(i)})
		}
	}
	return all
}

func (all fields) named(name string) (reflect.Value, bool) {
	i := slices.IndexFunc(all, func(f field) bool { return f.name == name })
	if i < 0 {
		return reflect.Value{}, false
	}
	return all[i].value, true
}

// list names the fields: "a, b and c".
func (all fields) list() string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}
