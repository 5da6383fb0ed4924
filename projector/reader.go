package projector

import (
	"cmp"
	"context"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
)

// understood is a batch with what each of its webhooks means. That depends on nothing
// but the webhook, so it is found out ahead, while the batch before is being committed.
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

// read takes the stream's batches after a stream sequence, and passes them on with
// their meanings. The channel is closed at the end.
func (p *Projector) read(ctx context.Context, after uint64, to chan<- *understood) error {
	defer close(to)
	for batch, err := range p.log.Batches(ctx, after+1, p.maxBatch) {
		if err != nil {
			return err
		}
		select {
		case to <- p.understandAll(batch):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return cmp.Or(ctx.Err(), errSubscriptionEnded)
}

func (p *Projector) understandAll(batch *eventlog.Batch) *understood {
	all := &understood{Batch: batch, meanings: make([]meaning, len(batch.Webhooks))}
	for i, webhook := range batch.Webhooks {
		p.status.reading.worksOn(i, webhook.StreamSequence)
		all.meanings[i] = understand(p.providers, webhook)
	}
	p.status.reading.does(waitingFor, batch.Webhooks[len(batch.Webhooks)-1].StreamSequence+1)
	return all
}
