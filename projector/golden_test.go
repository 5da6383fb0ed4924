package projector_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
	"github.com/ticketrail/ticketrail/projector"
	"github.com/ticketrail/ticketrail/projector/projectortest"
)

var update = flag.Bool("update", false, "write the golden files anew")

const histories = "../testdata/histories"

// received is one line of a history: a webhook as the stream has it.
type received struct {
	Source     string         `json:"source"`
	Provider   string         `json:"provider"`
	Event      string         `json:"event"`
	ID         string         `json:"id,omitzero"`
	ReceivedAt domain.Instant `json:"received_at"`
	Body       string         `json:"body"` // text, so that it stays byte for byte
}

// projected is what a golden file holds of one order.
type projected struct {
	Order    *domain.Order          `json:"order"`
	Timeline []domain.TimelineEntry `json:"timeline"`
}

// The histories pin what the read model makes of them. A change of the rules that
// alters it shows in the diff of the golden file, and needs a new Version.
func TestGoldenReadModel(t *testing.T) {
	t.Parallel()
	for _, p := range provider.All() {
		t.Run(p.Name(), func(t *testing.T) {
			t.Parallel()
			history := filepath.Join(histories, p.Name()+".jsonl")
			if _, err := os.Stat(history); os.IsNotExist(err) && *update {
				require.NoError(t, os.WriteFile(history, recordHistory(t, p.Name()), 0o600))
			}
			have := projectHistory(t, history)
			golden := filepath.Join(histories, p.Name()+".golden.json")
			if *update {
				require.NoError(t, os.WriteFile(golden, have, 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), string(have))
		})
	}
}

// projectHistory puts a history on a stream and tells the read model of it.
func projectHistory(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	log := projectortest.StartBroker(t, t.TempDir())
	var last uint64
	for line := range bytes.Lines(content) {
		var r received
		require.NoError(t, json.Unmarshal(line, &r))
		last = log.AcceptAgain(&domain.Webhook{
			Source: r.Source, Provider: r.Provider, Event: r.Event, ID: r.ID, ReceivedAt: r.ReceivedAt, Body: []byte(r.Body),
		})
	}
	model := openModel(t, filepath.Join(t.TempDir(), "1.db"))
	run(t, log, model, last, projector.Config{})

	orders, err := model.Orders(t.Context(), domain.OrderQuery{Sort: domain.SortCreatedAscending, Limit: 1000})
	require.NoError(t, err)
	var all []projected
	for _, order := range orders {
		timeline, err := model.Timeline(t.Context(), order.Source, order.Key, domain.TimelinePosition{}, 1000)
		require.NoError(t, err)
		order.StoredAt = domain.Instant{} // when the test ran
		all = append(all, projected{order, timeline})
	}
	told, err := json.Marshal(all, jsontext.WithIndent("\t"), jsontext.EscapeForHTML(true))
	require.NoError(t, err)
	return append(told, '\n')
}

// recordHistory makes up a history, late, out of order and repeated.
func recordHistory(t *testing.T, name string) (lines []byte) {
	t.Helper()
	began := time.Date(2026, 4, 1, 18, 0, 0, 0, time.UTC)
	simulator := simulate.New(2026)
	rng := rand.New(rand.NewPCG(2026, 4))
	for n := range 8 {
		webhooks := simulate.Disorder(rng, simulator.Order(name, n, began), simulate.Faults{Delay: time.Hour, Repeat: 0.2})
		for _, w := range webhooks {
			line, err := json.Marshal(received{
				Source: name, Provider: name, Event: w.Event, ID: w.ID,
				ReceivedAt: domain.InstantOf(began.Add(w.After)), Body: string(w.Body),
			})
			require.NoError(t, err)
			lines = append(append(lines, line...), '\n')
		}
	}
	return lines
}
