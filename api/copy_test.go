package api_test

import (
	"context"
	"crypto/sha256"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/projector/projectortest"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// A copy is a whole read model with the sum that it was sent with, for who may see what is
// personal alone, and not before the read model is complete.
func TestCopyOfTheReadModel(t *testing.T) {
	t.Parallel()
	complete := uint64(5)
	token := func(c *api.Config) { c.Token, c.CompleteAt = "secret", complete }
	_, c := serveWorkshop(t, token)
	c.get(api.CopyPath).refused(http.StatusUnauthorized, "unauthorized")
	copied := c.get(api.CopyPath, "Authorization: Bearer secret")
	require.Equal(t, http.StatusOK, copied.Status)
	require.Equal(t, "application/vnd.sqlite3", copied.Header.Get("Content-Type"))
	sum := sha256.Sum256([]byte(copied.Body))
	require.Equal(t, api.CopyDigest(sum[:]), copied.Header.Get(api.DigestHeader))
	path := filepath.Join(t.TempDir(), "copy.sqlite")
	require.NoError(t, os.WriteFile(path, []byte(copied.Body), 0o600))
	db, err := sqlite.OpenCopy(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, db.Check(t.Context()))
	checkpoint, err := db.Checkpoint(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 5, checkpoint.StreamSequence)
	require.NoError(t, db.Close())

	complete = 6
	l := newLedger(t)
	l.pizza()
	l.receive("ivy", "ivy", "other", "{}")
	l.receive("ivy", "ivy", "other", "{}")
	w := newWorkshop(l)
	l.serve(func(c *api.Config) { c.Snapshots, c.CompleteAt = w, complete }).
		get(api.CopyPath).refused(http.StatusServiceUnavailable, "read-model-incomplete")
}

// slowCopy is a workshop whose copies wait until they are let go.
type slowCopy struct {
	*workshop
	begun, release chan struct{}
}

func (s slowCopy) Copy(ctx context.Context) (*os.File, error) {
	s.begun <- struct{}{}
	<-s.release
	return s.workshop.Copy(ctx)
}

// One copy is made at a time, since each takes the room of a read model; who comes
// meanwhile is told when to come again.
func TestOneCopyAtATime(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	slow := slowCopy{newWorkshop(l), make(chan struct{}), make(chan struct{})}
	c := l.serve(func(c *api.Config) { c.Snapshots = slow })
	first := make(chan reply)
	go func() { first <- c.get(api.CopyPath) }()
	<-slow.begun
	c.get(api.CopyPath).refused(http.StatusServiceUnavailable, "busy")
	close(slow.release)
	require.Equal(t, http.StatusOK, (<-first).Status)
	go func() { <-slow.begun }()
	require.Eventually(t, func() bool { return c.get(api.CopyPath).Status == http.StatusOK }, projectortest.Patience, 5*time.Millisecond)
}
