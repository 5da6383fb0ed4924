package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// The views give what docs/grafana.md says: these are their columns, in Unix seconds, and
// nothing of them is personal.
func TestViews(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.db")
	w := newWriter(t, openAt(t, path))
	event := step("store-7:o-1", domain.FulfillmentAccepted)
	event.Facts = domain.Facts{StoreID: "store-7", Total: "32.00", Currency: "SEK", Reference: "for Alva", Description: "for Alva"}
	event.History = []domain.HistoryEntry{{Status: "accepted", Reason: "for Alva"}}
	w.apply(event)
	w.batch.Timeline[0].Note = "for Alva"
	w.apply(step("store-7:o-1", domain.FulfillmentReady))
	w.apply(domain.Event{Key: "o-2", Standing: domain.Standing{Axes: domain.Axes{Outcome: domain.OutcomeCompleted}}})
	minute := start.Unix() / 60
	w.batch.Tallies.Minutes[domain.MinuteTally{Source: "shop", Minute: minute}] = domain.MinuteCounts{Counts: domain.Counts{Applied: 3, Duplicate: 1}, Orders: 2}
	w.batch.Stays = []domain.Stay{
		{StreamSequence: 2, Source: "shop", Store: "store-7", State: domain.StateAccepted, EndedAt: start.Unix() + 2, Class: domain.DurationClass(1000e6)},
		{StreamSequence: 3, Source: "shop", State: domain.StateAccepted, EndedAt: start.Unix() + 3, Class: 15},
	}
	w.commit()

	for view, want := range map[string]string{
		"SELECT * FROM v_orders ORDER BY id": "" +
			"1|shop|ordatic|store-7:o-1|ready|store-7||32.00|SEK|1773489631|1773489632|1773489632|1|2|2|1773489632\n" +
			"2|shop|ordatic|o-2|completed||||" + "|1773489633|1773489633|1773489633|0|1|3|1773489633\n",
		"SELECT * FROM v_order_events ORDER BY stream_sequence": "" +
			"1|shop|store-7:o-1|1|0|step||advanced|accepted||1773489631\n" +
			"1|shop|store-7:o-1|2|0|step||advanced|ready||1773489632\n" +
			"2|shop|o-2|3|0|||advanced|completed||1773489633\n",
		"SELECT * FROM v_webhooks_per_minute": "1773489600|shop|3|1|0|0|2\n",
		"SELECT * FROM v_time_in_state ORDER BY span, seconds": "" +
			"all|0|shop||accepted|0.015|1\n" + "all|0|shop||accepted|0.96|1\n" +
			"day|1773446400|shop|store-7|accepted|0.96|1\n" +
			"hour|1773489600|shop||accepted|0.015|1\n" + "hour|1773489600|shop||accepted|0.96|1\n",
	} {
		require.Equal(t, want, query(t, path, view), view)
	}
	require.Equal(t, "0.96\n", query(t, path, "SELECT max(seconds) FROM v_time_in_state"), "as domain.ClassDuration has it")
	require.Equal(t, domain.ClassDuration(domain.DurationClass(1000e6)).Seconds(), 0.96)
}

// query reads a read model's file as any other program does, as lines.
func query(t *testing.T, path, statement string) string {
	t.Helper()
	db, err := sql.Open("sqlite3", sqlite.DSN(path))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), statement)
	require.NoError(t, err)
	return texts(t, rows)
}

// texts gives the rows of a query as lines.
func texts(t *testing.T, rows *sql.Rows) string {
	t.Helper()
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var text strings.Builder
	for rows.Next() {
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(sql.NullString)
		}
		require.NoError(t, rows.Scan(cells...))
		for i, cell := range cells {
			if i > 0 {
				text.WriteString("|")
			}
			text.WriteString(cell.(*sql.NullString).String)
		}
		text.WriteString("\n")
	}
	require.NoError(t, rows.Err())
	return text.String()
}
