package recovery_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

var many = flag.Int("webhooks", 100_000, "how many webhooks the benchmarks have")

// write makes an archive of webhooks of 70 to 2,000 bytes, in groups of most.
func write(b *testing.B, dir string, most int) {
	b.Helper()
	identity := domain.StreamIdentity{Name: eventlog.WebhooksStream, CreatedAt: domain.InstantOf(time.Unix(1_700_000_000, 0))}
	w, err := archive.Open(dir, identity)
	require.NoError(b, err)
	defer func() { require.NoError(b, w.Close()) }()
	filler := bytes.Repeat([]byte(`"value of an order",`), 100)
	var group []archive.Entry
	for n := 1; n <= *many; n++ {
		at := domain.InstantOf(time.Unix(1_700_000_000, int64(n)*1000))
		body := fmt.Appendf(nil, `{"eventType":"order-accepted","storeId":"s","data":{"orderId":"%d"},"more":[%s""]}`, n, filler[:20*(n%97)])
		group = append(group, archive.Entry{StoredAt: at, Webhook: &domain.Webhook{
			Provider: "ordatic", Source: "ordatic", Event: "order-accepted", ReceivedAt: at,
			Body: body, BodyDigest: domain.DigestBody(body), StreamSequence: uint64(n),
		}})
		if len(group) == most || n == *many {
			require.NoError(b, w.Append(group))
			group = group[:0]
		}
	}
}

// BenchmarkFiles gives what each work on a stream's files and its archive takes.
func BenchmarkFiles(b *testing.B) {
	files := filesOf(b.TempDir())
	write(b, files.Archive, 1000)
	_, err := recovery.Restore(files, recovery.Source{})
	require.NoError(b, err)
	b.Run("check", func(b *testing.B) {
		for range b.N {
			require.NoError(b, os.RemoveAll(filepath.Join(brokerfile.StreamDir(files.Server, eventlog.WebhooksStream), "known")))
			require.NoError(b, recovery.Check(files, nil))
		}
	})
	b.Run("check again", func(b *testing.B) {
		for range b.N {
			require.NoError(b, recovery.Check(files, nil))
		}
	})
	b.Run("compare", func(b *testing.B) {
		for range b.N {
			_, err := recovery.Compare(files, 0)
			require.NoError(b, err)
		}
	})
	b.Run("open the broker", func(b *testing.B) {
		for range b.N {
			server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: files.Server})
			require.NoError(b, err)
			require.NoError(b, server.Close())
		}
	})
}
