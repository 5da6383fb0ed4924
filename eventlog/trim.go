package eventlog

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// TrimPoint gives the last webhook that Trim can take out of the stream so that its
// newest files stay, which take at least some bytes, and so does all that comes after a
// stream sequence; 0 where there is none. Only the embedded server's stream can be
// trimmed, and at the borders of its files alone: then they are removed, and none is
// written anew.
//
// It returns a [SettingError] for a stream that lets nothing be purged.
func (l *Log) TrimPoint(keep int64, upTo uint64) (uint64, error) {
	if l.embedded == nil {
		return 0, nil
	}
	if l.webhooks.CachedInfo().Config.DenyPurge {
		return 0, &SettingError{
			Setting: WebhooksStream + " deny_purge", Want: "false", Have: "true",
			Hint: "the stream is an older program's: stop this one and make the stream anew from the archive, with ticketrail restore",
		}
	}
	first, err := brokerfile.FirstToKeep(WebhooksStream, blocksDir(l.dir, WebhooksStream), keep, upTo)
	if err != nil {
		return 0, fmt.Errorf("look where to trim the stream: %w", err)
	}
	return max(first, 1) - 1, nil
}

// Trim takes the webhooks up to a stream sequence that TrimPoint gave out of the stream.
// They must be kept elsewhere, and it must be on disk that they may be missing here: what
// a crash leaves of it the next look at the files does.
func (l *Log) Trim(ctx context.Context, to uint64) error {
	l.erasing.Lock()
	defer l.erasing.Unlock()
	if err := l.webhooks.Purge(ctx, jetstream.WithPurgeSequence(to+1)); err != nil {
		return fmt.Errorf("trim the stream: %w", refusal(err))
	}
	return l.syncErased(WebhooksStream)
}
