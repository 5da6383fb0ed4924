package app_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// copyOf gives what fetches a copy of a program's read model, and does something to it.
func (p *program) copyOf(do func(path string) error) func(context.Context, string) error {
	return func(_ context.Context, path string) error {
		status, text, err := p.ask(http.MethodGet, api.CopyPath, nil)
		require.NoError(p.t, err)
		require.Equal(p.t, http.StatusOK, status)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
		return do(path)
	}
}

func asItIs(string) error { return nil }

// replicaOf gives the settings of a read replica with sources of its own.
func (b *broker) replicaOf(p *program) *config.Config {
	c := b.settings()
	c.Sources, _ = p.Sources()
	return c
}

// A new replica goes on from a copy of another one's read model, and reads nothing of the
// stream before it. Once it has one, it goes on from that, wherever another is to be had.
func TestAReplicaBeginsWithACopy(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	p := run(t, b.settings(), options())
	p.ordatic("order-accepted", "before")
	c := b.replicaOf(p)
	var log bytes.Buffer
	o := app.Options{Parts: app.Reads, Logger: slog.New(slog.NewJSONHandler(&log, nil)), From: p.copyOf(asItIs)}
	replica := run(t, c, o)
	p.ordatic("order-accepted", "after")
	replica.reached(2)
	require.Equal(t, domain.StateAccepted, replica.state("before"))
	require.Equal(t, domain.StateAccepted, replica.state("after"))
	replica.get("/readyz", &api.Readiness{})
	replica.stop()
	require.Contains(t, log.String(), `"msg":"the read model begins with a copy","stream_sequence":1`)

	o.From = func(context.Context, string) error { return errors.New("nobody is asked") }
	run(t, c, o).reached(2)
}

// A copy may be older than an erasure, and deny orders that there are. It is complete, and told
// to readers, when it has come to where the stream ended.
func TestAnOldCopyIsNotCompleteYet(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	p := run(t, b.settings(), options())
	p.send("ivy", ivyOrder("gone", 1, "processing", person))
	p.reached(1)
	var old []byte
	require.NoError(t, p.copyOf(func(path string) (err error) {
		old, err = os.ReadFile(path)
		return err
	})(t.Context(), filepath.Join(t.TempDir(), "copy")))
	p.erase("ivy", "gone", api.ErasureRequest{Reason: "asked for"})
	c, o := b.replicaOf(p), options()
	o.Parts, o.From = app.Reads, func(_ context.Context, path string) error { return os.WriteFile(path, old, 0o600) }
	replica := run(t, c, o)
	replica.reached(2)
	replica.get("/readyz", &api.Readiness{})
	replica.stop()
	folder, err := sqlite.OpenFolder(app.ReadModelFolder(c.Data))
	require.NoError(t, err)
	require.EqualValues(t, 2, folder.CompleteAt())
	require.Empty(t, filesWith(t, c.Data, person))
}

// A copy that is damaged, or of another stream, is not begun with, and leaves nothing behind:
// the next start looks again. One of another version is left for the stream.
func TestACopyThatDoesNotFit(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	p := run(t, b.settings(), options())
	p.ordatic("order-accepted", "one")
	begin := func(from *broker, o app.Options) (*app.App, string, error) {
		c := from.replicaOf(p)
		o.Parts = app.Reads
		begun, err := app.Start(t.Context(), c, o)
		require.NoFileExists(t, filepath.Join(app.ReadModelFolder(c.Data), "copy.part"))
		return begun, c.Data, err
	}
	refused := func(from *broker, why error, do func(string) error) {
		t.Helper()
		o := options()
		o.From = p.copyOf(do)
		_, data, err := begin(from, o)
		require.ErrorIs(t, err, why)
		var unfit *app.CopyError
		require.ErrorAs(t, err, &unfit)
		require.Contains(t, unfit.Hint(), "--from")
		_, err = app.CurrentReadModel(data)
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	refused(b, domain.ErrDamaged, func(path string) error {
		content, err := os.ReadFile(path)
		content[len(content)/2] ^= 1
		return errors.Join(err, os.WriteFile(path, content, 0o600))
	})
	cut := errors.New("the connection broke")
	refused(b, cut, func(string) error { return cut })

	other := startBroker(t)
	run(t, other.settings(), options()).ordatic("order-accepted", "another")
	refused(other, projector.ErrOtherStream, asItIs)

	var log bytes.Buffer
	o := options()
	o.Logger, o.From, o.Projection.Version = slog.New(slog.NewJSONHandler(&log, nil)), p.copyOf(asItIs), projector.Version+1
	begun, _, err := begin(b, o)
	require.NoError(t, err)
	replica := &program{App: begun, t: t, http: &http.Client{Timeout: patience}}
	require.Equal(t, projector.Version+1, replica.reached(1).ProjectionVersion)
	replica.stop()
	require.Contains(t, log.String(), "other rules made")
}
