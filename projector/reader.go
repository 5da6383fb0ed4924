package projector

import (
	"cmp"
	"context"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
)

// understood is a batch with what each of its webhooks means, but for those at its end
// that are not wanted. That depends on nothing but the webhook, so it is found out
// ahead, while the batch before is being committed.
type understood struct {
	*eventlog.Batch
	meanings []meaning
}

// meaning is the event that a webhook means, or why it means none.
type meaning struct {
	event *domain.Event
	err   error
}

func understand(providers provider.Set, w *domain.Webhook) (m meaning) {
	m.event, m.err = providers.Translate(w)
	return m
}

// read takes the stream's batches after a stream sequence, up to the last webhook
// wanted, and passes them on with their meanings. The channel is closed at the end.
func (p *Projector) read(ctx context.Context, after, last uint64, to chan<- *understood) error {
	defer close(to)
	for batch, err := range p.log.Batches(ctx, after+1, p.maxBatch) {
		if err != nil {
			return err
		}
		ahead := p.understandAll(batch, last)
		if len(ahead.meanings) == 0 { // the stream goes on behind the last one
			return follows(after, batch.Webhooks[0].StreamSequence)
		}
		select {
		case to <- ahead:
		case <-ctx.Done():
			return ctx.Err()
		}
		if after = batch.Webhooks[len(batch.Webhooks)-1].StreamSequence; after >= last {
			return nil
		}
	}
	return cmp.Or(ctx.Err(), errSubscriptionEnded)
}

// understandAll leaves alone what comes after the last webhook wanted.
func (p *Projector) understandAll(batch *eventlog.Batch, last uint64) *understood {
	all := &understood{Batch: batch, meanings: make([]meaning, 0, len(batch.Webhooks))}
	for i, webhook := range batch.Webhooks {
		if webhook.StreamSequence > last {
			break
		}
		p.status.reading.worksOn(i, webhook.StreamSequence)
		all.meanings = append(all.meanings, understand(p.providers, webhook))
	}
	p.status.reading.does(waitingFor, batch.Webhooks[len(batch.Webhooks)-1].StreamSequence+1)
	return all
}
