package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// brokenFiles are files that the program cannot run with: where the error is, and
// what it and its mend say.
var brokenFiles = map[string]struct{ text, at, problem, mend string }{
	"unknown key":              {"dat: x\n", ":1: dat: ", "no such key", "data, ingest, api"},
	"unknown key in a section": {"ingest:\n  listn: x\n", ":2: ingest.listn: ", "no such key", "listen, max_body, max_in_flight, certificate, key and ca"},
	"unknown key of a source":  {ivy("secret: x"), ":2: sources[0].secret: ", "no such key", "secrets"},
	"key given twice":          {"data: a\ndata: b\n", ":2: ", "already defined", "mend the YAML"},
	"not YAML":                 {"api: {token: " + ivySecret + "\n", ":1: ", "flow mapping end", "mend the YAML"},
	"not a mapping":            {"- a\n", ":1: ", "must hold keys, not a list", "lines of their own"},
	"two documents":            {"data: a\n---\ndata: b\n", ":2: ", "more than one YAML document", "without ---"},
	"section is a value":       {"ingest: 8080\n", ":1: ingest: ", "must hold keys", "indented"},
	"value is a list":          {"data: [a]\n", ":1: data: ", "must be one value, not a list", "plain value"},
	"alias":                    {"data: &x a\n", ":1: data: ", "anchor", "plain value"},
	"bad size":                 {"ingest: {max_body: 4 megs}\n", ":1: ingest.max_body: ", `"4 megs" is not a size`, "4MiB"},
	"size out of range":        {"ingest: {max_body: 1GiB}\n", ":1: ingest.max_body: ", "1GiB is out of range", "8MiB"},
	"bad number":               {"ingest: {max_in_flight: many}\n", ":1: ingest.max_in_flight: ", "not a whole number", "whole number"},
	"number out of range":      {"ingest: {max_in_flight: 0}\n", ":1: ingest.max_in_flight: ", "0 is out of range", "from 1"},
	"bad duration":             {"stream: {max_age: 7 days}\n", ":1: stream.max_age: ", `"7 days" is not a duration`, "7d"},
	"negative duration":        {"stream: {duplicate_window: -1m}\n", ":1: stream.duplicate_window: ", "not a duration", "2m"},
	"window out of range":      {"stream: {duplicate_window: 2h}\n", ":1: stream.duplicate_window: ", "out of range", "1h"},
	"orders in nothing":        {"orders: {max_bytes: 1KiB}\n", ":1: orders.max_bytes: ", "too small", "1MiB"},
	"orders for no time":       {"orders: {max_age: 0}\n", ":1: orders.max_age: ", "too short", "1m"},
	"orders perhaps":           {"orders: {publish: perhaps}\n", ":1: orders.publish: ", "neither true nor false", "write true or false"},
	"rebuild in nothing":       {"rebuild: {memory: 1MiB}\n", ":1: rebuild.memory: ", "out of range", "64MiB"},
	"age below the window":     {"stream: {max_age: 1m}\n", ":1: stream.max_age: ", "too short", "duplicate_window"},
	"unknown durability":       {"stream: {durability: never}\n", ":1: stream.durability: ", `"never" is no way to sync`, "group, each or page"},
	"durability elsewhere":     {"stream: {durability: page, max_bytes: 1GiB}\nnats: {url: nats://h}\n", ":1: stream.durability: ", "its own settings", "sync_interval"},
	"stream too small":         {"stream: {max_bytes: 4KiB}\n", ":1: stream.max_bytes: ", "too small", "1MiB"},
	"bad address":              {"ingest:\n  listen: localhost\n", ":2: ingest.listen: ", `"localhost" is not an address`, "host:port"},
	"bad port":                 {"ingest:\n  listen: localhost:http-or-so\n", ":2: ingest.listen: ", "no usable port", "host:port"},
	"open api without a token": {"api:\n  listen: 0.0.0.0:8081\n", ":2: api.listen: ", "no token", "TICKETRAIL_API_TOKEN"},
	"api on every address":     {"api:\n  listen: :8081\n", ":2: api.listen: ", "no token", "127.0.0.1"},
	"empty data":               {"data: \"\"\n", ":1: data: ", "empty", "./data"},
	"bad NATS address":         {"nats: {url: \"http://u:" + ivySecret + "@h\"}\n", ":1: nats.url: ", "not a list of NATS addresses", "nats://host:4222"},
	"no certificates":          {"nats: {ca: /no/such.pem}\n", ":1: nats.ca: ", "no file", "PEM"},
	"no key":                   {"nats: {certificate: /no/such.pem}\n", ":1: nats.certificate: ", "no file", "PEM"},
	"no api certificate":       {"api: {certificate: /no/such.pem}\n", ":1: api.certificate: ", "no file", "PEM"},
	"no ingest key":            {"ingest: {key: /no/such.pem}\n", ":1: ingest.key: ", "no file", "PEM"},
	"no credentials":           {"nats: {credentials: /no/such.creds}\n", ":1: nats.credentials: ", "no file", ".creds"},
	"even replicas":            {"nats: {url: \"nats://a:1\", replicas: 2}\n", ":1: nats.replicas: ", "2 replicas", "1, 3 or 5"},
	"embedded replicas":        {"nats: {replicas: 3}\n", ":1: nats.replicas: ", "the embedded server is one", "nats.url"},
	"sources are no list":      {"sources: {name: ivy}\n", ":1: sources: ", "must be a list", "brackets"},
	"missing name":             {"sources:\n  - { provider: ivy, secrets: [s] }\n", ":2: sources[0].name: ", "missing", "last part of its address"},
	"bad name":                 {"sources:\n  - { name: My_Shop, provider: ivy, secrets: [s] }\n", ":2: sources[0].name: ", `"My_Shop" cannot be`, "a-z"},
	"two of one name":          {ivy("secrets: [s]") + "  - { name: ivy, provider: ivy, secrets: [s] }\n", ":3: sources[1].name: ", "sources[0] is named", "name of its own"},
	"unknown provider":         {"sources:\n  - { name: x, provider: stripe, secrets: [s] }\n", ":2: sources[0].provider: ", `"stripe" is no provider`, "ivy, ordatic, payway, runa"},
	"missing secret":           {ivy("currency: SEK"), ":2: sources[0].secrets: ", "missing", "secrets: ["},
	"empty secret":             {ivy(`secrets: [""]`), ":2: sources[0].secrets[0]: ", "empty", "signs with"},
	"secrets are no list":      {ivy("secrets: " + ivySecret), ":2: sources[0].secrets: ", "must be a list", "brackets"},
	"secret is a list":         {ivy("secrets: [[" + ivySecret + "]]"), ":2: sources[0].secrets[0]: ", "not a list", "{file: PATH}"},
	"secret of another form":   {"sources:\n  - name: r\n    provider: runa\n    secrets:\n      - " + ivySecret + "\n", ":5: sources[0].secrets[0]: ", "cannot be a secret", "as runa shows it"},
	"unset variable":           {ivy(`secrets: ["${NOT_SET}"]`), ":2: sources[0].secrets[0]: ", "NOT_SET is not set", "export NOT_SET"},
	"secret file is missing":   {ivy("secrets: [{file: /no/such}]"), ":2: sources[0].secrets[0]: ", "cannot be read", "this user can read"},
	"secret with another key":  {ivy("secrets: [{path: /x}]"), ":2: sources[0].secrets[0].path: ", "no such key", "it knows file"},
	"bad currency":             {ivy("secrets: [s], currency: kr"), ":2: sources[0].currency: ", `"kr" is no currency`, "SEK"},
	"headers of no form":       {"traces: {headers: " + ivySecret + "}\n", ":1: traces.headers: ", "no list of NAME=VALUE", "authorization="},
	"rate below one":           {ivy("secrets: [s], rate: 0.5"), ":2: sources[0].rate: ", "out of range", "from 1"},
	"rate is no number":        {ivy("secrets: [s], rate: NaN"), ":2: sources[0].rate: ", "NaN", "from 1"},
}

// What the program cannot run with is an error that names the file and line, the
// key and the mend, and holds no secret.
func TestErrorsNameTheFileTheKeyAndTheMend(t *testing.T) {
	t.Parallel()
	for name, broken := range brokenFiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, "ticketrail.yaml", broken.text)
			_, err := config.Load(config.Inputs{File: file})
			var bad *config.Error
			require.ErrorAs(t, err, &bad)
			require.True(t, strings.HasPrefix(err.Error(), file+broken.at), "%v", err)
			require.Contains(t, err.Error(), broken.problem)
			require.Contains(t, bad.Hint(), broken.mend)
			require.NotContains(t, err.Error()+bad.Hint(), ivySecret)
		})
	}
}

// Of several things that are wrong the one that stands first in the file is told.
func TestTheFirstMistakeOfTheFileIsTold(t *testing.T) {
	t.Parallel()
	_, err := load(t, "sources:\n  - { name: My_Shop, provider: ivy, secrets: [s] }\nstream: { max_age: 1s }\nnats: { replicas: 2 }\napi: { listen: \"0.0.0.0:1\" }\n")
	require.ErrorContains(t, err, ":2: sources[0].name")
	_, err = load(t, "stream: { max_age: 1s }\n", "TICKETRAIL_API_LISTEN=0.0.0.0:1")
	require.ErrorContains(t, err, "TICKETRAIL_API_LISTEN: api.listen")
}

// A variable that sets nothing is refused with the one that was most likely meant,
// unless the file refers to it, a flag has it, it is empty, or Kubernetes made it.
func TestAMistypedVariableIsRefused(t *testing.T) {
	t.Parallel()
	_, err := load(t, "", "TICKETRAIL_INGEST_LISTN=127.0.0.1:1")
	require.EqualError(t, err, "TICKETRAIL_INGEST_LISTN: there is no such variable")
	var bad *config.Error
	require.ErrorAs(t, err, &bad)
	require.Equal(t, "did you mean TICKETRAIL_INGEST_LISTEN? If not, unset it", bad.Hint())
	_, err = load(t, "", "TICKETRAIL_TOKEN=t")
	require.ErrorAs(t, err, &bad)
	require.Contains(t, bad.Hint(), "TICKETRAIL_API_TOKEN")

	_, err = load(t, ivy(`secrets: ["${TICKETRAIL_IVY_SECRET}"]`), "TICKETRAIL_IVY_SECRET=s", "TICKETRAIL_EMPTY=", "TICKETRAILS=x",
		"TICKETRAIL_SERVICE_HOST=10.0.0.1", "TICKETRAIL_SERVICE_PORT=8080", "TICKETRAIL_SERVICE_PORT_INGEST=8080", "TICKETRAIL_PORT=tcp://10.0.0.1:8080",
		"TICKETRAIL_API_PORT_8081_TCP=tcp://10.0.0.1:8081", "TICKETRAIL_API_PORT_8081_TCP_ADDR=10.0.0.1")
	require.NoError(t, err)
	_, err = load(t, "", "TICKETRAIL_API_PORT=8081")
	require.ErrorContains(t, err, "no such variable")
	_, err = config.Load(config.Inputs{
		File: write(t, "t.yaml", ""), Environ: []string{"TICKETRAIL_LOG_LEVEL=warn"}, Variables: []string{"TICKETRAIL_LOG_LEVEL"},
	})
	require.NoError(t, err)
}

func ivy(more string) string {
	return "sources:\n  - { name: ivy, provider: ivy, " + more + " }\n"
}
