package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/fixture"
)

// printed is a request as --json prints it.
type printed struct {
	Method  string          `json:"method"`
	URL     string          `json:"url"`
	Headers http.Header     `json:"headers"`
	Body    json.RawMessage `json:"body"`
}

// print prints a request as it would be sent. Nothing has to run for that, nor to be
// configured.
func (c *triggerCommand) print(ctx context.Context, p *program, loaded *config.Config, f fixture.Fixture, overrides []fixture.Override) error {
	if err := c.makeUp(p, loaded); err != nil {
		return err
	}
	source, err := sourceOf(loaded, c.Source, c.Provider)
	if err != nil {
		return err
	}
	to, err := c.senderTo(p, loaded, source)
	if err != nil {
		return err
	}
	to.Event = f.Event
	t, err := c.make(f, overrides)
	if err != nil {
		return err
	}
	request, err := to.Request(ctx, t.id, t.body)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(p.stdout, printed{request.Method, request.URL.String(), request.Header, t.body})
	}
	fmt.Fprintf(p.stdout, "%s %s\n", request.Method, request.URL)
	printHeaders(p.stdout, request.Header)
	_, err = fmt.Fprintf(p.stdout, "\n%s\n", strings.TrimSuffix(string(t.body), "\n"))
	return err
}

// makeUp puts in place what is not there: the address of a program that does not run, and
// sources where none is known.
func (c *triggerCommand) makeUp(p *program, loaded *config.Config) (err error) {
	if _, nobody := ingestURL(loaded, p.namesFolder("ingest.listen")); nobody != nil && c.URL == "" {
		c.URL = configuredIngest(loaded)
	}
	if len(loaded.Sources) > 0 || exists(config.SourcesFile(loaded.Data)) {
		return nil
	}
	if c.Secret == "" {
		fmt.Fprintln(p.stderr, "no source is configured: it is signed with a secret that was made up")
	}
	loaded.Sources, err = config.MakeSources(rand.Reader)
	return err
}

// printHeaders prints headers as they are sent, one a line.
func printHeaders(w io.Writer, header http.Header) {
	for _, name := range sortedKeys(header) {
		for _, value := range header[name] {
			fmt.Fprintf(w, "%s: %s\n", name, value)
		}
	}
}

func sortedKeys(of map[string][]string) []string { return slices.Sorted(maps.Keys(of)) }
