package main

import (
	"context"
	"path/filepath"

	"github.com/ticketrail/ticketrail/cmd/bench/load"
)

// Stored is a stream in a folder with the webhooks of some orders, and what their
// senders were told of them.
type Stored struct {
	Dir      string
	Answered []place
}

// Store fills a stream.
func Store(dir string, orders int) (*Stored, error) {
	s := &Stored{Dir: filepath.Join(dir, "stream")}
	b, err := startBroker(s.Dir, false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.close() }()
	if _, err := b.open(context.Background()); err != nil {
		return nil, err
	}
	mix := load.NewMix(1)
	for w := range mix.Webhooks(0, orders) {
		s.Answered = append(s.Answered, place{uint64(len(s.Answered) + 1), headOf(w.Body)})
	}
	_, err = publishAll(b.conn, mix, orders)
	return s, err
}

// Check compares the two.
func (s *Stored) Check(ctx context.Context) error { return checkStored(ctx, s.Dir, s.Answered) }

// Lie has the answer to one webhook be that to another.
func (s *Stored) Lie() { s.Answered[1].Body = s.Answered[0].Body }
