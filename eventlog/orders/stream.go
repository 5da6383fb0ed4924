package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/eventlog"
)

// Stream is the name of the stream.
const Stream = "ORDERS"

// begins is where a stream's metadata say after which stream sequence it begins.
const begins = "ticketrail-begins-after"

// duplicateWindow absorbs what is published again after an answer that was lost.
const duplicateWindow = 2 * time.Minute

// end is where the stream ends.
type end struct {
	sequence uint64 // of its last message
	change   uint64 // the last change that it has; 0 where it has none of this stream of webhooks
	follow   uint64 // the changes after it follow
}

// after finds out anew where the stream ends, and gives the change after which others follow.
func (p *Publisher) after(ctx context.Context) (change uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, publishWithin)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end = nil
	if err := p.locate(ctx); err != nil {
		return 0, err
	}
	return p.end.follow, nil
}

// find gives the end of the stream, which it makes where there is none: one that begins
// after the newest change. The limits of one that exists become those that are configured.
func (p *Publisher) find(ctx context.Context) (end, error) {
	newest, err := p.config.Newest(ctx)
	if err != nil {
		return end{}, err
	}
	stream, err := p.js.Stream(ctx, Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = p.js.CreateStream(ctx, p.wanted(map[string]string{begins: strconv.FormatUint(newest, 10)}))
	}
	if err != nil {
		return end{}, fmt.Errorf("open the stream %s: %w", Stream, err)
	}
	have := stream.CachedInfo()
	if c := have.Config; c.MaxBytes != p.config.MaxBytes || c.MaxAge != p.config.MaxAge {
		if stream, err = p.js.UpdateStream(ctx, p.wanted(c.Metadata)); err != nil {
			return end{}, fmt.Errorf("change the limits of the stream %s: %w", Stream, err)
		}
		have = stream.CachedInfo()
	}
	last, err := lastChange(ctx, stream, have, newest)
	if err != nil {
		return end{}, fmt.Errorf("find the end of the stream %s: %w", Stream, err)
	}
	if last > newest && p.isGone(ctx, last) {
		return end{sequence: have.State.LastSeq, follow: newest}, nil
	}
	return end{sequence: have.State.LastSeq, change: last, follow: last}, nil
}

// isGone tells whether the stream of webhooks ends before a change: it was put back, or is
// another one. Else the read model has yet to come there.
func (p *Publisher) isGone(ctx context.Context, change uint64) bool {
	info, err := p.config.Log.Info(ctx)
	if err != nil || info.Unsure || change <= info.Last {
		return false
	}
	p.config.Logger.Warn("the stream of webhooks ends before what was published of it; changes are published from here on",
		"stream", Stream, "published", change, "last", info.Last)
	return true
}

func lastChange(ctx context.Context, stream jetstream.Stream, info *jetstream.StreamInfo, newest uint64) (uint64, error) {
	if info.State.LastSeq == 0 {
		return strconv.ParseUint(cmp.Or(info.Config.Metadata[begins], strconv.FormatUint(newest, 10)), 10, 64)
	}
	m, err := stream.GetMsg(ctx, info.State.LastSeq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return newest, nil // it has expired
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(cmp.Or(m.Header.Get(afterChange), m.Header.Get("ce-id")), 10, 64)
}

func (p *Publisher) wanted(metadata map[string]string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        Stream,
		Description: "changes of orders, and alerts, as CloudEvents",
		Subjects:    []string{eventlog.OrderSubjects},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		MaxBytes:    p.config.MaxBytes,
		MaxAge:      p.config.MaxAge,
		Replicas:    max(1, p.config.Replicas),
		Duplicates:  min(duplicateWindow, p.config.MaxAge),
		AllowDirect: true,
		Metadata:    metadata,
	}
}
