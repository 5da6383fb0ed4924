package config_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/fixture"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// mappingOf gives a mapping file whose last lines are the ones given.
func mappingOf(more string) string {
	return `name: acme
signature: { scheme: hmac, header: X-Acme, encoding: hex }
event: type
order: id
events:
  paid: { payment: paid }
` + more
}

// sourcesOf gives a configuration with a source of a mapping file.
func sourcesOf(mapping string) string {
	return "sources:\n  - { name: shop, provider: mapped, mapping: " + mapping + ", secrets: [s3cret] }\n"
}

// brokenMappings are mapping files that cannot be meant: where the error is, and what it
// and its mend say.
var brokenMappings = map[string]struct{ text, at, problem, mend string }{
	"unknown key":           {mappingOf("ordr: id\n"), ":7: ordr: ", "no such key", "webhook_id, event, order"},
	"unknown key of events": {mappingOf("  new: { paid: yes }\n"), ":7: events.new.paid: ", "no such key", "kind, fulfillment"},
	"unknown axis value":    {mappingOf("  new: { payment: done }\n"), ":7: events.new.payment: ", "use none, pending, authorized", ""},
	"unknown kind":          {mappingOf("  new: { kind: stap }\n"), ":7: events.new.kind: ", "use step, snapshot", ""},
	"tombstone":             {mappingOf("  new: { kind: tombstone }\n"), ":7: events.new.kind: ", "nothing that a provider can say", "step or snapshot"},
	"snapshot without time": {mappingOf("  new: { kind: snapshot }\n"), ":7: events.new.kind: ", "nothing would tell which snapshot is the newest", "time:"},
	"unknown fact":          {mappingOf("  new: { without: [totals] }\n"), ":7: events.new.without: ", `"totals" is not known here`, "total, discount, refunded"},
	"ignored but not":       {mappingOf("  new: { ignored: true, outcome: closed }\n"), ":7: events.new.ignored: ", "means nothing", "leave it out"},
	"problem in words":      {mappingOf("  new: { problem: Call Them }\n"), ":7: events.new.problem: ", "no single word", "a-z"},
	"one token for two":     {mappingOf("  PAID: { payment: paid }\n"), ":7: events.PAID: ", "would not tell it from paid", "leave one"},
	"no token":              {mappingOf("  other: {}\n"), ":7: events.other: ", "cannot be the name of an event", "leave it out"},
	"an erasure":            {mappingOf("  Erased: {}\n"), ":7: events.Erased: ", "own word for an erasure", "leave it out"},
	"an event twice":        {mappingOf("  paid: {}\n"), ":7: ", "already defined", "mend the YAML"},
	"jsonpath":              {mappingOf("time: $.created\n"), ":7: time: ", "another language", ""},
	"empty path":            {mappingOf("time:\n"), ":7: time: ", "name of the path is empty", ""},
	"template of a time":    {mappingOf("time: \"{a}{b}\"\n"), ":7: time: ", "cannot be put together", "without braces"},
	"template of an amount": {mappingOf("total: \"{a}.{b}\"\n"), ":7: total: ", "cannot be put together", "without braces"},
	"header of a total":     {mappingOf("total: { header: X }\n"), ":7: total: ", "must be one value", "plain value"},
	"header and path":       {mappingOf("webhook_id: { header: X, path: id }\n"), ":7: webhook_id: ", "in two places", "a path or a header"},
	"no header":             {mappingOf("webhook_id: { header: \"X: Y\" }\n"), ":7: webhook_id.header: ", "no name of a header", "write the name"},
	"too many digits":       {mappingOf("minor_digits: 9\n"), ":7: minor_digits: ", "9 is out of range", "from 0 to 6"},
	"digits of no currency": {mappingOf("minor_digits_of: { yen: 0 }\n"), ":7: minor_digits_of: ", "other than currencies", "JPY"},
	"not a number":          {mappingOf("minor_digits: two\n"), ":7: minor_digits: ", "not a whole number", "whole number"},
	"no name":               {"signature: { scheme: basic }\n", ": name: ", "cannot be the name", "a-z"},
	"name of another":       {"name: ivy\n", ":1: name: ", "ticketrail's own", "another name"},
	"no scheme":             {"name: acme\n", ": signature.scheme: ", "missing", "standard-webhooks, hmac, timestamped-hmac, header, basic"},
	"unknown scheme":        {"name: acme\nsignature:\n  scheme: hmac-sha1\n", ":3: signature.scheme: ", `"hmac-sha1" is not known`, "standard-webhooks, hmac"},
	"hmac without encoding": {"name: acme\nsignature: { scheme: hmac, header: X }\n", ":2: signature.encoding: ", "missing", "hex, base64"},
	"hmac without header":   {"name: acme\nsignature: { scheme: hmac, encoding: hex }\n", ":2: signature.header: ", "no name of a header", "X-Signature"},
	"key of another scheme": {"name: acme\nsignature: { scheme: basic, encoding: hex }\n", ":2: signature.encoding: ", "the scheme basic has no use for it", "leave it out"},
	"tolerance for ever":    {"name: acme\nsignature: { scheme: timestamped-hmac, header: X, encoding: hex, tolerance: 2d }\n", ":2: signature.tolerance: ", "too long", "1h"},
	"no event":              {"name: acme\nsignature: { scheme: basic }\norder: id\n", ": event: ", "missing", "{header: NAME}"},
	"no order":              {"name: acme\nsignature: { scheme: basic }\nevent: type\n", ": order: ", "missing", "order key"},
	"no events":             {"name: acme\nsignature: { scheme: basic }\nevent: type\norder: id\n", ": events: ", "missing", "payment: paid"},
}

// An unclear mapping is an error at the start that names the file and the line, and what
// may stand there.
func TestMappingErrorsNameTheFileTheKeyAndTheMend(t *testing.T) {
	t.Parallel()
	for name, broken := range brokenMappings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, "acme.yaml", broken.text)
			_, err := load(t, sourcesOf(file))
			var bad *config.Error
			require.ErrorAs(t, err, &bad)
			require.True(t, strings.HasPrefix(err.Error(), file+broken.at), "%v", err)
			require.Contains(t, err.Error(), broken.problem)
			require.Contains(t, bad.Hint(), broken.mend)
		})
	}
}

// A source that is mapped needs a file that can be read, and no other one has a use for it;
// each provider has one file.
func TestSourcesOfMappings(t *testing.T) {
	t.Parallel()
	file := write(t, "acme.yaml", mappingOf(""))
	c, err := load(t, sourcesOf(file)+"  - { name: shop-2, provider: mapped, mapping: "+file+", secrets: [s] }\nmappings: ["+file+"]\n")
	require.NoError(t, err)
	require.Equal(t, "acme", c.Sources[0].Adapter().Name())
	require.Same(t, c.Sources[0].Adapter(), c.Sources[1].Adapter())
	require.Len(t, c.Providers(), len(provider.All())+1)
	require.Equal(t, []string{"X-Acme"}, c.KeptHeaders())

	for text, want := range map[string]string{
		"sources:\n  - { name: s, provider: mapped, secrets: [s] }\n":          ":2: sources[0].mapping: provider: mapped needs a mapping file",
		"sources:\n  - { name: s, provider: ivy, mapping: x, secrets: [s] }\n": ":2: sources[0].mapping: the provider ivy has no use",
		sourcesOf("/no/such.yaml"): ":2: sources[0].mapping: the file cannot be read",
		sourcesOf("/dev/zero"):     ":2: sources[0].mapping: the file cannot be read",
		sourcesOf(file) + "mappings: [" + write(t, "copy.yaml", mappingOf("time: at\n")) + "]\n":                             "/copy.yaml",
		"sources:\n  - { name: s, provider: acme, secrets: [s] }\n":                                                          `sources[0].provider: "acme" is no provider`,
		sourcesOf(write(t, "basic.yaml", strings.Replace(mappingOf(""), "hmac, header: X-Acme, encoding: hex", "basic", 1))): "not user:password",
	} {
		_, err := load(t, text)
		require.ErrorContains(t, err, want, text)
	}
}

// An example that does not mean what it should is an error at its line.
func TestMappingExamplesAreTriedOut(t *testing.T) {
	t.Parallel()
	examples := "examples:\n  - event: paid\n    body: '%s'\n    expect: { order: \"7\", payment: paid, total: %s }\n"
	for body, want := range map[string]string{
		`{"type":"paid","id":7,"total":"1.50"}`: "",
		`{"type":"paid","id":7}`:                "total is nothing, and not 1.50",
		`{"type":"paid","id":8,"total":"1.50"}`: "order is 8, and not 7",
		`{"type":"new","id":7}`:                 "of another event",
		`{"type":"paid"}`:                       "would be quarantined: order-key-missing at /id",
		`{"type":"paid","id":7,"total":[]}`:     "cannot be read: /total",
		`{"type":"paid",`:                       "not JSON",
	} {
		file := write(t, "acme.yaml", mappingOf("total: total\n"+fmt.Sprintf(examples, body, "\"1.50\"")))
		c, err := load(t, sourcesOf(file))
		require.NoError(t, err)
		_, err = c.CheckMappings()
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, file+":9: examples[0] (paid): ")
		require.ErrorContains(t, err, want)
	}
}

// deployed gives the mapping files that ticketrail comes with.
func deployed(t *testing.T) []config.Mapping {
	t.Helper()
	files, err := filepath.Glob("../../../deploy/providers/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 4)
	c, err := load(t, "mappings: ["+strings.Join(files, ", ")+"]\n")
	require.NoError(t, err)
	all, err := c.CheckMappings()
	require.NoError(t, err)
	return all
}

// The mapping files of deploy/providers are right, with examples that expect something.
func TestTheMappingsOfDeploy(t *testing.T) {
	t.Parallel()
	for _, m := range deployed(t) {
		require.GreaterOrEqual(t, len(m.Examples), 4, m.File)
		for _, x := range m.Provider.Examples() {
			ignored := m.Provider.Mapping().Events[indexOf(m.Provider, x.Event)].Ignored
			require.True(t, ignored || len(x.Expect) > 0, "%s: %s expects nothing", m.File, x.Event)
		}
	}
}

func indexOf(p *provider.Mapped, event string) int {
	for i, e := range p.Mapping().Events {
		if e.Name == event {
			return i
		}
	}
	return -1
}

// The promise holds for mapped providers too: any permutation and any repetition of an
// order's webhooks, whatever their times, ends in the same order.
func TestMappedWebhooksInAnyOrderEndTheSame(t *testing.T) {
	t.Parallel()
	for _, m := range deployed(t) {
		t.Run(m.Provider.Name(), func(t *testing.T) {
			t.Parallel()
			fixtures, err := fixture.Of(m.Provider)
			require.NoError(t, err)
			rapid.Check(t, func(t *rapid.T) {
				key := fixtures[0].NewOrder(rand.New(rand.NewPCG(1, 1)))
				sent := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *domain.Event { return eventOf(t, m.Provider, fixtures, key) }), 1, 7).Draw(t, "events")
				repeats := rapid.SliceOfN(rapid.SampledFrom(sent), 0, 4).Draw(t, "repeats")
				arrived := rapid.Permutation(append(append([]*domain.Event{}, sent...), repeats...)).Draw(t, "arrived")
				require.Equal(t, fold(sent), fold(arrived))
			})
		})
	}
}

// eventOf draws what a webhook of an order means.
func eventOf(t *rapid.T, p *provider.Mapped, fixtures []fixture.Fixture, key string) *domain.Event {
	f := rapid.SampledFrom(fixtures).Filter(func(f fixture.Fixture) bool { return f.AboutOrder }).Draw(t, "fixture")
	at := time.Unix(1_800_000_000+int64(rapid.IntRange(0, 2).Draw(t, "second")), 0)
	body, err := f.Body(fixture.Webhook{Order: key, At: at, ID: "evt_" + rapid.StringMatching("[0-9]").Draw(t, "id")})
	require.NoError(t, err)
	event, err := p.Translate(&domain.Webhook{Provider: p.Name(), Event: f.Event, Body: body, BodyDigest: domain.DigestBody(body)})
	require.NoError(t, err)
	require.Equal(t, key, event.Key)
	return event
}

// fold gives the order in which events end, without what is about arrival.
func fold(events []*domain.Event) domain.Order {
	order := domain.NewOrder("shop", "acme", events[0].Key)
	for i, event := range events {
		at := domain.UnixInstant(int64(i))
		order.Apply(event, uint64(i+1), at, at)
	}
	order.FirstSeenAt, order.LastSeenAt, order.StoredAt, order.ProblemSince, order.StateSince = domain.Instant{}, domain.Instant{}, domain.Instant{}, domain.Instant{}, domain.Instant{}
	order.Version, order.StreamSequence = 0, 0
	for i := range order.Anomalies {
		order.Anomalies[i].StreamSequence = 0
	}
	return *order
}

// Whatever is in a mapping file, it is a provider, or an error that names a place.
func FuzzMapping(f *testing.F) {
	files, err := filepath.Glob("../../../deploy/providers/*.yaml")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(text)
	}
	for _, broken := range brokenMappings {
		f.Add([]byte(broken.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "acme.yaml")
		require.NoError(t, os.WriteFile(file, text, 0o600))
		c, err := config.Load(config.Inputs{File: write(t, "ticketrail.yaml", "mappings: ["+file+"]\n")})
		if err == nil {
			_, err = c.CheckMappings()
		}
		if err == nil {
			return
		}
		var told *config.Error
		require.True(t, errors.As(err, &told), "%v", err)
		require.NotEmpty(t, told.Problem)
	})
}
