package config_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
)

const (
	ivySecret  = "ivy-secret-that-nobody-may-see"
	runaSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// Without a file, an environment or flags the defaults stand, and they are those
// of the documentation.
func TestDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := config.Load(config.Inputs{})
	require.NoError(t, err)
	require.Equal(t, config.Default(), c)
	require.Equal(t, "./data", c.Data)
	require.Equal(t, "127.0.0.1:8080", c.Ingest.Listen)
	require.EqualValues(t, 4<<20, c.Ingest.MaxBody)
	require.Equal(t, "127.0.0.1:8081", c.API.Listen)
	require.True(t, c.NATS.Embedded())
	require.Equal(t, 2*time.Minute, time.Duration(c.Stream.DuplicateWindow))
}

// Every key of a file reaches the field that it names.
func TestEveryKeyOfAFileIsRead(t *testing.T) {
	t.Parallel()
	secretFile := write(t, "secret", ivySecret+"\n")
	credentials := write(t, "user.creds", "x")
	c, err := load(t, `
data: /var/lib/ticketrail
ingest:
  listen: 0.0.0.0:8080
  max_body: 1MiB
  max_in_flight: 64
api:
  listen: "[::1]:0"
  token: ${API_TOKEN}
nats:
  url: nats://a:4222,tls://b:4222
  credentials: `+credentials+`
  replicas: 3
stream:
  max_bytes: 10GB
  max_age: 7d
  duplicate_window: 1m30s
  durability: group
sources:
  - name: shop-1
    provider: ivy
    secrets: [ {file: `+secretFile+`}, "second" ]
    currency: SEK
    rate: 12.5
`, "API_TOKEN=t0ken")
	require.NoError(t, err)
	require.Equal(t, "/var/lib/ticketrail", c.Data)
	require.Equal(t, config.Ingest{Listen: "0.0.0.0:8080", MaxBody: 1 << 20, MaxInFlight: 64}, c.Ingest)
	require.Equal(t, config.API{Listen: "[::1]:0", Token: "t0ken"}, c.API)
	require.Equal(t, config.NATS{URL: "nats://a:4222,tls://b:4222", Credentials: credentials, Replicas: 3}, c.NATS)
	require.Equal(t, config.Stream{
		MaxBytes: 10e9, MaxAge: config.Duration(7 * 24 * time.Hour), DuplicateWindow: config.Duration(90 * time.Second), Durability: config.DurabilityGroup,
	}, c.Stream)
	require.Equal(t, []config.Source{{
		Name: "shop-1", Provider: "ivy", Secrets: []config.Secret{ivySecret, "second"}, Currency: "SEK", Rate: 12.5,
	}}, c.Sources)
	require.Equal(t, []string{ivySecret, "second"}, c.Sources[0].RevealSecrets())
}

// Flags overrule the environment, the environment overrules the file, and the
// file overrules the defaults.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := write(t, "ticketrail.yaml", "data: file\ningest: {listen: \"127.0.0.1:1\", max_body: 1MiB}\napi: {listen: \"127.0.0.1:2\"}\n")
	c, err := config.Load(config.Inputs{
		File:    file,
		Environ: []string{"TICKETRAIL_DATA=environment", "TICKETRAIL_INGEST_LISTEN=127.0.0.1:3", "TICKETRAIL_API_LISTEN="},
		Flags:   []config.Flag{{Key: "data", Name: "--data", Text: "flag"}},
	})
	require.NoError(t, err)
	require.Equal(t, "flag", c.Data)
	require.Equal(t, "127.0.0.1:3", c.Ingest.Listen)
	require.EqualValues(t, 1<<20, c.Ingest.MaxBody)
	require.Equal(t, "127.0.0.1:2", c.API.Listen, "an empty variable counts as unset")
	require.Equal(t, file, c.File)
}

// The file of the working directory is read without being named.
func TestTheWorkingDirectorysFileIsRead(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile(config.DefaultFile, []byte("data: here\n"), 0o600))
	c, err := config.Load(config.Inputs{})
	require.NoError(t, err)
	require.Equal(t, "here", c.Data)
	require.Equal(t, config.DefaultFile, c.File)
}

// Every key can be set by its environment variable alone: the whole list of
// sources as YAML, a secret by its value or by its file, everything else as it is.
func TestEveryKeyHasAnEnvironmentVariable(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"data": "d", "ingest.listen": "127.0.0.1:1", "ingest.max_body": "2KiB", "ingest.max_in_flight": "3",
		"api.listen": "[::1]:2", "api.token": "*odd: ${token}",
		"nats.url": "nats://n:4222", "nats.context": write(t, "c.json", "{}"), "nats.credentials": write(t, "c.creds", "x"), "nats.replicas": "5",
		"stream.max_bytes": "1GiB", "stream.max_age": "0", "stream.keep": "0", "stream.duplicate_window": "5m", "stream.durability": "group",
		"archive.dir": "a", "archive.store": "s3://bucket/a/prefix/", "archive.keep_local": "true",
		"archive.s3.endpoint": "http://s:1", "archive.s3.region": "here", "archive.s3.access_key": "k", "archive.s3.secret_key": "s", "rebuild.memory": "1GiB",
		"orders.publish": "false", "orders.max_bytes": "2MiB", "orders.max_age": "1d12h",
		"traces.endpoint": "http://c:4318", "traces.headers": "a=b", "traces.ratio": "0.5", "traces.follow_senders": "true",
		"limits":   "{placed: 1m, accepted: 2m, in-kitchen: 3m, ready: 4m, rider-delivering: 0}",
		"sources":  `[{name: r, provider: runa, secrets: ["${RUNA}"]}]`,
		"mappings": "[]",
	}
	for _, section := range []string{"ingest", "api", "nats"} {
		for _, name := range []string{"certificate", "key", "ca"} {
			texts[section+"."+name] = write(t, name+".pem", "x")
		}
	}
	environ := []string{"RUNA=" + runaSecret}
	for _, key := range config.Keys() {
		require.Contains(t, texts, key)
		environ = append(environ, config.Variable(key)+"="+texts[key])
	}
	c, err := config.Load(config.Inputs{File: write(t, "t.yaml", ""), Environ: environ})
	require.NoError(t, err)
	require.Equal(t, &config.Config{
		Data: "d",
		Ingest: config.Ingest{
			Listen: "127.0.0.1:1", MaxBody: 2048, MaxInFlight: 3,
			Certificate: texts["ingest.certificate"], Key: texts["ingest.key"], CA: texts["ingest.ca"],
		},
		API: config.API{
			Listen: "[::1]:2", Token: "*odd: ${token}",
			Certificate: texts["api.certificate"], Key: texts["api.key"], CA: texts["api.ca"],
		},
		NATS: config.NATS{
			URL: "nats://n:4222", Context: texts["nats.context"], Credentials: texts["nats.credentials"], Replicas: 5,
			CA: texts["nats.ca"], Certificate: texts["nats.certificate"], Key: texts["nats.key"],
		},
		Stream: config.Stream{MaxBytes: 1 << 30, DuplicateWindow: config.Duration(5 * time.Minute), Durability: config.DurabilityGroup},
		Archive: config.Archive{
			Dir: "a", Store: "s3://bucket/a/prefix/", KeepLocal: true,
			S3: config.S3{Endpoint: "http://s:1", Region: "here", AccessKey: "k", SecretKey: "s"},
		},
		Orders:  config.Orders{Publish: "false", MaxBytes: 2 << 20, MaxAge: config.Duration(36 * time.Hour)},
		Traces:  config.Traces{Endpoint: "http://c:4318", Headers: "a=b", Ratio: 0.5, FollowSenders: true},
		Rebuild: config.Rebuild{Memory: 1 << 30},
		Limits: config.Limits{
			domain.StatePlaced: config.Duration(time.Minute), domain.StateAccepted: config.Duration(2 * time.Minute),
			domain.StateInKitchen: config.Duration(3 * time.Minute), domain.StateReady: config.Duration(4 * time.Minute), domain.StateRiderDelivering: 0,
		},
		Sources:  []config.Source{{Name: "r", Provider: "runa", Secrets: []config.Secret{runaSecret}}},
		Mappings: []string{},
		File:     c.File,
	}, c)

	environ = []string{"TICKETRAIL_API_TOKEN={file: " + write(t, "token", "from-a-file\n") + "}"}
	c, err = config.Load(config.Inputs{File: write(t, "t.yaml", ""), Environ: environ})
	require.NoError(t, err)
	require.Equal(t, "from-a-file", c.API.Token.Reveal())
}

// An error in the environment or in a flag names the variable or the flag.
func TestErrorsNameTheVariableOrTheFlag(t *testing.T) {
	t.Parallel()
	empty := write(t, "t.yaml", "")
	for _, broken := range []struct {
		in     config.Inputs
		origin string
	}{
		{config.Inputs{Environ: []string{"TICKETRAIL_INGEST_MAX_BODY=big"}}, "TICKETRAIL_INGEST_MAX_BODY: ingest.max_body: "},
		{config.Inputs{Environ: []string{"TICKETRAIL_SOURCES=ivy"}}, "TICKETRAIL_SOURCES: sources: "},
		{config.Inputs{Environ: []string{"TICKETRAIL_SOURCES=[{nme: ivy}]"}}, "TICKETRAIL_SOURCES: sources[0].nme: "},
		{config.Inputs{Flags: []config.Flag{{Key: "api.listen", Name: "--api-listen", Text: "0.0.0.0:1"}}}, "--api-listen: api.listen: "},
	} {
		broken.in.File = empty
		_, err := config.Load(broken.in)
		require.ErrorContains(t, err, broken.origin)
	}
}

// What is loopback to the API is loopback to the configuration.
func TestAnyLoopbackNeedsNoToken(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"LocalHost:1", "[::1]:1", "127.9.9.9:1", "[::ffff:127.0.0.1]:1"} {
		_, err := config.Load(config.Inputs{File: write(t, "ticketrail.yaml", fmt.Sprintf("api: {listen: %q}", address))})
		require.NoError(t, err, address)
	}
}

// A file that was asked for by name must be there.
func TestANamedFileMustExist(t *testing.T) {
	t.Parallel()
	_, err := config.Load(config.Inputs{File: filepath.Join(t.TempDir(), "none.yaml")})
	require.ErrorContains(t, err, "cannot be read")
	require.ErrorAs(t, err, new(*config.Error))
}

// However a secret is printed, logged or marshalled, its value does not show.
func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	c, err := load(t, "api: {token: "+ivySecret+"}\nsources: [{name: i, provider: ivy, secrets: ["+ivySecret+"]}]\n")
	require.NoError(t, err)
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		fmt.Fprintf(&shown, verb, *c)
	}
	fmt.Fprintf(&shown, "%q %x", c.API.Token, c.API.Token)
	slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "token", c.API.Token, "sources", c.Sources)
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "token", c.API.Token, "sources", c.Sources)
	require.NoError(t, json.NewEncoder(&shown).Encode(c))
	require.NotContains(t, shown.String(), ivySecret)
	require.NotContains(t, shown.String(), fmt.Sprintf("%x", ivySecret))
	require.Equal(t, ivySecret, c.API.Token.Reveal())
}

// Who neither verifies nor signs needs no secret of a source. The API's token is
// read all the same.
func TestSecretsOfSourcesCanBeLeftUnread(t *testing.T) {
	t.Parallel()
	text := "api: {token: \"${API_TOKEN}\"}\nsources: [{name: r, provider: runa, secrets: [\"${RUNA}\", {file: /no/such}]}]\n"
	inputs := config.Inputs{File: write(t, "t.yaml", text), SecretsUnread: true}
	_, err := config.Load(inputs)
	require.ErrorContains(t, err, "api.token: the environment variable API_TOKEN is not set")
	inputs.Environ = []string{"API_TOKEN=t0ken"}
	c, err := config.Load(inputs)
	require.NoError(t, err)
	require.Equal(t, "t0ken", c.API.Token.Reveal())
	require.Equal(t, []string{"", ""}, c.Sources[0].RevealSecrets())
}

// A file that says only where its secrets are holds none.
func TestPlainSecretsAreNoticed(t *testing.T) {
	t.Parallel()
	for text, plain := range map[string]bool{
		ivy("secrets: [" + ivySecret + "]"):                                true,
		"api: {token: " + ivySecret + "}\n":                                true,
		"api: {token: \"\"}\n" + ivy(`secrets: ["${SECRET}"]`):             false,
		ivy("secrets: [{file: " + write(t, "secret", ivySecret) + "}]"):    false,
		ivy(`secrets: ["Bearer ${SECRET}"]`) + "data: " + ivySecret + "\n": false,
	} {
		c, err := load(t, text, "SECRET=s", "TICKETRAIL_API_TOKEN="+ivySecret)
		require.NoError(t, err)
		require.Equal(t, plain, c.PlainSecrets, text)
	}
}

// A size that is printed reads as the same size again.
func TestSizes(t *testing.T) {
	t.Parallel()
	for text, bytes := range map[string]config.Size{
		"0": 0, "1": 1, "1000B": 1000, "1KB": 1000, "1K": 1000, "1KiB": 1024, "4MiB": 4 << 20, "2G": 2e9, "3TiB": 3 << 40,
	} {
		size, err := config.ParseSize(text)
		require.NoError(t, err, text)
		require.Equal(t, bytes, size, text)
		again, err := config.ParseSize(size.String())
		require.NoError(t, err)
		require.Equal(t, size, again)
	}
	for _, text := range []string{"", "-1", "1.5MiB", "1 MiB", "MiB", "1mib", "99999999999999TiB"} {
		_, err := config.ParseSize(text)
		require.Error(t, err, text)
	}
}

// Days are read besides what Go reads, and no duration is negative.
func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "90s": 90 * time.Second, "2m": 2 * time.Minute, "7d": 168 * time.Hour, "1d1h30m": 25*time.Hour + 30*time.Minute,
	} {
		have, err := config.ParseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, time.Duration(have), text)
	}
	for _, text := range []string{"", "d", "-1s", "+1s", "1", "1d-1h", "1w", "1dd"} {
		_, err := config.ParseDuration(text)
		require.Error(t, err, text)
	}
}

func load(t *testing.T, text string, environ ...string) (*config.Config, error) {
	t.Helper()
	return config.Load(config.Inputs{File: write(t, "ticketrail.yaml", text), Environ: environ})
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// A store is a folder, or a bucket with what its names begin with.
func TestAStoreIsAFolderOrABucket(t *testing.T) {
	t.Parallel()
	for store, want := range map[string][]string{
		"s3://bucket": {"bucket", ""}, "s3://bucket/": {"bucket", ""}, "s3://bucket/a/prefix/": {"bucket", "a/prefix"},
	} {
		bucket, prefix, ok := config.Archive{Store: store}.Bucket()
		require.True(t, ok)
		require.Equal(t, want, []string{bucket, prefix})
	}
	_, _, ok := config.Archive{Store: "/mnt/disk/store"}.Bucket()
	require.False(t, ok)
	for text, problem := range map[string]string{
		"archive: {store: \"s3://B\"}":                                       "is no name of a bucket",
		"archive: {store: \"s3:/bucket\"}":                                   "\"s3:/bucket\" is neither",
		"ingest: {listen: \"127.0.0.1:9\"}\napi: {listen: \"127.0.0.1:9\"}":  "127.0.0.1:9 is ingest.listen already",
		"archive: {dir: off, store: there}":                                  "there is no archive to put there",
		"archive: {store: there, s3: {endpoint: \"s3.example.org\"}}":        "it is not the URL of a service",
		"archive: {store: there}\nstream: {keep: 1KiB}":                      "is too small",
		"archive: {store: there}\nstream: {keep: 100MiB, max_bytes: 150MiB}": "is too much",
	} {
		_, err := load(t, text+"\n")
		require.ErrorContains(t, err, problem)
	}
}
