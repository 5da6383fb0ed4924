// Package archivetest has what tests of the archive and of its relatives need to erase
// webhooks, and to look for what must be gone.
package archivetest

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// Log has the webhooks of a stream.
type Log interface {
	Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error)
}

// Erasure gives the erasure of some webhooks of a stream.
func Erasure(t testing.TB, log Log, sequences ...uint64) *domain.Erasure {
	t.Helper()
	e := &domain.Erasure{Key: "order"}
	for _, sequence := range sequences {
		w, err := log.Webhook(t.Context(), sequence)
		require.NoError(t, err)
		w.Remains = &domain.Remains{Length: w.Length(), Event: &domain.Event{Key: "order"}}
		w.Body = nil
		e.Webhooks = append(e.Webhooks, w)
	}
	return e
}

// Text gives all that the files of a folder hold, decompressed.
func Text(t testing.TB, dir string) string {
	t.Helper()
	var text strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || !strings.HasSuffix(path, ".zst") {
			text.Write(content)
			return err
		}
		decoder, err := zstd.NewReader(bytes.NewReader(content))
		if err != nil {
			return err
		}
		defer decoder.Close()
		_, err = io.Copy(&text, decoder)
		return err
	}))
	return text.String()
}
