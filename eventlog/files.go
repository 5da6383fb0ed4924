package eventlog

import (
	"context"
	"os"

	"github.com/nats-io/nats.go"

	"github.com/ticketrail/ticketrail/domain"
)

// ReadBlock reads the messages of one file of the stream of webhooks, a block, of which it is
// given the number and the content. Each call of what it gives gives the next message, nil at
// the end, and false where something stands there that is not sound. The records share the
// content.
type ReadBlock func(number int, content []byte) (next func() (r *Record, sound bool))

// files reads a stream from its beginning from the embedded server's own files, those that
// it writes to no more. That takes a fifth of what it takes to be sent each message. It is in
// doubt of everything: of each file the server is asked for the first message, which must be
// the same, and with the first record that is not sound, and the first message that is not
// the next one, there is no more of it. It must be used by one goroutine at a time.
type files struct {
	log    *Log
	life   *life // in which they are read: the files change between two of them
	blocks *blocks
	number int // of the next file
	newest int // the server may still write to this one
	record func() (*Record, bool)
}

// filesOf gives nil where files are not read.
func (l *Log) filesOf(life *life) *files {
	if life == nil || l.readBlock == nil {
		return nil
	}
	f := &files{log: l, life: life, blocks: blocksOf(l.dir, WebhooksStream), number: 1}
	f.newest, _ = f.blocks.findNewest() // none where it fails, which the server tells too
	return f
}

// next gives the next message; nil where the server is to be asked for it, and for all that
// come later.
func (f *files) next(ctx context.Context) *stored {
	for {
		first := f.record == nil
		if first && !f.open(ctx) {
			return nil
		}
		r, sound := f.record()
		if !sound {
			return nil
		}
		if r == nil {
			f.record = nil
			continue
		}
		s, err := storedRecord(r)
		if err != nil || first && !f.same(ctx, s) {
			return nil
		}
		s.Pending = 1 // there is the newest file
		return s
	}
}

// open opens the next file.
func (f *files) open(ctx context.Context) bool {
	if f.number >= f.newest || ctx.Err() != nil {
		return false
	}
	content, err := os.ReadFile(f.blocks.path(f.number))
	if err != nil || f.life.over() {
		return false
	}
	f.record = f.log.readBlock(f.number, content)
	f.number++
	return true
}

// same tells whether the server has the same message.
func (f *files) same(ctx context.Context, s *stored) bool {
	its, err := f.log.message(ctx, s.StreamSequence)
	var before domain.Digest
	return err == nil && its.webhook().Chain(before) == s.webhook().Chain(before)
}

func storedRecord(r *Record) (*stored, error) {
	s := &stored{
		Delivery: Delivery{Subject: r.Subject, StreamSequence: r.StreamSequence, StoredAt: r.StoredAt},
		body:     r.Body,
	}
	if len(r.Header) > 0 {
		header, err := nats.DecodeHeadersMsg(r.Header)
		if err != nil {
			return nil, err
		}
		s.header = header
	}
	return s, nil
}
