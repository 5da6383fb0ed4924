package eventlog_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// A webhook is stored on an embedded server and read back from the stream.
func Example() {
	dir, err := os.MkdirTemp("", "eventlog")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	embedded, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer embedded.Close()

	ctx := context.Background()
	stream, err := eventlog.Open(ctx, embedded.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: 16 << 20})
	if err != nil {
		log.Fatal(err)
	}
	receipt, err := stream.Append(ctx, &domain.Webhook{
		Provider: "runa", Source: "runa", Event: "completed", ID: "msg_1", Body: []byte(`{"id":"o-1"}`),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("stored at", receipt.StreamSequence)

	for batch, err := range stream.Batches(ctx, 1, 100) {
		if err != nil {
			log.Fatal(err)
		}
		for _, w := range batch.Webhooks {
			fmt.Printf("%d %s %s %s\n", w.StreamSequence, w.Provider, w.ID, w.Body)
		}
		break
	}
	// Output:
	// stored at 1
	// 1 runa msg_1 {"id":"o-1"}
}
