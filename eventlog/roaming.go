package eventlog

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// uselessFor is how long a server may store nothing before another one is tried. It is
// below what a webhook waits for.
const uselessFor = defaultPublishTimeout - time.Second

// roaming leaves a server that stores nothing, for another one of its cluster. One
// that is cut off from the others is up and answers pings, for as long as that lasts.
type roaming struct {
	storing, reading *nats.Conn

	mu    sync.Mutex
	fresh time.Time // what was begun before says nothing of the server any more
	since time.Time // when the first was begun of what failed since; zero where nothing did
}

// watch has a store's troubles noted.
func (r *roaming) watch(store store) store {
	return func(ctx context.Context, n *nats.Msg) (Receipt, error) {
		begun := time.Now()
		receipt, err := store(ctx, n)
		r.note(begun, err)
		return receipt, err
	}
}

// note takes how it ended that something, begun at a time, was stored.
func (r *roaming) note(begun time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch now := time.Now(); {
	case !errors.Is(err, ErrUnavailable):
		r.fresh, r.since = now, time.Time{}
		return
	case begun.Before(r.fresh):
		return
	case r.since.IsZero() || begun.Before(r.since):
		r.since = begun
	}
	if time.Since(r.since) > uselessFor {
		r.fresh, r.since = time.Now(), time.Time{}
		r.leave()
	}
}

// leave has the connections try another server, where there is one. Only a connection
// that is closed cannot, and needs not.
func (r *roaming) leave() {
	left := r.storing.ConnectedServerId()
	for _, conn := range []*nats.Conn{r.storing, r.reading} {
		if conn.ConnectedServerId() == left && len(conn.Servers()) > 1 {
			_ = conn.ForceReconnect()
		}
	}
}
