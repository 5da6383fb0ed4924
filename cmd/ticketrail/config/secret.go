package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxSecretFile is the size in bytes above which a file cannot hold a secret:
// it is most likely the wrong file.
const maxSecretFile = 16 << 10

var variableForm = regexp.MustCompile(`\$\{([^}]*)\}`)

// decodeSecret reads a secret: a text, with ${NAME} in it replaced from the
// environment, or {file: PATH}.
func (d *decoder) decodeSecret(node ast.Node, target reflect.Value, key string) error {
	line := node.GetToken().Position.Line
	ofSource := strings.HasPrefix(key, "sources[")
	if text, ok := scalar(node); ok {
		value, err := d.expand(text)
		mayBeUnset := ofSource && d.secretsUnread
		if err != nil && !mayBeUnset {
			return d.fail(line, key, err)
		}
		d.plainSecrets = d.plainSecrets || d.lines && text != "" && !variableForm.MatchString(text)
		return d.setSecret(value, target, key, line)
	}
	if _, ok := node.(ast.MapNode); !ok {
		return d.fail(line, key, misfitf("write a text, ${NAME} or {file: PATH}", "it must be a secret, not %s", kindOf(node)))
	}
	var source struct {
		File string `yaml:"file"`
	}
	if err := d.decode(node, reflect.ValueOf(&source).Elem(), key); err != nil {
		return err
	}
	if ofSource && d.secretsUnread {
		return d.setSecret("", target, key, line)
	}
	value, err := readSecret(source.File)
	if err != nil {
		return d.fail(line, key, err)
	}
	return d.setSecret(value, target, key, line)
}

func (d *decoder) setSecret(value string, target reflect.Value, key string, line int) error {
	target.SetString(value)
	d.origins[key] = d.at(line)
	return nil
}

// expand replaces each ${NAME}. A variable that is not set is an error: an empty
// secret would let everybody in.
func (d *decoder) expand(text string) (string, error) {
	var unset string
	expanded := variableForm.ReplaceAllStringFunc(text, func(reference string) string {
		name := variableForm.FindStringSubmatch(reference)[1]
		d.referenced[name] = true
		value, ok := d.lookup(name)
		if !ok || value == "" {
			unset = name
		}
		return value
	})
	if unset != "" {
		return "", misfitf("export "+unset+" before the start, or write the secret itself", "the environment variable %s is not set", unset)
	}
	return expanded, nil
}

// readSecret reads a secret from a file and trims the newline that editors add.
func readSecret(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", misfitf("write {file: PATH} with a file that this user can read", "the secret's file cannot be read: %v", err)
	}
	if len(content) > maxSecretFile {
		return "", misfitf("name the file that holds the secret alone", "the file %s is too large for a secret", path)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}
