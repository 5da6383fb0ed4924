package config

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"strings"
)

// DefaultFile is read from the working directory where no other file is named.
const DefaultFile = "ticketrail.yaml"

// Inputs are what a configuration is made from.
type Inputs struct {
	// File must exist. Where it is empty, DefaultFile is read if it exists.
	File string
	// Environ holds the environment as NAME=value, as os.Environ gives it.
	Environ []string
	// Flags overrule everything else.
	Flags []Flag
	// Variables are names that begin with Prefix and stand for no key, such as
	// those of flags that do not belong to the configuration.
	Variables []string
	// SecretsUnread leaves the secrets of sources unread, for a program that
	// neither verifies nor signs: what is in their place is of no use. Such a program
	// does not listen, as a rule; where it does, its token is looked at then.
	SecretsUnread bool
}

// Flag is a key that was set on the command line.
type Flag struct {
	Key string
	// Name is how the user knows it: "--ingest-listen".
	Name, Text string
}

// Load makes the configuration. Its error is an [*Error]. Sources may be empty:
// see [MakeSources].
func Load(in Inputs) (*Config, error) {
	config, _, err := load(in)
	return config, err
}

// load is Load, and gives where each value came from.
func load(in Inputs) (*Config, *decoder, error) {
	config := Default()
	d := &decoder{
		origins:       map[string]origin{},
		lookup:        lookupIn(in.Environ),
		referenced:    map[string]bool{},
		secretsUnread: in.SecretsUnread,
	}
	for _, layer := range []func(*Config, *decoder, Inputs) error{readFile, readEnvironment, readFlags, readContext, checkVariables, readMappings} {
		if err := layer(config, d, in); err != nil {
			return nil, nil, err
		}
	}
	config.PlainSecrets = d.plainSecrets
	return config, d, validate(config, d)
}

func readFile(config *Config, d *decoder, in Inputs) error {
	d.origin, d.lines = in.File, true
	if in.File == "" {
		d.origin = DefaultFile
	}
	text, err := os.ReadFile(d.origin)
	if errors.Is(err, fs.ErrNotExist) && in.File == "" {
		return nil
	}
	if err != nil {
		return d.fail(0, "", misfitf("name a file that this user can read with --config", "it cannot be read: %v", errors.Unwrap(err)))
	}
	config.File = d.origin
	return d.decodeYAML(text, reflect.ValueOf(config).Elem(), "")
}

func readEnvironment(config *Config, d *decoder, _ Inputs) (err error) {
	eachKey(reflect.ValueOf(config).Elem(), "", func(key string, value reflect.Value) bool {
		name := Variable(key)
		if text, ok := d.lookup(name); ok && text != "" {
			err = d.assign(name, text, value, key)
		}
		return err == nil
	})
	return err
}

func readFlags(config *Config, d *decoder, in Inputs) error {
	for _, flag := range in.Flags {
		var err error
		eachKey(reflect.ValueOf(config).Elem(), "", func(key string, value reflect.Value) bool {
			if key == flag.Key {
				err = d.assign(flag.Name, flag.Text, value, key)
			}
			return key != flag.Key
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// assign sets one key from a text that is not part of a file. What a list is made
// of, or looks like a mapping, is YAML; any other text is the value itself, so
// that no character of a token or an address has to be quoted.
func (d *decoder) assign(origin, text string, target reflect.Value, key string) error {
	d.origin, d.lines = origin, false
	if strings.HasPrefix(text, "{") || target.Kind() == reflect.Slice || target.Kind() == reflect.Map {
		return d.decodeYAML([]byte(text), target, key)
	}
	if target.Type() == reflect.TypeFor[Secret]() {
		return d.setSecret(text, target, key, 0)
	}
	return d.setText(text, target, key, 0)
}

func lookupIn(environ []string) func(string) (string, bool) {
	values := make(map[string]string, len(environ))
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}
