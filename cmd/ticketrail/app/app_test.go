package app_test

import (
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/eventlog"
)

// TestMain requires that nothing of a program is left once it has stopped. In a
// process that a test has started as a broker it is that.
func TestMain(m *testing.M) {
	if folder := os.Getenv(brokerFolder); folder != "" {
		if err := serveBroker(folder, os.Getenv(brokerAddress)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// A program that was started and stopped can be started again on the same
// folder, as often as one likes, and says where it is only while it runs.
func TestStartAndStop(t *testing.T) {
	t.Parallel()
	c := settings(t)
	for i := range 3 {
		a := start(t, c, options())
		sources, made := a.Sources()
		require.Equal(t, i == 0, made, "secrets are made once")
		require.Len(t, sources, 4)

		addresses, err := app.ReadAddresses(c.Data)
		require.NoError(t, err)
		require.Equal(t, a.Addresses(), *addresses)
		require.Equal(t, "synced", addresses.Durability)
		for _, url := range []string{addresses.Ingest + "/readyz", addresses.API + "/healthz", addresses.API + "/metrics"} {
			require.Equal(t, http.StatusOK, status(t, url), url)
		}
		isReady := func() bool { return status(t, addresses.API+"/readyz") == http.StatusOK }
		require.Eventually(t, isReady, 10*time.Second, 5*time.Millisecond, "the projector does not run")

		require.NoError(t, a.Stop())
		require.NoError(t, a.Stop(), "a second stop does nothing")
		_, err = app.ReadAddresses(c.Data)
		require.ErrorIs(t, err, fs.ErrNotExist)
		_, err = net.Dial("tcp", addresses.API[len("http://"):])
		require.Error(t, err)
	}
}

// A start that fails half-way leaves nothing running, nothing locked and no
// secrets that were never shown: the first that succeeds makes and shows them.
func TestAFailedStartLeavesNothing(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	c := settings(t)
	c.API.Listen = taken.Addr().String()

	_, err = app.Start(t.Context(), c, options())
	var listen *app.ListenError
	require.ErrorAs(t, err, &listen)
	require.Equal(t, "api.listen", listen.Key)
	require.Contains(t, listen.Hint(), "--api-listen or TICKETRAIL_API_LISTEN")
	require.NoFileExists(t, config.SourcesFile(c.Data))

	c.API.Listen = "127.0.0.1:0"
	a := start(t, c, options())
	_, made := a.Sources()
	require.True(t, made)
	require.FileExists(t, config.SourcesFile(c.Data))
	require.NoError(t, a.Stop())
}

// Of two programs on one folder the second does not start.
func TestAFolderHasOneProgram(t *testing.T) {
	t.Parallel()
	c := settings(t)
	a := start(t, c, options())
	_, err := app.Start(t.Context(), c, options())
	require.ErrorIs(t, err, eventlog.ErrFolderLocked)
	require.Equal(t, http.StatusOK, status(t, a.Addresses().Ingest+"/readyz"))
	require.NoError(t, a.Stop())
}

// Sources that were configured are the ones that run, and none are made.
func TestConfiguredSourcesRun(t *testing.T) {
	t.Parallel()
	c := settings(t)
	c.Sources = []config.Source{{Name: "shop", Provider: "ivy", Secrets: []config.Secret{"s"}}}
	a := start(t, c, options())
	sources, made := a.Sources()
	require.False(t, made)
	require.Equal(t, c.Sources, sources)
	require.NoFileExists(t, config.SourcesFile(c.Data))
	require.Equal(t, []app.SourceAddress{{
		Name: "shop", Provider: "ivy", URL: a.Addresses().Ingest + "/webhooks/shop",
	}}, a.Addresses().Sources)
	require.NoError(t, a.Stop())
}

func settings(t *testing.T) *config.Config {
	t.Helper()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	c.Ingest.Listen, c.API.Listen = "127.0.0.1:0", "127.0.0.1:0"
	return c
}

func options() app.Options {
	return app.Options{Version: "test", Logger: slog.New(slog.DiscardHandler)}
}

func start(t *testing.T, c *config.Config, o app.Options) *app.App {
	t.Helper()
	a, err := app.Start(t.Context(), c, o)
	require.NoError(t, err)
	return a
}

// status asks on a connection of its own, which nobody keeps.
func status(t *testing.T, url string) int {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// Each listener counts the connections that it has open, whoever opened them and whatever
// comes over them.
func TestConnectionsAreCounted(t *testing.T) {
	t.Parallel()
	p := run(t, settings(t), options())
	counted := func(n int) func() bool {
		return func() bool {
			_, text, err := p.ask(http.MethodGet, "/metrics", nil)
			return err == nil && strings.Contains(string(text), fmt.Sprintf("\nticketrail_http_connections{listener=\"ingest\"} %d\n", n))
		}
	}
	require.Eventually(t, counted(0), patience, 5*time.Millisecond)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.Addresses().Ingest, "http://"))
	require.NoError(t, err)
	require.Eventually(t, counted(1), patience, 5*time.Millisecond)
	require.NoError(t, conn.Close())
	require.Eventually(t, counted(0), patience, 5*time.Millisecond)
}
