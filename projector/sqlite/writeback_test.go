package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// A long log is written back into the database without a commit having to do it.
func TestLongLogIsWrittenBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.db")
	w := newWriter(t, openAt(t, path))
	const each, commits = 1 << 20, 20
	for n := range commits {
		order := w.apply(step("o-1", domain.FulfillmentReady))
		w.batch.Proofs = append(w.batch.Proofs, domain.OrderProof{Order: order, Proof: &domain.Proof{
			ProofInfo: domain.ProofInfo{ID: fmt.Sprint(n)}, Content: bytes.Repeat([]byte{byte(n)}, each),
		}})
		w.commit()
	}
	require.Eventually(t, func() bool {
		database, err := os.Stat(path)
		require.NoError(t, err)
		return database.Size() > each*commits*3/4
	}, time.Minute, time.Millisecond)
}
