package archive_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

// Whatever a segment's bytes are, it gives webhooks that follow one another, and then
// ends, or is damaged at a named place.
func FuzzSegment(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("\x28\xb5\x2f\xfd\x00"))
	addSegments(f, func(raw []byte) { f.Add(raw) })
	f.Fuzz(func(t *testing.T, raw []byte) { readSegment(t, raw) })
}

// The same where each frame is whole, and says something else.
func FuzzSegmentLines(f *testing.F) {
	decoder, err := zstd.NewReader(nil)
	require.NoError(f, err)
	f.Cleanup(decoder.Close)
	addSegments(f, func(raw []byte) {
		text, err := decoder.DecodeAll(raw, nil) // of all frames: it begins with the head
		require.NoError(f, err)
		f.Add(text, 1)
		f.Add(text, 3)
	})
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(true), zstd.WithEncoderConcurrency(1))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text []byte, lines int) {
		var raw []byte
		for len(text) > 0 {
			at := 0
			for n := 0; at < len(text) && n < max(1, lines%16); at++ {
				if text[at] == '\n' {
					n++
				}
			}
			raw = encoder.EncodeAll(text[:at], raw)
			text, lines = text[at:], lines/16
		}
		readSegment(t, raw)
	})
}

func addSegments(f *testing.F, add func([]byte)) {
	dir := f.TempDir()
	w, err := archive.Open(dir, stream)
	require.NoError(f, err)
	require.NoError(f, w.Append(group(1, 3)))
	require.NoError(f, w.Append(group(4, 5)))
	require.NoError(f, w.Close())
	paths, err := filepath.Glob(filepath.Join(dir, "*.zst"))
	require.NoError(f, err)
	require.NotEmpty(f, paths)
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		require.NoError(f, err)
		add(raw)
	}
}

func readSegment(t *testing.T, raw []byte) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "00000000000000000001.jsonl.zst"), raw, 0o600))
	last := uint64(0)
	for e, err := range archive.Read(dir, 0) {
		if err != nil {
			require.True(t, errors.As(err, new(*archive.DamageError)), "%v", err)
			return
		}
		require.Equal(t, last+1, e.StreamSequence)
		require.Equal(t, domain.DigestBody(e.Body), e.BodyDigest)
		last = e.StreamSequence
	}
	looked, err := archive.Look(dir)
	require.NoError(t, err)
	require.Equal(t, last, looked.Last().StreamSequence)
}
