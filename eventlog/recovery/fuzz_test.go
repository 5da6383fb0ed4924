package recovery_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// Whatever the bytes of a block, of an index or of a description of the broker are, or of
// what is known of them, the look at them ends with its mend or its refusal, and a refusal
// changes nothing.
func FuzzBrokerFiles(f *testing.F) {
	base := makeBase(f)
	names := []string{"msgs/1.blk", "msgs/2.blk", "msgs/index.db", "meta.inf", "meta.sum", "known"}
	for n, name := range names {
		whole, err := os.ReadFile(filepath.Join(streamFolder(base), name))
		require.NoError(f, err)
		f.Add(n, 0, whole)
		f.Add(n, len(whole)/2, []byte("\x00\x00\x00\x00\xff"))
		f.Add(n, len(whole), []byte("\x16\x00\x00\x00"))
	}
	f.Fuzz(func(t *testing.T, n, at int, over []byte) {
		data := t.TempDir()
		require.NoError(t, os.CopyFS(data, os.DirFS(base)))
		path := filepath.Join(streamFolder(data), names[(n%len(names)+len(names))%len(names)])
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		at = (at%(len(whole)+1) + len(whole) + 1) % (len(whole) + 1)
		changed := append(whole[:at:at], over...)
		if len(changed) < len(whole) {
			changed = append(changed, whole[len(changed):]...)
		}
		require.NoError(t, os.WriteFile(path, changed, 0o600))
		if err := recovery.Check(filesOf(data), nil); err != nil {
			require.True(t, errors.As(err, new(*recovery.Refusal)), "%v", err)
			now, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, changed, now)
		}
	})
}

// makeBase makes a data folder with a stream of two blocks and more.
func makeBase(f *testing.F) (data string) {
	f.Helper()
	data = f.TempDir()
	dir := filepath.Join(data, "stream")
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir})
	require.NoError(f, err)
	log, err := eventlog.Open(f.Context(), server.Conn(), eventlog.Config{Embedded: true, Dir: dir, MaxBytes: smallStream})
	require.NoError(f, err)
	for n := range webhooks {
		_, err := log.Append(f.Context(), &domain.Webhook{
			Provider: "ivy", Source: "shop", Event: "order_updated", ID: fmt.Sprint(n),
			Body: fmt.Appendf(nil, `{"n":%d,"text":%q}`, n, strings.Repeat("lorem ipsum ", n%7*25)),
		})
		require.NoError(f, err)
	}
	require.NoError(f, server.Close())
	require.NoError(f, recovery.Check(filesOf(data), nil)) // so that something is known
	return data
}
