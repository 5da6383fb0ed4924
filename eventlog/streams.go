package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The names of the streams.
const (
	WebhooksStream  = "WEBHOOKS"
	RejectedStream  = "REJECTED"
	DecisionsStream = "DECISIONS"
)

// What the stream of rejected requests may take: enough to see what a
// misconfigured sender sent for a week, and too little to fill a disk.
const (
	rejectedMaxBytes = 64 << 20
	rejectedMaxAge   = 7 * 24 * time.Hour
)

// decisionsMaxBytes is what the stream of decisions may take: some hundred
// thousand entries of the quarantine. Each is held in memory by who asks for it.
const decisionsMaxBytes = 32 << 20

// defaultDuplicateWindow covers a sender's quick retries. The server keeps every
// id of the window in memory, and reads the window again when it starts.
const defaultDuplicateWindow = 2 * time.Minute

// webhooksStream says how the stream of webhooks must be. It refuses rather than
// forgets, nothing in it can be rolled up, and neither compression nor a message's own
// lifetime is allowed. Only an erasure deletes, and only Trim purges, which an external
// server denies: a webhook that anybody else deletes is a gap, which its readers find.
func webhooksStream(config Config, maxBytes int64) jetstream.StreamConfig {
	stream := anyStream(WebhooksStream, "every accepted webhook, in one order", webhookRoot, config)
	stream.Discard, stream.MaxBytes, stream.MaxAge = jetstream.DiscardNew, maxBytes, config.MaxAge
	stream.Duplicates = duplicateWindow(config)
	stream.DenyPurge, stream.AllowAtomicPublish = !config.Embedded, true
	return stream
}

// rejectedStream says how the stream of rejected requests must be. It forgets
// the oldest: what it holds is for looking at.
func rejectedStream(config Config) jetstream.StreamConfig {
	stream := anyStream(RejectedStream, "requests that were refused", rejectedRoot, config)
	stream.Discard, stream.MaxBytes, stream.MaxAge = jetstream.DiscardOld, rejectedMaxBytes, rejectedMaxAge
	return stream
}

// decisionsStream says how the stream of decisions must be. Nothing in it is ever
// changed; that it forgets its oldest is only to bound it.
func decisionsStream(config Config) jetstream.StreamConfig {
	stream := anyStream(DecisionsStream, "what operators decided about the quarantine", decisionRoot, config)
	stream.Discard, stream.MaxBytes = jetstream.DiscardOld, decisionsMaxBytes
	stream.DenyDelete, stream.DenyPurge = true, true
	return stream
}

// anyStream says what is the same in all streams.
func anyStream(name, description, root string, config Config) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              name,
		Description:       description,
		Subjects:          []string{root + ".>"},
		Storage:           jetstream.FileStorage,
		Retention:         jetstream.LimitsPolicy,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: -1,
		MaxMsgSize:        -1,
		MaxConsumers:      -1,
		Replicas:          max(1, config.Replicas),
		Duplicates:        defaultDuplicateWindow,
		AllowDirect:       true,
	}
}

// duplicateWindow may not be longer than what the stream remembers at all.
func duplicateWindow(config Config) time.Duration {
	window := cmp.Or(config.DuplicateWindow, defaultDuplicateWindow)
	if config.MaxAge > 0 {
		window = min(window, config.MaxAge)
	}
	return window
}

// ensureStream gives the stream, made or found. One that exists is compared with
// what is wanted: what can be mended without losing a message is mended, and
// anything else is a SettingError.
func ensureStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (jetstream.Stream, error) {
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, want)
	}
	if err != nil {
		return nil, fmt.Errorf("open the stream %s: %w", want.Name, refusal(err))
	}
	mended, changed, err := reconcile(&want, stream.CachedInfo().Config)
	if err != nil || !changed {
		return stream, err
	}
	stream, err = js.UpdateStream(ctx, mended)
	if err != nil {
		return nil, fmt.Errorf("mend the settings of the stream %s: %w", want.Name, refusal(err))
	}
	return stream, nil
}

// lookAtStream gives a stream that is there, or returns [ErrNoStreams]. What could be mended is
// another process's to mend; anything else is a SettingError.
func lookAtStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (jetstream.Stream, error) {
	stream, err := js.Stream(ctx, want.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, fmt.Errorf("open the stream %s: %w", want.Name, ErrNoStreams)
	case err != nil:
		return nil, fmt.Errorf("open the stream %s: %w", want.Name, refusal(err))
	}
	have := stream.CachedInfo().Config
	for _, s := range settings {
		if s.mends != nil {
			field(s, &want).Set(field(s, &have))
		}
	}
	_, _, err = reconcile(&want, have)
	return stream, err
}
