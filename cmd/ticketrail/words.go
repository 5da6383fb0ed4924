package main

import (
	"errors"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// onCommandLine says what the API says of itself as it is done on a command line.
var onCommandLine = strings.NewReplacer(
	"GET /v1/sources lists the sources", "ticketrail sources lists them",
	"POST /v1/rebuilds rebuilds every order", "ticketrail rebuild makes every order anew",
	"GET /v1/rebuilds lists the rebuilds that there were", "ticketrail rebuilds list has those that there were",
	"GET /v1/rebuilds lists it", "ticketrail rebuilds list has it",
	"POST /v1/rebuilds with until makes one", "ticketrail rebuild --until makes one",
	"DELETE its rebuild, and POST /v1/rebuilds with the same until makes it anew",
	"ticketrail rebuilds delete removes it, and ticketrail rebuild with the same --until makes it anew",
	"see /v1/projection", "see what ticketrail doctor says",
	"GET the entry for its place in the stream", "ticketrail quarantine show has its place in the stream",
	"min_stream_sequence", "--min-stream-sequence",
)

// parserWords say in plain words what the parser says of a value that it cannot read.
var parserWords = []struct {
	said  *regexp.Regexp
	plain string
}{
	{regexp.MustCompile(`expected a valid \d+ bit uint but got`), "it must be a whole number from 0 on, not"},
	{regexp.MustCompile(`expected a valid \d+ bit int but got`), "it must be a whole number, not"},
	{regexp.MustCompile(`expected a float but got (".*") \(\w+\)$`), "it must be a number, not $1"},
	{regexp.MustCompile(`expected duration but got (".*?")(: .*)?$`), "it must be a time such as 500ms, 90s or 12h, not $1"},
	{regexp.MustCompile(`parsing time (".*?"):? .*$`), "it must be a time such as 2026-01-31T12:00:00Z, not $1"},
	{regexp.MustCompile(`must be one of "",`), "must be one of "},
}

// inPlainWords gives the message of an error. What the parser says is put so that whoever
// typed it understands it, and names all that there is where it names some.
func inPlainWords(err error) string {
	message := err.Error()
	parsed, ok := errors.AsType[*kong.ParseError](err)
	if !ok {
		return message
	}
	for _, words := range parserWords {
		message = words.said.ReplaceAllString(message, words.plain)
	}
	if below := below(parsed.Context); strings.HasSuffix(message, ", ...") && len(below) > 0 {
		message = "expected one of " + strings.Join(below, ", ")
	}
	return message
}

// below gives the commands that the one that was named consists of.
func below(parsed *kong.Context) (names []string) {
	node := parsed.Selected()
	if node == nil {
		node = parsed.Model.Node
	}
	for _, child := range node.Children {
		names = append(names, child.Name)
	}
	return names
}
