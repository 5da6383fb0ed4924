package eventlog

import (
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
)

// WebhooksMeta gives what the embedded server writes down of the stream of webhooks:
// when it was made, and its settings. Where config names no MaxBytes there is no
// limit, until the stream is opened.
func WebhooksMeta(identity domain.StreamIdentity, config Config) ([]byte, error) {
	maxBytes := config.MaxBytes
	if maxBytes == 0 {
		maxBytes = -1
	}
	return json.Marshal(struct {
		Created time.Time
		jetstream.StreamConfig
	}{identity.CreatedAt.Time(), webhooksStream(config, maxBytes)})
}
