package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
)

// A limit that is set replaces the default of its state alone, and that of a source
// replaces the one of all sources; 0 is no limit.
func TestLimitsAreSetStateByState(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
limits:
  ready: 5m
sources:
  - name: ivy
    provider: ivy
    secrets: ["`+ivySecret+`"]
    limits: {accepted: 3d, placed: 0}
`, "TICKETRAIL_LIMITS={in-kitchen: 45m}")
	require.NoError(t, err)
	limits := c.LimitsOf(c.Sources)
	require.Equal(t, 10*time.Minute, limits.Of("other", domain.StatePlaced))
	require.Equal(t, 15*time.Minute, limits.Of("other", domain.StateAccepted))
	require.Equal(t, 45*time.Minute, limits.Of("other", domain.StateInKitchen))
	require.Equal(t, 5*time.Minute, limits.Of("ivy", domain.StateReady))
	require.Equal(t, 72*time.Hour, limits.Of("ivy", domain.StateAccepted))
	require.Zero(t, limits.Of("ivy", domain.StatePlaced))
	require.Len(t, config.Default().Limits, 5, "what was read left the defaults as they are")
}

// A limit of a state in which no order waits, or of none, is refused with the line and
// the names that there are.
func TestLimitsOfNoOpenStateAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"limits: {completed: 5m}": "no order waits in such a state",
		"limits: {cooking: 5m}":   "no order waits in such a state",
		"limits: {ready: soon}":   `"soon" is not a duration`,
		"limits: {ready: -5m}":    `"-5m" is not a duration`,
		"limits: 5m":              "it must hold keys",
		"limits: [5m]":            "it must hold keys",
	} {
		_, err := load(t, text)
		require.ErrorContains(t, err, want, text)
		require.ErrorContains(t, err, ":1: limits", text)
	}
}
