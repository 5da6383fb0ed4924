package archive_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog/archive"
)

var stream = domain.StreamIdentity{Name: "WEBHOOKS", CreatedAt: domain.InstantOf(time.Unix(1_700_000_000, 1))}

// segmentSize is what one webhook of noise fills.
const segmentSize = 16 << 10

// entry makes the webhook of a stream sequence.
func entry(sequence uint64, body []byte) archive.Entry {
	at := domain.InstantOf(time.Unix(1_700_000_000, int64(sequence)))
	return archive.Entry{StoredAt: at, Webhook: &domain.Webhook{
		Provider: "ivy", Source: "shop", Event: "order_updated", ID: fmt.Sprint("id-", sequence), ReceivedAt: at,
		Body: body, BodyDigest: domain.DigestBody(body), StreamSequence: sequence,
	}}
}

// group makes the webhooks of some stream sequences.
func group(from, to uint64) (entries []archive.Entry) {
	for sequence := from; sequence <= to; sequence++ {
		entries = append(entries, entry(sequence, fmt.Appendf(nil, `{"id":"id-%d","text":"æ\u2028<&>"}`, sequence)))
	}
	return entries
}

func open(t *testing.T, dir string) *archive.Writer {
	t.Helper()
	w, err := archive.Open(dir, stream)
	require.NoError(t, err)
	w.SegmentSize = segmentSize
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// write writes groups of ten webhooks into a new archive.
func write(t *testing.T, groups uint64) (dir string) {
	t.Helper()
	dir = t.TempDir()
	w := open(t, dir)
	for n := range groups {
		require.NoError(t, w.Append(group(10*n+1, 10*n+10)))
	}
	return dir
}

func read(t *testing.T, dir string, from uint64) (entries []archive.Entry) {
	t.Helper()
	for e, err := range archive.Read(dir, from) {
		require.NoError(t, err)
		entries = append(entries, e)
	}
	return entries
}

// onlySegment gives the path and the content of an archive's one segment.
func onlySegment(t *testing.T, dir string) (path string, content []byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, paths, 1)
	content, err = os.ReadFile(paths[0])
	require.NoError(t, err)
	return paths[0], content
}

// A webhook comes back byte for byte, whatever its body is made of, from whichever
// stream sequence on.
func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, dir)
	bodies := [][]byte{nil, []byte("{}"), {0xff, 0}, []byte("a\uFFFD\x00\n\"\\"), bytes.Repeat([]byte("x"), 1<<20)}
	var want []archive.Entry
	for i, body := range bodies {
		want = append(want, entry(uint64(i+1), body))
	}
	want[1].ID, want[1].ContentType, want[1].ReceivedAt = "", "text/plain", domain.UnixInstant(5)
	require.NoError(t, w.Append(want[:2]))
	require.NoError(t, w.Append(want[2:]))
	for i, e := range read(t, dir, 2) {
		require.True(t, bytes.Equal(want[i+1].Body, e.Body))
		e.Body = want[i+1].Body // nil and empty are the same body
		require.Equal(t, want[i+1], e)
	}
	found, err := archive.Look(dir)
	require.NoError(t, err)
	require.Equal(t, w.Last(), found.Last())
	require.Equal(t, stream, found.Stream())
}

// An archive is of use without this program: it is zstd, and lines of JSON.
func TestAnArchiveIsReadByOrdinaryTools(t *testing.T) {
	t.Parallel()
	_, content := onlySegment(t, write(t, 2))
	decoder, err := zstd.NewReader(bytes.NewReader(content))
	require.NoError(t, err)
	defer decoder.Close()
	text, err := io.ReadAll(decoder)
	require.NoError(t, err)
	var bodies int
	for row := range bytes.Lines(text) {
		var line struct{ Body *string }
		require.NoError(t, json.Unmarshal(row, &line))
		if line.Body != nil {
			bodies++
		}
	}
	require.Equal(t, 20, bodies)
}

// However far the last write came, what was answered for is there, and writing goes
// on after it.
func TestATornGroupIsCutOff(t *testing.T) {
	t.Parallel()
	dir := write(t, 3)
	path, whole := onlySegment(t, dir)
	require.NoError(t, open(t, dir).Append(group(31, 40)))
	_, longer := onlySegment(t, dir)
	rapid.Check(t, func(t *rapid.T) {
		torn := longer[:rapid.IntRange(len(whole), len(longer)-1).Draw(t, "length")]
		if rapid.Bool().Draw(t, "zeros") { // the size came to the disk and the bytes did not
			torn = append(slices.Clone(torn), make([]byte, len(longer)-len(torn))...)
		}
		require.NoError(t, os.WriteFile(path, torn, 0o600))
		w, err := archive.Open(dir, stream)
		require.NoError(t, err)
		if w.Last().StreamSequence != 40 { // zeros that were zeros
			require.Equal(t, uint64(30), w.Last().StreamSequence)
			require.NoError(t, w.Append(group(31, 40)))
		}
		require.NoError(t, w.Close())
		var last uint64
		for e, err := range archive.Read(dir, 1) {
			require.NoError(t, err)
			last = e.StreamSequence
		}
		require.Equal(t, uint64(40), last)
	})
}

// A changed bit is found by a look wherever it is, in a sealed segment and in the open
// one; in the last group it looks as if a crash had torn that, and in no other.
func TestEveryFlippedBitIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, dir)
	require.NoError(t, w.Append([]archive.Entry{entry(1, noise(segmentSize))}))
	for n := range uint64(3) {
		require.NoError(t, w.Append(group(10*n+2, 10*n+11)))
	}
	require.NoError(t, w.Append([]archive.Entry{entry(32, []byte("{}"))}))
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, paths, 2, "the first segment is full")
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.SampledFrom(paths).Draw(t, "segment")
		info, err := os.Stat(path)
		require.NoError(t, err)
		defer flipBit(t, path, rapid.Int64Range(0, info.Size()-1).Draw(t, "byte"), rapid.IntRange(0, 7).Draw(t, "bit"))()
		found, err := archive.Look(dir)
		if err == nil && found.Torn() > 0 {
			require.Equal(t, paths[1], path)
			if found.Last() != w.Last() { // it is the bit that says that a checksum follows: that is what is torn
				require.Equal(t, uint64(31), found.Last().StreamSequence)
			}
			return
		}
		if err == nil { // zstd has bits that say nothing
			require.Equal(t, w.Last(), found.Last())
			for _, err := range archive.Read(dir, 1) {
				require.NoError(t, err)
			}
			return
		}
		var damage *archive.DamageError
		require.ErrorAs(t, err, &damage)
		require.Equal(t, path, damage.File)
	})
}

// noise gives bytes that do not compress.
func noise(n int) []byte {
	body := make([]byte, n)
	state := uint64(1)
	for i := range body {
		state = state*6364136223846793005 + 1442695040888963407
		body[i] = byte(state >> 56)
	}
	return body
}

// flipBit changes one bit of a file, and gives what changes it back.
func flipBit(t require.TestingT, path string, at int64, bit int) (back func()) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	flip := func() {
		var one [1]byte
		_, err := file.ReadAt(one[:], at)
		require.NoError(t, err)
		one[0] ^= 1 << bit
		_, err = file.WriteAt(one[:], at)
		require.NoError(t, err)
	}
	flip()
	return func() {
		flip()
		require.NoError(t, file.Close())
	}
}

// A segment that is not there, or another one's, is found.
func TestSegmentsFollowOneAnother(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, dir)
	for n := range uint64(4) {
		require.NoError(t, w.Append([]archive.Entry{entry(n+1, noise(segmentSize))}))
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, paths, 4)
	require.Len(t, read(t, dir, 1), 4)

	require.NoError(t, os.Rename(paths[1], paths[1]+".aside"))
	_, err = archive.Look(dir)
	require.ErrorContains(t, err, "it does not follow the segment before it")

	require.NoError(t, os.Rename(paths[0], paths[1]))
	_, err = archive.Look(dir)
	require.ErrorContains(t, err, "it has the name of another segment")
	require.NoError(t, os.Remove(paths[1]))
	found, err := archive.Look(dir)
	require.NoError(t, err, "its oldest segments may be gone: a stream forgets too")
	require.Equal(t, uint64(2), found.Before().StreamSequence)
}

// What the stream has forgotten is removed by whole segments, and the rest stays an
// archive.
func TestForgetKeepsWhatIsStillNeeded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, dir)
	for n := range uint64(3) {
		require.NoError(t, w.Append([]archive.Entry{entry(n+1, noise(segmentSize))}))
	}
	require.NoError(t, w.Forget(2))
	require.Len(t, read(t, dir, 1), 2)
	require.NoError(t, w.Forget(100))
	require.Len(t, read(t, dir, 1), 1)
	require.NoError(t, w.Append(group(4, 5)))
	require.Len(t, read(t, dir, 4), 2)
}

// An archive is of one stream, and takes nothing out of turn.
func TestAnArchiveRefusesWhatDoesNotFollow(t *testing.T) {
	t.Parallel()
	dir := write(t, 1)
	require.Error(t, open(t, dir).Append(group(12, 13)))
	_, err := archive.Open(dir, domain.StreamIdentity{Name: "WEBHOOKS", CreatedAt: domain.UnixInstant(1)})
	require.ErrorContains(t, err, "is of the stream WEBHOOKS of")
	require.Len(t, read(t, dir, 1), 10)
}

// Some webhooks are found wherever they are, and what is forgotten is not.
func TestSomeWebhooksAreFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, dir)
	w.SegmentSize = 512
	for n := range uint64(12) {
		require.NoError(t, w.Append(group(10*n+1, 10*n+10)))
	}
	wanted := []uint64{1, 2, 35, 36, 90, 120, 121}
	find := func() (found []uint64) {
		for w, err := range archive.Find(dir, wanted) {
			require.NoError(t, err)
			same := read(t, dir, w.StreamSequence)[0]
			require.Equal(t, same.Chain(domain.Digest{}), w.Chain(domain.Digest{}))
			require.Equal(t, same.StoredAt, w.StoredAt)
			found = append(found, w.StreamSequence)
		}
		return found
	}
	require.Equal(t, wanted[:6], find())
	require.NoError(t, w.Forget(90))
	require.Equal(t, []uint64{90, 120}, find())

	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Greater(t, len(paths), 1)
	content, err := os.ReadFile(paths[0])
	require.NoError(t, err)
	content[len(content)/2] ^= 1
	require.NoError(t, os.WriteFile(paths[0], content, 0o600))
	var found error
	for _, err := range archive.Find(dir, []uint64{90}) {
		found = err
	}
	var damaged *archive.DamageError
	require.ErrorAs(t, found, &damaged)
}

// A look at the newest segments reads as many as it may, and one at the least: damage of
// an older one it does not see.
func TestTheNewestSegmentsAreLookedAt(t *testing.T) {
	t.Parallel()
	dir := write(t, 200)
	paths, err := filepath.Glob(filepath.Join(dir, "*.zst"))
	require.NoError(t, err)
	require.Greater(t, len(paths), 3)
	require.NoError(t, os.Truncate(paths[0], 100))
	for most, older := range map[int64]int{0: len(paths) - 1, 2*segmentSize + segmentSize/2: len(paths) - 2} {
		found, left, err := archive.LookNewest(dir, most)
		require.NoError(t, err)
		require.EqualValues(t, 2000, found.Last().StreamSequence)
		require.LessOrEqual(t, left, older)
		require.Equal(t, len(paths), found.Segments()+left)
	}
	_, left, err := archive.LookNewest(dir, 1<<30)
	var damage *archive.DamageError
	require.ErrorAs(t, err, &damage)
	require.Zero(t, left)
	none, left, err := archive.LookNewest(t.TempDir(), 0)
	require.NoError(t, err)
	require.True(t, none.Empty())
	require.Zero(t, left)
}
