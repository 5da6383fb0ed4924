package app_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
)

// guarded is a NATS server with the users of deploy/nats-permissions.conf.
type guarded struct {
	*server.Server
	t *testing.T
}

func startGuarded(t *testing.T) guarded {
	t.Helper()
	dir := t.TempDir()
	permissions, err := os.ReadFile("../../../deploy/nats-permissions.conf")
	require.NoError(t, err)
	text := fmt.Sprintf("listen: \"127.0.0.1:-1\"\nmax_payload: 8MB\njetstream { store_dir: %q }\n", filepath.Join(dir, "js"))
	for _, part := range []string{"INGEST", "PROJECT", "REPLICA"} {
		text += "NATS_" + part + "_PASSWORD: secret\n"
	}
	name := filepath.Join(dir, "nats.conf")
	require.NoError(t, os.WriteFile(name, append([]byte(text), permissions...), 0o600))
	options, err := server.ProcessConfigFile(name)
	require.NoError(t, err)
	options.NoSigs, options.NoLog = true, true
	broker, err := server.NewServer(options)
	require.NoError(t, err)
	broker.Start()
	t.Cleanup(func() {
		broker.Shutdown()
		broker.WaitForShutdown()
	})
	require.True(t, broker.ReadyForConnections(patience))
	return guarded{broker, t}
}

func (g guarded) url(user string) string { return fmt.Sprintf("nats://%s:secret@%s", user, g.Addr()) }

// start starts a part as its own user, and gives what it logs once it has stopped.
func (g guarded) start(parts app.Parts, user string, sources []config.Source) (*program, *bytes.Buffer) {
	g.t.Helper()
	c := settings(g.t)
	c.NATS.URL, c.Stream.MaxBytes, c.Sources = g.url(user), 64<<20, sources
	var log bytes.Buffer
	return run(g.t, c, app.Options{Version: "test", Parts: parts, Logger: slog.New(slog.NewTextHandler(&log, nil))}), &log
}

// denied requires that the server forbids a user something.
func (g guarded) denied(user string, act func(*nats.Conn) error) {
	g.t.Helper()
	told := make(chan error, 16)
	conn, err := nats.Connect(g.url(user), nats.CustomInboxPrefix("_INBOX."+user),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { told <- err }))
	require.NoError(g.t, err)
	defer conn.Close()
	require.NoError(g.t, act(conn)) // what comes of it the server says later
	select {
	case err := <-told:
		require.ErrorIs(g.t, err, nats.ErrPermissionViolation)
	case <-time.After(patience):
		require.Fail(g.t, "nobody forbids it", user)
	}
}

// Each part does all that it is for as a user that may do no more: what one of them holds
// that was broken into, others do not lose.
func TestEachPartHasTheRightsThatItNeeds(t *testing.T) {
	t.Parallel()
	sources, err := config.MakeSources(bytes.NewReader(make([]byte, 1024)))
	require.NoError(t, err)
	g := startGuarded(t)
	project, projectLog := g.start(app.Reads|app.Acts, "project", sources)
	ingest, ingestLog := g.start(app.Ingest, "ingest", sources)
	replica, replicaLog := g.start(app.Reads, "api", sources)

	last := ingest.accepted("order-accepted", "kept")
	last = max(last, ingest.accepted("order-accepted", "erased"))
	replica.reached(last)
	require.Equal(t, domain.StateAccepted, replica.state("kept"))
	replica.get(fmt.Sprint("/v1/webhooks/", last), &api.Webhook{})

	// A request with a wrong secret is set aside, and released where that is decided.
	forger := ingest.sender("ordatic")
	forger.Secret = "Bearer of somebody else"
	answer, err := forger.Send(t.Context(), "", []byte(`{"eventType":"order-accepted","storeId":"s","data":{"orderId":"released"}}`))
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, answer.Status)
	var aside api.QuarantineList
	for _, p := range []*program{replica, project} {
		p.get("/v1/quarantine", &aside)
		require.Len(t, aside.Entries, 1)
	}
	release := api.RetryRequest{Trust: true, Reason: "a test"}
	retry := "/v1/quarantine/" + aside.Entries[0].ID + "/retry"
	status, text, err := replica.ask(http.MethodPost, retry, release)
	require.NoError(t, err)
	require.Equal(t, http.StatusNotImplemented, status, "%s", text)
	project.change(http.MethodPost, retry, release, &api.Retried{})
	project.erase("ordatic", "s:erased", api.ErasureRequest{Reason: "a test"})
	replica.reached(project.caughtUp().Checkpoint)
	require.Equal(t, domain.StateAccepted, replica.state("released"))
	var erased api.Order
	replica.get("/v1/orders/ordatic/s:erased", &erased)
	require.NotNil(t, erased.ErasedAt)
	require.Eventually(t, func() bool {
		_, text, err := project.ask(http.MethodGet, "/metrics", nil)
		return err == nil && regexp.MustCompile(`(?m)^ticketrail_changes_published_total [1-9]`).Match(text)
	}, patience, 5*time.Millisecond)

	for _, p := range []*program{replica, ingest, project} {
		p.stop()
	}
	for _, log := range []*bytes.Buffer{projectLog, ingestLog, replicaLog} {
		require.NotContains(t, log.String(), "level=WARN")
		require.NotContains(t, log.String(), "level=ERROR")
	}
}

// Nor can a part do more.
func TestNoPartHasTheRightsOfAnother(t *testing.T) {
	t.Parallel()
	sources, err := config.MakeSources(bytes.NewReader(make([]byte, 1024)))
	require.NoError(t, err)
	g := startGuarded(t)
	g.start(app.Reads|app.Acts, "project", sources)
	webhook := func(conn *nats.Conn) error {
		return conn.Publish("webhooks.ivy.shop.other", []byte("{}"))
	}
	look := func(inbox string) func(*nats.Conn) error {
		return func(conn *nats.Conn) error {
			_, err := conn.SubscribeSync(inbox)
			return err
		}
	}
	call := func(subject string) func(*nats.Conn) error {
		return func(conn *nats.Conn) error {
			return conn.PublishRequest("$JS.API."+subject, conn.NewInbox(), nil)
		}
	}
	g.denied("api", webhook)
	g.denied("ingest", func(conn *nats.Conn) error {
		return conn.Publish("webhooks.ivy.shop."+domain.EventErased, []byte("{}"))
	})
	for _, subject := range []string{"STREAM.PURGE.WEBHOOKS", "STREAM.MSG.DELETE.WEBHOOKS", "STREAM.UPDATE.WEBHOOKS", "STREAM.CREATE.OTHER"} {
		g.denied("api", call(subject))
		g.denied("ingest", call(subject))
	}
	for _, subject := range []string{"STREAM.MSG.GET.WEBHOOKS", "DIRECT.GET.WEBHOOKS", "CONSUMER.CREATE.WEBHOOKS.spy"} {
		g.denied("ingest", call(subject))
	}
	g.denied("project", call("STREAM.DELETE.WEBHOOKS"))
	g.denied("ingest", look("_INBOX.>"))
	g.denied("ingest", look("_INBOX.api.>"))
	g.denied("ingest", look("webhooks.>"))
	g.denied("api", look("_INBOX.project.>"))
}
