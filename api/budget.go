package api

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// A body of a webhook or a proof may have megabytes, and a reader may take half a
// minute to fetch it: many slow readers would fill the memory.
const (
	// maxHeld bounds the bytes of bodies that answers hold at once.
	maxHeld = 16 << 20
	// maxFetched is how many bodies are fetched at once: their size is known afterwards.
	maxFetched = 2
	// jsonCopies is how much more than its bytes a body takes in a JSON answer.
	jsonCopies = 4
)

// budget bounds what answers hold.
type budget struct {
	fetched *semaphore.Weighted
	held    *semaphore.Weighted
	copied  *semaphore.Weighted // read models
}

func newBudget() budget {
	return budget{fetched: semaphore.NewWeighted(maxFetched), held: semaphore.NewWeighted(maxHeld), copied: semaphore.NewWeighted(1)}
}

// fetch takes a place for what reads a webhook, as a look at a snapshot does too, and
// gives errBusy where there is none in time.
func (b budget) fetch(ctx context.Context) (done func(), err error) {
	if err := b.fetched.Acquire(ctx, 1); err != nil {
		return nil, errBusy
	}
	return func() { b.fetched.Release(1) }, nil
}

// heavy is the output of an operation that answers with a body.
type heavy interface{ weight() int }

// within answers within the budget. It waits where that is used up, in the place of a
// fetch, so that who waits is bounded too; and gives errBusy where there is no room in
// time. What an answer holds is given back when it has been written.
func within[I, O any, H interface {
	*O
	heavy
}](h *handler, fetch operation[I, O]) operation[I, O] {
	return func(ctx context.Context, in *I) (*O, error) {
		done, err := h.budget.fetch(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		out, err := fetch(ctx, in)
		if err != nil {
			return nil, err
		}
		weight := min(int64(H(out).weight()), maxHeld)
		if err := h.budget.held.Acquire(ctx, weight); err != nil {
			return nil, errBusy
		}
		ctx.Value(answerKey{}).(*answer).held += weight
		return out, nil
	}
}

// answerKey is where the context of a request has its answer.
type answerKey struct{}
