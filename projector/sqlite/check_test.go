package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// A flipped bit anywhere in a file is found by its check, whether or not a reader
// would ever come by; and so are an index that lacks a row, and a file that is cut.
func TestCheckFindsEveryDamage(t *testing.T) {
	t.Parallel()
	original := filepath.Join(t.TempDir(), "model.sqlite")
	db := openAt(t, original)
	w := newWriter(t, db)
	for i := range 60 {
		w.apply(step(fmt.Sprintf("order-%d", i), domain.FulfillmentReady))
	}
	w.commit()
	path := filepath.Join(t.TempDir(), "copy.sqlite")
	require.NoError(t, db.CopyTo(t.Context(), path))
	require.NoError(t, checkCopy(t.Context(), path))
	sound, err := os.ReadFile(path)
	require.NoError(t, err)
	for at := 0; at < len(sound); at += 301 {
		spoilt := slices.Clone(sound)
		spoilt[at] ^= 1 << (at % 8)
		require.NoError(t, os.WriteFile(path, spoilt, 0o600))
		require.Error(t, checkCopy(t.Context(), path), "byte %d", at)
	}
	require.NoError(t, os.WriteFile(path, sound[:len(sound)-4096], 0o600))
	require.ErrorIs(t, checkCopy(t.Context(), path), domain.ErrDamaged)

	require.NoError(t, db.Check(t.Context()))
	execute(t, original, "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = sql || ' AND store_id > ''b''' WHERE name = 'orders_by_store'")
	execute(t, original, "UPDATE orders SET store_id = 'a'")
	execute(t, original, "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, ' AND store_id > ''b''', '') WHERE name = 'orders_by_store'")
	require.ErrorIs(t, db.Check(t.Context()), domain.ErrDamaged)
}

func checkCopy(ctx context.Context, path string) error {
	db, err := sqlite.OpenCopy(ctx, path)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Check(ctx)
}

// Tallies of another moment, which no sum of a page tells of, are counted again, and those
// that are right stay.
func TestTalliesOfAnotherMomentAreMended(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"right":                "SELECT 1",
		"a count":              "UPDATE order_tallies SET orders = orders + 1 WHERE state = 'ready'",
		"a state too few":      "DELETE FROM order_tallies WHERE state = 'ready'",
		"a state too many":     "INSERT INTO order_tallies (source, state, orders) VALUES ('shop', 'failed', 1)",
		"before its last rise": "UPDATE order_tallies SET orders = orders + iif(state = 'ready', -1, 1)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "model.sqlite")
			db := openAt(t, path)
			w := newWriter(t, db)
			w.apply(step("1", domain.FulfillmentReady))
			w.apply(step("2", domain.FulfillmentReady))
			w.apply(step("3", domain.FulfillmentAccepted))
			w.commit()
			want, err := db.Stats(t.Context(), start)
			require.NoError(t, err)
			execute(t, path, statement)
			for _, wrong := range []bool{name != "right", false} {
				mended, err := db.MendTallies(t.Context())
				require.NoError(t, err)
				require.Equal(t, wrong, mended)
			}
			have, err := db.Stats(t.Context(), start)
			require.NoError(t, err)
			require.Len(t, have.Orders, 2)
			require.Equal(t, want.Orders, have.Orders)
			w.apply(step("3", domain.FulfillmentReady))
			w.commit()
		})
	}
}
