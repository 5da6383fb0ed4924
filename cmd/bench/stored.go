package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// place is where the stream has a webhook, as its sender was told.
type place struct {
	StreamSequence uint64
	Body           digestHead
}

// writePlaces keeps what a load was told, for whoever checks it.
func writePlaces(path string, places []place) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(binary.Write(file, binary.LittleEndian, places), file.Close())
}

func readPlaces(path string) ([]place, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	places := make([]place, len(text)/binary.Size(place{}))
	if _, err := binary.Decode(text, binary.LittleEndian, places); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return places, nil
}

// checkStored reads the stream of a server that has ended, and checks that each webhook
// that was answered with 200 is where the answer said, and that each is there once and
// nothing beside them.
func checkStored(ctx context.Context, dir string, answered []place) (err error) {
	b, err := startBroker(dir, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	log, err := b.open(ctx)
	if err != nil {
		return err
	}
	info, err := log.Info(ctx)
	if err != nil {
		return err
	}
	if info.Messages != uint64(len(answered)) {
		return fmt.Errorf("%d webhooks were answered with 200, and the stream has %d", len(answered), info.Messages)
	}
	wanted := make(map[uint64]digestHead, len(answered))
	for _, p := range answered {
		wanted[p.StreamSequence] = p.Body
	}
	if info.Last == 0 {
		return nil
	}
	for batch, err := range log.Batches(ctx, 1, readBatch) {
		if err != nil {
			return err
		}
		for _, w := range batch.Webhooks {
			if wanted[w.StreamSequence] != headOf(w.Body) {
				return fmt.Errorf("stream sequence %d has another webhook than was answered so", w.StreamSequence)
			}
			delete(wanted, w.StreamSequence)
			if w.StreamSequence == info.Last {
				return missing(wanted)
			}
		}
	}
	return ctx.Err()
}

// readBatch is how many webhooks a reader of ours takes at once.
const readBatch = 4096

func missing(wanted map[uint64]digestHead) error {
	if len(wanted) > 0 {
		return fmt.Errorf("%d webhooks that were answered with 200 are not in the stream", len(wanted))
	}
	return nil
}
