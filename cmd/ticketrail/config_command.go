package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// configCommand tells what the program is configured with, and what it can be.
type configCommand struct {
	Show      configShow      `cmd:"" help:"Show each setting and where it comes from, without secrets."`
	Validate  configValidate  `cmd:"" help:"Tell whether serve would take the configuration, and what the examples of mapping files mean."`
	Reference configReference `cmd:"" help:"Print what can be configured, in Markdown."`
}

// configShow shows the settings.
type configShow struct {
	settings
	listeners
	listing
	JSON bool `name:"json" help:"Print JSON."`
}

// Run loads and prints. A secret of a source may be unset here.
func (c *configShow) Run(p *program) error {
	inputs := p.inputs(c.settings)
	inputs.SecretsUnread = true
	all, err := config.Settings(inputs)
	if err != nil {
		return err
	}
	loaded, err := config.Load(inputs)
	if err != nil {
		return err
	}
	if all, err = withKept(all, loaded); err != nil {
		return err
	}
	rows := newSheet("key", "value", "from", "where")
	rows.wide = hintWidth
	for _, s := range all {
		rows.add(s.Key, s.Value, s.From, s.Where)
	}
	return c.printList(p, c.JSON, map[string]any{"settings": all}, rows)
}

// withKept puts the sources that a start made in the place of those that are not configured.
func withKept(all []config.Setting, c *config.Config) ([]config.Setting, error) {
	if len(c.Sources) > 0 {
		return all, nil
	}
	made := config.SourcesFile(c.Data)
	if !exists(made) {
		return all, nil
	}
	kept, err := config.Settings(config.Inputs{File: made})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s config.Setting) bool { return s.Key == "sources" })
	for _, s := range kept {
		if strings.HasPrefix(s.Key, "sources[") {
			all = append(all, s)
		}
	}
	return all, nil
}

// configValidate loads the configuration as serve does, and tries out the examples of
// mapping files.
type configValidate struct {
	settings
	listeners
}

// Run loads, and tells from where.
func (c *configValidate) Run(p *program) error {
	loaded, err := p.load(c.settings)
	if err != nil {
		return err
	}
	place := "defaults, environment and flags"
	if loaded.File != "" {
		place = loaded.File
	}
	fmt.Fprintf(p.stdout, "%s: %s\n", place, counted(len(loaded.Sources), "source"))
	mappings, err := loaded.CheckMappings()
	for _, m := range mappings {
		fmt.Fprintf(p.stdout, "%s: provider %s, %s, %s\n", m.File, m.Provider.Name(),
			counted(len(m.Provider.Events()), "event"), counted(len(m.Examples), "example"))
		for _, x := range m.Examples {
			fmt.Fprintln(p.stdout, printable("  "+x.Event+" → "+told(x.Said)))
		}
	}
	return err
}

// told gives what an example says in one line.
func told(said []provider.Said) string {
	if len(said) == 0 {
		return "about no order"
	}
	words := make([]string, len(said))
	for i, s := range said {
		words[i] = s.Name + " " + s.Value
	}
	return strings.Join(words, ", ")
}

// configReference prints the keys.
type configReference struct{}

// referenceHead begins the reference.
const referenceHead = `# Configuration

This page is written by ` + "`ticketrail config reference`" + ` from the program itself: ` + "`make golden`" + ` does it, and a test compares.

A value comes from the defaults, which ` + "`ticketrail.yaml`" + ` overrules (or the file that ` + "`--config`" + ` names), that the environment, and that
flags. ` + "`ticketrail config show`" + ` tells which it was. An empty variable counts as unset. A secret is a text, in which ` + "`${NAME}`" + ` stands for a
variable, or ` + "`{file: PATH}`" + `. Sizes are written as 4MiB or 10GB, times as 90s, 12h or 7d. Lists and what begins with a brace are YAML
in variables too.
`

// Run prints.
func (c *configReference) Run(p *program, parser *kong.Kong) error {
	fmt.Fprint(p.stdout, referenceHead+"\n")
	fmt.Fprintln(p.stdout, "| key | default | variable, flag | |")
	fmt.Fprintln(p.stdout, "|---|---|---|---|")
	flags := flagsOfKeys(parser.Model.Node)
	for _, d := range config.Describe() {
		_, err := fmt.Fprintf(p.stdout, "| `%s` | %s | %s | %s |\n", d.Key, code(d.Default), code(d.Variable, flags[d.Key]), strings.ReplaceAll(d.Help, "|", `\|`))
		if err != nil {
			return err
		}
	}
	fmt.Fprint(p.stdout, mappingHead+"\n")
	for _, d := range config.DescribeMapping() {
		if _, err := fmt.Fprintf(p.stdout, "| `%s` | %s |\n", d.Key, strings.ReplaceAll(d.Help, "|", `\|`)); err != nil {
			return err
		}
	}
	return nil
}

// mappingHead begins the reference of mapping files.
const mappingHead = `
## Mapping files

A provider that ticketrail does not know itself is described by a file, which ` + "`sources[].mapping`" + ` names: [docs/providers/mapped.md](providers/mapped.md)
tells how to write one. A path is written as data.items.0.id, as a JSON Pointer (/data/a.b), or as a text of several, {store}:{data.id}; in a list of
paths the first one that leads to a value counts.

| key | |
|---|---|`

// code gives texts as Markdown shows code, without those that are empty.
func code(texts ...string) string {
	var shown []string
	for _, text := range texts {
		if text != "" {
			shown = append(shown, "`"+text+"`")
		}
	}
	return strings.Join(shown, ", ")
}

// flagsOfKeys gives the flag of each key that has one on some command.
func flagsOfKeys(node *kong.Node) map[string]string {
	flags := map[string]string{}
	_ = kong.Visit(node, func(v kong.Visitable, next kong.Next) error {
		if flag, ok := v.(*kong.Flag); ok {
			if key := flag.Tag.Get("setting"); key != "" {
				flags[key] = "--" + flag.Name
			}
		}
		return next(nil)
	})
	return flags
}
