package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// checkPayload tells whether the server takes the largest webhook. In a cluster it
// asks the one that is connected to.
func checkPayload(nc *nats.Conn, maxBody int64) error {
	least := maxBody + headerRoom
	if maxBody == 0 || nc.MaxPayload() >= least {
		return nil
	}
	return &SettingError{
		Setting: "max_payload",
		Want:    fmt.Sprintf("at least %d bytes, for ingest.max_body and headers", least),
		Have:    strconv.FormatInt(nc.MaxPayload(), 10),
		Hint:    fmt.Sprintf("set max_payload: %d on every NATS server, or lower ingest.max_body", least),
	}
}

// wantedWebhooks says how the stream of webhooks must be. An existing one keeps the
// limit that it has where there is less room by now, and may let nothing be deleted or
// purged: the server does not take that back, and all but Erase and Trim works.
func (l *Log) wantedWebhooks(ctx context.Context, config Config) (jetstream.StreamConfig, error) {
	var has jetstream.StreamConfig
	if config.Looks {
		return webhooksStream(config, 0), nil // its limits are for another process to say
	}
	stream, err := l.js.Stream(ctx, WebhooksStream)
	switch {
	case err == nil:
		has = stream.CachedInfo().Config
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return has, fmt.Errorf("open the stream %s: %w", WebhooksStream, refusal(err))
	}
	limit := externalMaxBytes
	if config.Embedded {
		limit = l.embeddedMaxBytes
	}
	maxBytes, err := limit(config.MaxBytes, max(0, has.MaxBytes))
	wanted := webhooksStream(config, maxBytes)
	wanted.DenyDelete = has.DenyDelete
	wanted.DenyPurge = wanted.DenyPurge || has.DenyPurge
	return wanted, err
}

func (l *Log) embeddedMaxBytes(configured, has int64) (int64, error) {
	free := l.embedded.options.JetStreamMaxStore - rejectedMaxBytes - decisionsMaxBytes - l.beside
	limit := max(free, has)
	if limit < leastRoom || configured > limit {
		hint := "free some disk space"
		if limit >= leastRoom {
			hint += ", or configure 0 to take what there is"
		}
		return 0, &SettingError{
			Setting: "stream.max_bytes",
			Want:    fmt.Sprintf("at most the %d bytes that the disk has room for", max(0, limit)),
			Have:    strconv.FormatInt(configured, 10),
			Hint:    hint,
		}
	}
	return cmp.Or(configured, max(fairShare(free), has)), nil
}

// externalMaxBytes wants a number: a stream without a limit of its own ends where
// the server's disk does, and that cannot be seen coming. The limit of an account
// is no substitute, since all its streams and their replicas share it.
func externalMaxBytes(configured, has int64) (int64, error) {
	if configured == 0 && has == 0 {
		return 0, &SettingError{
			Setting: "stream.max_bytes",
			Want:    "what the NATS servers have room for",
			Have:    "0",
			Hint:    "set stream.max_bytes, and keep it below max_file_store of every NATS server",
		}
	}
	return cmp.Or(configured, has), nil
}

// What ordinary webhooks leave of a stream is for tombstones, so that an order can be
// erased from a full one too: a part of it, and not more than mostErasureRoom. It is more
// than what the largest stream is given at once.
const (
	erasureShare    = 20
	mostErasureRoom = 16 << 20
)

// messageRoom is at least what a message takes beside its body, as a rule.
const messageRoom = 512

// noteRoom notes what room a stream has left for ordinary webhooks.
func (l *Log) noteRoom(state jetstream.StreamState, maxBytes int64) {
	left := int64(math.MaxInt64)
	if maxBytes > 0 {
		left = maxBytes - min(maxBytes/erasureShare, mostErasureRoom) - int64(state.Bytes)
	}
	l.roomLeft.Store(left)
}

// takeRoom refuses an ordinary webhook that the stream has no room for. What is said of
// the room is a second old at the most, as a rule, less what was taken since.
func (l *Log) takeRoom(ctx context.Context, bytes int) error {
	need := int64(bytes) + messageRoom
	if l.roomLeft.Add(-need) >= 0 {
		return nil
	}
	if _, err := l.look(ctx); err != nil { // some may have expired, or been erased
		return err
	}
	if l.roomLeft.Add(-need) >= 0 {
		return nil
	}
	l.roomLeft.Add(need)
	return fmt.Errorf("%w: what room is left is for erasures", ErrFull)
}

// roomFor is how long a disk that had room is taken to have it: what comes in that time is
// far less than what is kept free.
const roomFor = 50 * time.Millisecond

// checkDisk keeps the embedded server away from the end of its disk.
func (l *Log) checkDisk() error {
	if l.embedded == nil {
		return nil
	}
	if seen := l.roomSeen.Load(); seen != nil && time.Since(*seen) < roomFor {
		return nil
	}
	now := time.Now()
	if err := checkFree(l.dir, l.minFree); err != nil {
		return err
	}
	l.roomSeen.Store(&now)
	return nil
}
