package eventlog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
)

// mostErasure is the largest body of a tombstone, in bytes, where the server takes it.
const mostErasure = 1 << 20

// Erase takes webhooks out of the stream and leaves their tombstone: a webhook of the
// provider and the source, with domain.EventErased for its event. From then on every
// reader gives each of them at its place with what the tombstone says is left of it.
//
// The tombstone is stored first, here and in the copy; then the webhooks are
// overwritten here. A webhook that was erased before stays as it is, so Erase may be
// called again: after an error, until there is none. A stop in between is made up for by
// the next [Open]. The receipt is that of the last tombstone. All this may take seconds:
// how many is for ctx to say.
//
// A webhook that the stream has forgotten may be named too: it is erased wherever the
// tombstone is followed, as in an archive.
//
// It returns [ErrUnfit] for what the stream does not hold as the erasure says, a
// [SettingError] for a stream that lets nothing be deleted, and else the errors of
// [Log.Append].
func (l *Log) Erase(ctx context.Context, provider, source string, e *domain.Erasure) (Receipt, error) {
	l.erasing.Lock()
	defer l.erasing.Unlock()
	if l.webhooks.CachedInfo().Config.DenyDelete {
		return Receipt{}, l.denied()
	}
	receipt, err := l.bury(ctx, provider, source, e)
	if err == nil {
		err = l.overwrite(ctx, e.Webhooks)
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("erase: %w", err)
	}
	return receipt, nil
}

func (l *Log) denied() error {
	hint := "the server does not take it back: make the stream anew, with the nats command line, from a backup of it whose deny_delete is false"
	if l.embedded != nil {
		hint = "the stream is an older program's: stop this one and make the stream anew from the archive, with ticketrail restore"
	}
	return &SettingError{Setting: WebhooksStream + " deny_delete", Want: "false", Have: "true", Hint: hint}
}

// bury stores the tombstone of those webhooks that have none.
func (l *Log) bury(ctx context.Context, provider, source string, e *domain.Erasure) (receipt Receipt, err error) {
	fresh := *e
	fresh.Webhooks, receipt, err = l.unerased(ctx, provider, source, e.Webhooks)
	if err != nil || len(fresh.Webhooks) == 0 && len(e.Webhooks) > 0 {
		return receipt, err
	}
	bodies, err := parts(&fresh, min(mostErasure, int(l.js.Conn().MaxPayload())-headerRoom))
	if err != nil {
		return Receipt{}, err
	}
	for _, body := range bodies {
		n, err := webhookMessage(&domain.Webhook{Provider: provider, Source: source, Event: domain.EventErased, Body: body})
		if err == nil {
			receipt, err = l.keepAnyway(ctx, n)
		}
		if err != nil {
			return Receipt{}, err
		}
	}
	return receipt, nil
}

// unerased gives those of some webhooks that have no tombstone, and the place of the last
// tombstone of the others.
func (l *Log) unerased(ctx context.Context, provider, source string, webhooks []*domain.Webhook) (fresh []*domain.Webhook, last Receipt, err error) {
	tombstones, err := l.erased.tombstones(ctx, webhooks)
	if err != nil {
		return nil, Receipt{}, err
	}
	for i, w := range webhooks {
		if by := tombstones[i]; by > 0 {
			last = Receipt{StreamSequence: max(last.StreamSequence, by), Duplicate: true}
			continue
		}
		if err := l.checkErasable(ctx, provider, source, w); err != nil {
			return nil, Receipt{}, err
		}
		fresh = append(fresh, w)
	}
	return fresh, last, nil
}

// checkErasable compares what an erasure says of a webhook with the stream, since
// nothing can be compared afterwards.
func (l *Log) checkErasable(ctx context.Context, provider, source string, w *domain.Webhook) error {
	if w.Remains == nil || w.Remains.Event == nil {
		return fmt.Errorf("%w: an erasure of webhook %d, of which nothing is left", ErrUnfit, w.StreamSequence)
	}
	have, err := l.Webhook(ctx, w.StreamSequence)
	if errors.Is(err, domain.ErrNotFound) {
		return l.checkForgotten(ctx, w.StreamSequence)
	}
	if err != nil {
		return err
	}
	same := have.Remains == nil && have.Event != domain.EventErased && have.Provider == provider && have.Source == source &&
		have.Length() == w.Length() && have.StoredAt == w.StoredAt && have.Chain(domain.Digest{}) == w.Chain(domain.Digest{})
	if !same {
		return fmt.Errorf("%w: an erasure of another webhook %d", ErrUnfit, w.StreamSequence)
	}
	return nil
}

// checkForgotten refuses a webhook that the stream never had: a tombstone names only what
// came before it. One that it had is for the archive to compare.
func (l *Log) checkForgotten(ctx context.Context, streamSequence uint64) error {
	info, err := l.Info(ctx)
	if err == nil && (streamSequence == 0 || streamSequence > info.Last) {
		err = fmt.Errorf("%w: an erasure of webhook %d, which is not there", ErrUnfit, streamSequence)
	}
	return err
}

// parts gives the bodies of an erasure, each within a limit as far as that goes.
func parts(e *domain.Erasure, limit int) ([][]byte, error) {
	body, err := e.Body()
	if err != nil || len(body) <= limit || len(e.Webhooks) < 2 {
		return [][]byte{body}, err
	}
	first, second := *e, *e
	first.Webhooks, second.Webhooks = e.Webhooks[:len(e.Webhooks)/2], e.Webhooks[len(e.Webhooks)/2:]
	before, err := parts(&first, limit)
	if err != nil {
		return nil, err
	}
	after, err := parts(&second, limit)
	return append(before, after...), err
}

// overwrite deletes webhooks from the stream, and has the server write random bytes in
// their place.
func (l *Log) overwrite(ctx context.Context, webhooks []*domain.Webhook) error {
	for _, w := range webhooks {
		err := l.delete(ctx, w.StreamSequence)
		if err == nil && l.embedded != nil {
			l.embedded.now().recent.forget(w.StreamSequence)
			err = l.syncErased(WebhooksStream)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// syncErased has the files of a stream on disk after a deletion, for which the server may
// have put new ones in the place of old ones, and did not sync that. Where it cannot, the
// life of the server ends, as after any sync that failed.
func (l *Log) syncErased(stream string) error {
	err := SyncTree(blocksDir(l.dir, stream))
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: sync the stream %s: %w", ErrUnavailable, stream, err)
	l.embedded.now().end(err)
	return err
}

func (l *Log) delete(ctx context.Context, streamSequence uint64) error {
	err := l.webhooks.SecureDeleteMsg(ctx, streamSequence)
	if err == nil {
		return nil
	}
	if _, gone := l.message(ctx, streamSequence); errors.Is(gone, domain.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("delete webhook %d: %w", streamSequence, refusal(err))
}

// left gives the webhooks that have a tombstone and are still in the stream.
func (l *Log) left(ctx context.Context) ([]*domain.Webhook, error) {
	erased, err := l.erased.between(ctx, 1, math.MaxUint64)
	if err != nil || len(erased) == 0 {
		return nil, err
	}
	info, err := l.webhooks.Info(ctx, jetstream.WithDeletedDetails(true))
	if err != nil {
		return nil, refusal(err)
	}
	var left []*domain.Webhook
	for _, sequence := range erased {
		if _, deleted := slices.BinarySearch(info.State.Deleted, sequence); !deleted && sequence >= info.State.FirstSeq {
			left = append(left, &domain.Webhook{StreamSequence: sequence})
		}
	}
	return left, nil
}

// finishErasures deletes what a stop has left in the stream of webhooks that have a
// tombstone.
func (l *Log) finishErasures(ctx context.Context) error {
	left, err := l.left(ctx)
	if err == nil && len(left) > 0 {
		err = l.overwrite(ctx, left)
	}
	if err != nil {
		return fmt.Errorf("finish erasures: %w", err)
	}
	return nil
}
