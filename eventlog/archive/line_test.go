package archive_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// form is the line of a webhook, as everybody may read it.
type form struct {
	StreamSequence uint64          `json:"stream_sequence"`
	Provider       string          `json:"provider"`
	Source         string          `json:"source"`
	Event          string          `json:"event"`
	ID             string          `json:"id,omitempty"`
	ContentType    string          `json:"content_type,omitempty"`
	ReceivedAt     domain.Instant  `json:"received_at"`
	StoredAt       domain.Instant  `json:"stored_at"`
	Body           string          `json:"body,omitempty"`
	Base64         []byte          `json:"body_base64,omitempty"`
	Remains        *domain.Remains `json:"remains,omitempty"`
	SHA256         *domain.Digest  `json:"sha256,omitempty"`
}

// markForm is what a mark's line says.
type markForm struct {
	StreamSequence uint64          `json:"stream_sequence"`
	Outline        archive.Outline `json:"outline"`
	Chain          string          `json:"chain"`
}

// Whatever a webhook holds, its line is to the last byte the one that a JSON library makes
// of the form.
func TestLinesAreTheJSONOfTheirForm(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, dir)
	w.SegmentSize = 64 << 20
	rapid.Check(t, func(t *rapid.T) {
		e := drawEntry(t, w.Last().StreamSequence+1)
		want, err := json.Marshal(formOf(e))
		require.NoError(t, err)
		require.NoError(t, w.Append([]archive.Entry{e}))
		lines := bytes.Split(decompressed(t, dir), []byte("\n"))
		require.Equal(t, string(want), string(lines[len(lines)-3]), "before the mark, and nothing")
		last := w.Last()
		want, err = json.Marshal(map[string]markForm{"mark": {last.StreamSequence, last.Outline, hex.EncodeToString(last.Chain[:])}})
		require.NoError(t, err)
		require.Equal(t, string(want), string(lines[len(lines)-2]))
	})
}

func drawEntry(t *rapid.T, streamSequence uint64) archive.Entry {
	text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringMatching(`[a-z"\\/\x{2028}<&\x00-\x1f]*`))
	body := rapid.OneOf(rapid.Map(text, func(s string) []byte { return []byte(s) }), rapid.SliceOf(rapid.Byte())).Draw(t, "body")
	w := &domain.Webhook{
		StreamSequence: streamSequence, Provider: text.Draw(t, "provider"), Source: text.Draw(t, "source"), Event: text.Draw(t, "event"),
		ID: text.Draw(t, "id"), ContentType: text.Draw(t, "content type"), ReceivedAt: drawInstant(t, "received at"),
		Body: body, BodyDigest: domain.DigestBody(body),
	}
	if rapid.Bool().Draw(t, "erased") {
		w = w.Erased(&domain.Event{Kind: domain.Step, Key: "key", Name: "name"}, func(string) string { return "" })
	}
	return archive.Entry{Webhook: w, StoredAt: drawInstant(t, "stored at")}
}

// drawInstant gives any time that can be written, and none.
func drawInstant(t *rapid.T, label string) domain.Instant {
	return domain.InstantOf(time.Unix(rapid.Int64Range(-1<<36, 1<<38).Draw(t, label), rapid.Int64Range(0, 1e9-1).Draw(t, "nanoseconds")))
}

func formOf(e archive.Entry) form {
	f := form{
		StreamSequence: e.StreamSequence, Provider: e.Provider, Source: e.Source, Event: e.Event,
		ID: e.ID, ContentType: e.ContentType, ReceivedAt: e.ReceivedAt, StoredAt: e.StoredAt,
	}
	switch {
	case e.Remains != nil:
		f.Remains, f.SHA256 = e.Remains, &e.BodyDigest
	case utf8.Valid(e.Body):
		f.Body = string(e.Body)
	default:
		f.Base64 = e.Body
	}
	return f
}

// decompressed gives the text of an archive's one segment.
func decompressed(t require.TestingT, dir string) []byte {
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, paths, 1)
	file, err := os.Open(paths[0])
	require.NoError(t, err)
	defer file.Close()
	reader, err := zstd.NewReader(file)
	require.NoError(t, err)
	defer reader.Close()
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	return text
}
