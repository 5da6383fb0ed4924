package ingest_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/ingest"
)

// BenchmarkWebhook sends signed webhooks over kept-alive connections. The null
// handler, which only reads the body, is the yardstick; the gap to the stream is
// mostly the sync that a 200 stands for.
func BenchmarkWebhook(b *testing.B) {
	body := padded(1 << 10)
	b.Run("null", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
		}))
		defer server.Close()
		request, err := http.NewRequest(http.MethodPost, server.URL, nil)
		require.NoError(b, err)
		benchmark(b, server.Client(), request, body)
	})
	b.Run("stream", func(b *testing.B) {
		r := start(b, func(c *ingest.Config) { c.Sources = unlimited(c.Sources) })
		benchmark(b, r.server.Client(), r.signed(b, "ordatic", "", body), body)
	})
}

func unlimited(sources []ingest.Source) []ingest.Source {
	for i := range sources {
		sources[i].Rate = 1_000_000
	}
	return sources
}

func benchmark(b *testing.B, client *http.Client, request *http.Request, body []byte) {
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 256
	b.SetBytes(int64(len(body)))
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			again := request.Clone(request.Context())
			again.Body = io.NopCloser(bytes.NewReader(body))
			again.ContentLength = int64(len(body))
			response, err := client.Do(again)
			if err != nil || response.StatusCode != http.StatusOK {
				b.Error("not taken", err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	})
}
