package api_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

func link(streamSequence int) string { return "/v1/webhooks/" + strconv.Itoa(streamSequence) }

// The quarantine lists what could not be translated, why, where, and the way to
// its bytes, in pages.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.quarantine("runa", domain.CauseKeyMissing, "/id")
	l.apply("ordatic", "ordatic", accepted("o-1"))
	l.quarantine("ivy", domain.CauseMalformed, "")
	l.quarantine("ivy", domain.CauseTooDeep, "")
	c := l.serve()
	var first, second api.Quarantine
	answer := c.get("/v1/quarantine?limit=2")
	answer.into(&first)
	require.Equal(t, `{"webhooks":[`+
		`{"stream_sequence":1,"source":"runa","event":"other","cause":"order-key-missing","where":"/id","received_at":"2026-03-01T12:00:00Z","webhook":"/v1/webhooks/1"},`+
		`{"stream_sequence":3,"source":"ivy","event":"other","cause":"malformed-json","where":null,"received_at":"2026-03-01T12:02:00Z","webhook":"/v1/webhooks/3"}`+
		`],"next_cursor":"`+*first.NextCursor+`"}`+"\n", answer.Body)
	c.get("/v1/quarantine?limit=2&cursor=" + *first.NextCursor).into(&second)
	require.Len(t, second.Webhooks, 1)
	require.Nil(t, second.NextCursor)
	var webhook api.Webhook
	c.get(second.Webhooks[0].Webhook).into(&webhook)
	require.Equal(t, uint64(4), webhook.StreamSequence)
}
