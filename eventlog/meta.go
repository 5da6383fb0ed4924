package eventlog

import (
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
)

// AllowRemoval gives what the server wrote down of a stream, but that its webhooks may be
// erased and trimmed: older programs denied that, and the server does not take it back.
func AllowRemoval(meta []byte) ([]byte, error) {
	var settings map[string]json.RawMessage
	if err := json.Unmarshal(meta, &settings); err != nil {
		return nil, err
	}
	settings["deny_delete"], settings["deny_purge"] = json.RawMessage("false"), json.RawMessage("false")
	return json.Marshal(settings)
}

// WebhooksMeta gives what the embedded server writes down of the stream of webhooks:
// when it was made, and its settings. Where config names no MaxBytes there is no
// limit, until the stream is opened.
func WebhooksMeta(identity domain.StreamIdentity, config Config) ([]byte, error) {
	config.Embedded = true
	maxBytes := config.MaxBytes
	if maxBytes == 0 {
		maxBytes = -1
	}
	return json.Marshal(struct {
		Created time.Time
		jetstream.StreamConfig
	}{identity.CreatedAt.Time(), webhooksStream(config, maxBytes)})
}
