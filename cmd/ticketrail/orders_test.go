package main_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain/provider"
)

var update = flag.Bool("update", false, "write the golden files anew")

// headlines says what each webhook of testdata makes of an order that nothing
// else was heard of: state, fulfillment, delivery, payment, outcome. One that
// is not here is about no order.
var headlines = map[string]string{
	"ivy/order_created":                               "placed none none pending open",
	"ivy/order_updated":                               "failed none none failed failed",
	"ivy/order_updated-canceled":                      "canceled none none canceled canceled",
	"ivy/order_updated-disputed":                      "completed none none disputed completed",
	"ivy/order_updated-failed":                        "failed none none failed failed",
	"ivy/order_updated-finalizing":                    "accepted accepted none settling open",
	"ivy/order_updated-in_dispute":                    "completed none none disputed completed",
	"ivy/order_updated-in_handshake":                  "placed none none pending open",
	"ivy/order_updated-in_refund":                     "completed none none refunding completed",
	"ivy/order_updated-paid":                          "completed none none paid completed",
	"ivy/order_updated-partially_refunded":            "completed none none partially-refunded completed",
	"ivy/order_updated-processing":                    "placed none none pending open",
	"ivy/order_updated-refund_failed":                 "completed none none refund-failed completed",
	"ivy/order_updated-refunded":                      "completed none none refunded completed",
	"ivy/order_updated-refused":                       "failed none none failed failed",
	"ivy/order_updated-waiting_for_bank_confirmation": "accepted accepted none authorized open",
	"ivy/order_updated-waiting_for_payment":           "accepted accepted none authorized open",
	"ivy/order_updated-waiting_for_payment-direct":    "completed accepted none authorized completed",
	"ivy/refund.failed":                               "placed none none none open",
	"ivy/refund.initiated":                            "placed none none none open",
	"ivy/refund.succeeded":                            "placed none none none open",
	"ivy/refund_failed":                               "completed none none refund-failed completed",
	"ivy/refund_succeeded":                            "completed none none refunded completed",
	"ordatic/order-accepted":                          "accepted accepted none none open",
	"ordatic/order-canceled":                          "canceled none none none canceled",
	"ordatic/order-in-kitchen":                        "in-kitchen in-kitchen none none open",
	"ordatic/order-picked-up":                         "completed handed-over none none completed",
	"ordatic/order-ready-to-pick-up":                  "ready ready none none open",
	"ordatic/order-served":                            "completed handed-over none none completed",
	"ordatic/rider-completed":                         "completed none delivered none completed",
	"ordatic/rider-created":                           "accepted none assigned none open",
	"ordatic/rider-delivering":                        "rider-delivering none delivering none open",
	"ordatic/rider-error":                             "placed none none none open",
	"ordatic/rider-picking":                           "accepted none picking none open",
	"ordatic/rider-proof-delivery":                    "placed none none none open",
	"ordatic/rider-proof-delivery-picture":            "placed none none none open",
	"ordatic/rider-refund":                            "placed none none none open",
	"payway/order_closed":                             "closed none none none closed",
	"payway/order_closed-created":                     "placed none none none open",
	"payway/order_closed-failed":                      "failed none none none failed",
	"payway/order_closed-invoice":                     "closed none none none closed",
	"payway/user_product_cancelled-order":             "closed none none none closed",
	"runa/order.completion-completed":                 "completed none none paid completed",
	"runa/order.completion-completed-yen":             "completed none none paid completed",
	"runa/order.completion-failed":                    "failed none none none failed",
	"runa/order.completion-processing":                "placed none none none open",
}

// arrival are the fields of an order that are about when its webhooks came.
var arrival = []string{"first_seen_at", "last_seen_at", "updated_at", "state_since", "stream_sequence", "source"}

// Every webhook of testdata, sent as its provider sends it to the real program,
// gives exactly the order that the golden file holds, and the headline above.
func TestWebhooksBecomeOrdersGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/webhooks/*/*.json")
	require.NoError(t, err)
	p := start(t, filepath.Join(t.TempDir(), "data"), "--config", oneSourceEach(t, files))
	orders := map[string]map[string]any{} // by provider, by file
	for i, file := range files {
		name := webhookName(file)
		order := orderOf(t, p, i, file)
		require.Equal(t, headlines[name], headlineOf(order), name)
		of, event, _ := strings.Cut(name, "/")
		if orders[of] == nil {
			orders[of] = map[string]any{}
		}
		orders[of][event] = order
	}
	for name := range headlines {
		require.Contains(t, files, filepath.Join("../../testdata/webhooks", name+".json"))
	}
	for _, of := range slices.Sorted(maps.Keys(orders)) {
		requireGolden(t, "testdata/orders/"+of+".json", orders[of])
	}
	p.stop(t)
}

// oneSourceEach configures a source for each file, so that no two of them speak
// of the same order.
func oneSourceEach(t *testing.T, files []string) string {
	t.Helper()
	text := "sources:\n"
	for i, file := range files {
		adapter, known := provider.Named(filepath.Base(filepath.Dir(file)))
		require.True(t, known, file)
		text += fmt.Sprintf("  - { name: s-%d, provider: %s, secrets: [%q] }\n", i, adapter.Name(), adapter.NewSecret([24]byte{}))
	}
	path := filepath.Join(t.TempDir(), "ticketrail.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// orderOf sends one file to its source and gives the order that it became,
// without what is about arrival; nil where it is about none.
func orderOf(t *testing.T, p *process, i int, file string) map[string]any {
	t.Helper()
	adapter, _ := provider.Named(filepath.Base(filepath.Dir(file)))
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	to := sender.Sender{Client: http.DefaultClient, URL: p.addresses.Sources[i].URL, Provider: adapter, Secret: adapter.NewSecret([24]byte{})}
	answer, err := to.Send(t.Context(), "msg_golden", body)
	require.NoError(t, err)
	require.Equal(t, sender.Answer{Status: http.StatusOK, StreamSequence: answer.StreamSequence}, answer)
	var list struct{ Orders []map[string]any }
	p.get(t, fmt.Sprintf("/v1/orders?source=s-%d&min_stream_sequence=%d", i, answer.StreamSequence), &list)
	require.LessOrEqual(t, len(list.Orders), 1)
	if len(list.Orders) == 0 {
		return nil
	}
	return withoutArrival(list.Orders[0])
}

func withoutArrival(order map[string]any) map[string]any {
	for _, field := range arrival {
		delete(order, field)
	}
	if problem, ok := order["problem"].(map[string]any); ok {
		delete(problem, "since")
	}
	for _, list := range []string{"anomalies", "proofs"} {
		for _, element := range order[list].([]any) {
			delete(element.(map[string]any), "stream_sequence")
			delete(element.(map[string]any), "url")
		}
	}
	return order
}

func headlineOf(order map[string]any) string {
	if order == nil {
		return ""
	}
	var axes []string
	for _, axis := range []string{"state", "fulfillment", "delivery", "payment", "outcome"} {
		axes = append(axes, fmt.Sprint(order[axis]))
	}
	return strings.Join(axes, " ")
}

// webhookName gives "ivy/test" for ".../ivy/test.json".
func webhookName(file string) string {
	return filepath.Base(filepath.Dir(file)) + "/" + strings.TrimSuffix(filepath.Base(file), ".json")
}

func requireGolden(t *testing.T, path string, value any) {
	t.Helper()
	have, err := json.MarshalIndent(value, "", "  ")
	require.NoError(t, err)
	have = append(have, '\n')
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, have, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(have))
}
