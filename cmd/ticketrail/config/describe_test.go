package config_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// Every key says what it is, by the names that it is set by.
func TestEveryKeyIsDescribed(t *testing.T) {
	t.Parallel()
	described := map[string]config.Description{}
	for _, d := range config.Describe() {
		require.NotEmpty(t, d.Help, d.Key)
		described[d.Key] = d
	}
	for _, key := range config.Keys() {
		require.Equal(t, config.Variable(key), described[key].Variable)
	}
	require.Equal(t, "4MiB", described["ingest.max_body"].Default)
	require.Equal(t, "{placed: 10m, accepted: 15m, in-kitchen: 30m, ready: 20m, rider-delivering: 1h}", described["limits"].Default)
	require.Empty(t, described["sources[].secrets"].Variable)
}

// Each setting tells where its value came from, whatever else was set before it, and no
// secret.
func TestSettingsTellWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	file := write(t, "ticketrail.yaml", `
data: /from/file
api: { token: `+ivySecret+` }
nats: { url: "nats://me:`+ivySecret+`@a:4222" }
stream: { max_bytes: 1GiB, max_age: 7d }
limits: { ready: 90m10s }
traces: { headers: api-key=`+ivySecret+` }
sources:
  - { name: ivy, provider: ivy, secrets: ["`+ivySecret+`", "x`+ivySecret+`"], limits: { accepted: 0 } }
`)
	settings, err := config.Settings(config.Inputs{
		File:    file,
		Environ: []string{"TICKETRAIL_DATA=/from/environment", "TICKETRAIL_STREAM_MAX_BYTES=2GiB"},
		Flags:   []config.Flag{{Key: "data", Name: "--data", Text: "/from/flag"}},
	})
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprint(settings), ivySecret)
	byKey := map[string]config.Setting{}
	for _, s := range settings {
		byKey[s.Key] = s
	}
	for key, want := range map[string]config.Setting{
		"data":                       {Value: "/from/flag", From: config.FromFlag, Where: "--data"},
		"stream.max_bytes":           {Value: "2GiB", From: config.FromEnvironment, Where: "TICKETRAIL_STREAM_MAX_BYTES"},
		"stream.max_age":             {Value: "168h", From: config.FromFile, Where: file + ":5"},
		"api.token":                  {Value: "[secret]", From: config.FromFile, Where: file + ":3"},
		"nats.url":                   {Value: "nats://[secret]@a:4222", From: config.FromFile, Where: file + ":4"},
		"sources[0].secrets":         {Value: "[secret], [secret]", From: config.FromFile, Where: file + ":9"},
		"limits.ready":               {Value: "1h30m10s", From: config.FromFile, Where: file + ":6"},
		"limits.placed":              {Value: "10m", From: config.FromDefault},
		"traces.headers":             {Value: "[secret]", From: config.FromFile, Where: file + ":7"},
		"sources[0].limits.accepted": {Value: "0", From: config.FromFile, Where: file + ":9"},
		"nats.replicas":              {Value: "1", From: config.FromDefault},
		"api.certificate":            {From: config.FromDefault},
	} {
		want.Key = key
		require.Equal(t, want, byKey[key])
	}
}
