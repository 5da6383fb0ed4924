package eventlog

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/nats-io/nats.go"

	"github.com/ticketrail/ticketrail/domain"
)

// MaxDecided is the most entries that one decision may be about.
const MaxDecided = 500

// Decide keeps a decision about the quarantine, as durably as a webhook. It
// returns [ErrUnfit] for a verdict that is none and for more than [MaxDecided]
// entries, and else the errors of [Log.Append].
func (l *Log) Decide(ctx context.Context, d *domain.Decision) error {
	n, err := decisionMessage(d)
	if err == nil {
		_, err = l.storeAside(ctx, n)
	}
	if err != nil {
		return fmt.Errorf("keep a decision: %w", err)
	}
	return nil
}

func decisionMessage(d *domain.Decision) (*nats.Msg, error) {
	if len(d.Entries) > MaxDecided {
		return nil, fmt.Errorf("%w: a decision about %d entries", ErrUnfit, len(d.Entries))
	}
	subject, err := join(decisionRoot, string(d.Verdict))
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(d)
	return &nats.Msg{Subject: subject, Data: text}, err
}

// Decisions gives the decisions after a sequence with their own sequences, in
// order. It ends with the last one that was there when it began, or after an
// error. What is no decision of this program's is passed over.
func (l *Log) Decisions(ctx context.Context, after uint64) iter.Seq2[Decided, error] {
	return func(yield func(Decided, error) bool) {
		info, err := l.decisions.Info(ctx)
		if err != nil {
			yield(Decided{}, fmt.Errorf("ask for the stream of decisions: %w", refusal(err)))
			return
		}
		if info.State.LastSeq <= after {
			return // as nearly always; a reader would cost the server more
		}
		until := after
		for s, err := range (backlog{js: l.js, stream: l.decisions, subject: decisionRoot + ".>", after: after}).read(ctx) {
			if err != nil {
				yield(Decided{}, err)
				return
			}
			until = s.StreamSequence
			decided := Decided{Sequence: s.StreamSequence, Decision: &domain.Decision{}}
			if json.Unmarshal(s.body, decided.Decision) == nil && !yield(decided, nil) {
				return
			}
		}
		if until < info.State.LastSeq {
			// A follower of a cluster read it, and is behind. The last decision is
			// never one that was deleted: the stream denies that.
			yield(Decided{}, fmt.Errorf("%w: decisions were read to %d of %d", ErrUnavailable, until, info.State.LastSeq))
		}
	}
}

// Decided is a decision as its stream holds it.
type Decided struct {
	*domain.Decision
	Sequence uint64 // in the stream of decisions, from 1
}
