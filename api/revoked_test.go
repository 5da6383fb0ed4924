package api_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// revocable are tokens that are all revoked at once.
type revocable struct {
	*keyring
	revoked atomic.Bool
}

func (r *revocable) Known() ([]api.Token, bool, error) {
	if r.revoked.Load() {
		return nil, true, nil
	}
	return r.keyring.Known()
}

// A token that is revoked is good for nothing more of an answer that has no end, and that
// ends then.
func TestRevokedTokenHearsNoMore(t *testing.T) {
	t.Parallel()
	const authorization = "Authorization: Bearer raw"
	tokens, arrivals := &revocable{keyring: newKeyring()}, &api.Arrivals{}
	l := newLedger(t)
	l.pizza()
	c := l.serve(func(c *api.Config) { c.Tokens, c.Arrivals = tokens, arrivals })
	follows, listens := c.follow("?after=3", authorization), c.listen("", authorization)
	require.Equal(t, []uint64{4}, follows.sequences(1))
	arrivals.Tell(accept("ordatic", 4))
	name, _ := listens.next()
	require.Equal(t, "arrival", name)

	tokens.revoked.Store(true)
	l.apply("ordatic", "ordatic", accepted("o-2"))
	for event := range follows.events {
		require.Empty(t, event.Data)
	}
	arrivals.Tell(accept("ordatic", 5))
	require.False(t, listens.lines.Scan(), listens.lines.Text())
}
