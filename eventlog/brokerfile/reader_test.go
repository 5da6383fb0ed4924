package brokerfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

const stream = "WEBHOOKS"

// files are the blocks of a stream as a server writes them.
type files struct {
	t      require.TestingT
	dir    string
	number int
	last   uint64
	spans  map[uint64]span // of the messages
}

// span is where a record is.
type span struct{ number, from, to int }

func newFiles(t require.TestingT, dir string) *files {
	return &files{t: t, dir: dir, number: 1, spans: map[uint64]span{}}
}

func (f *files) path() string { return brokerfile.BlockPath(f.dir, f.number) }

// record gives the record of a message, which says its own sequence.
func (f *files) record(sequence uint64, size int) []byte {
	r := &brokerfile.Record{
		Sequence: sequence, StoredAt: int64(sequence), Subject: []byte("webhooks.ivy.shop.other"),
		Body: append(fmt.Append(nil, sequence, " "), strings.Repeat("x", size)...),
	}
	if sequence%3 == 0 {
		r.Header = []byte("NATS/1.0\r\nName: value\r\n\r\n")
	}
	return brokerfile.AppendRecord(nil, brokerfile.NewHash(stream, f.number), r)
}

func (f *files) write(data []byte) (from int) {
	file, err := os.OpenFile(f.path(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(f.t, err)
	info, err := file.Stat()
	require.NoError(f.t, err)
	_, err = file.Write(data)
	require.NoError(f.t, err)
	require.NoError(f.t, file.Close())
	return int(info.Size())
}

func (f *files) add(size int) {
	f.last++
	data := f.record(f.last, size)
	from := f.write(data)
	f.spans[f.last] = span{f.number, from, from + len(data)}
}

// note notes that a message was deleted.
func (f *files) note(sequence uint64) {
	f.write(brokerfile.AppendRecord(nil, brokerfile.NewHash(stream, f.number), &brokerfile.Record{Sequence: sequence | brokerfile.DeletedFlag}))
}

func (f *files) erase(sequence uint64) {
	at := f.spans[sequence]
	path := brokerfile.BlockPath(f.dir, at.number)
	data, err := os.ReadFile(path)
	require.NoError(f.t, err)
	brokerfile.EraseRecord(brokerfile.NewHash(stream, at.number), data[at.from:at.to])
	file, err := os.OpenFile(path, os.O_WRONLY, 0o600)
	require.NoError(f.t, err)
	_, err = file.WriteAt(data[at.from:at.to], int64(at.from))
	require.NoError(f.t, err)
	require.NoError(f.t, file.Close())
	delete(f.spans, sequence)
}

// While a stream grows, over any number of blocks, and webhooks of it are erased, a
// reader that begins anywhere gets each message once and in order, unless it was erased
// before it was read.
func TestReaderFollowsTheBlocks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "blocks-")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		f := newFiles(t, dir)
		next := rapid.Uint64Range(1, 20).Draw(t, "from")
		reader := brokerfile.NewReader(stream, dir)
		defer reader.Close()
		read := func(t *rapid.T) {
			most := rapid.IntRange(1, 10).Draw(t, "most")
			records, err := reader.Read(next, most)
			require.NoError(t, err)
			require.LessOrEqual(t, len(records), most)
			if len(records) == 0 {
				for sequence := range f.spans {
					require.Less(t, sequence, next, "it is there, and was not read")
				}
			}
			for _, r := range records {
				for ; next < r.Sequence; next++ {
					require.NotContains(t, f.spans, next, "it was passed over")
				}
				require.Equal(t, next, r.Sequence)
				require.True(t, strings.HasPrefix(string(r.Body), fmt.Sprint(next, " ")))
				next++
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(t, "n") {
					f.add(rapid.SampledFrom([]int{0, 10, 3000, 70_000}).Draw(t, "size"))
				}
			},
			"roll over": func(*rapid.T) {
				if _, err := os.Stat(f.path()); err == nil {
					f.number++
					f.write(nil)
				}
			},
			"note": func(t *rapid.T) { f.note(rapid.Uint64Range(1, f.last+1).Draw(t, "deleted")) },
			"erase": func(t *rapid.T) {
				if len(f.spans) > 0 {
					f.erase(rapid.SampledFrom(sorted(f.spans)).Draw(t, "sequence"))
				}
			},
			"read": read,
		})
	})
}

func sorted(spans map[uint64]span) (all []uint64) {
	for sequence := range spans {
		all = append(all, sequence)
	}
	slices.Sort(all)
	return all
}

// A record of which only a part is there is not given out, and is when it is whole; also
// one that is larger than what is read at once.
func TestReaderWaitsForTheWholeRecord(t *testing.T) {
	t.Parallel()
	for _, size := range []int{10, 3 << 20} {
		f := newFiles(t, t.TempDir())
		f.add(10)
		whole := f.record(2, size)
		f.write(whole[:len(whole)/2])
		reader := brokerfile.NewReader(stream, f.dir)
		defer reader.Close()
		require.Equal(t, []uint64{1}, sequences(t, reader, 1))
		require.Empty(t, sequences(t, reader, 2))
		f.write(whole[len(whole)/2:])
		require.Equal(t, []uint64{2}, sequences(t, reader, 2))
	}
}

// What can be read without another block is read so, and nothing else.
func TestReadOpenOpensNoBlock(t *testing.T) {
	t.Parallel()
	f := newFiles(t, t.TempDir())
	f.add(10)
	reader := brokerfile.NewReader(stream, f.dir)
	defer reader.Close()
	open := func(from uint64) int {
		records, err := reader.ReadOpen(from, 10)
		require.NoError(t, err)
		return len(records)
	}
	require.Zero(t, open(1))
	require.Equal(t, []uint64{1}, sequences(t, reader, 1))
	f.add(10)
	require.Equal(t, 1, open(2))
	f.number++
	f.write(nil)
	f.add(10)
	require.Zero(t, open(3))
	require.Equal(t, []uint64{3}, sequences(t, reader, 3))
}

// What is damaged before the end of the blocks is told, and not passed over.
func TestReaderTellsOfDamage(t *testing.T) {
	t.Parallel()
	f := newFiles(t, t.TempDir())
	f.add(10)
	damaged := f.record(2, 10)
	damaged[len(damaged)-1] ^= 1
	f.write(damaged)
	f.number++
	f.last++
	f.add(10)
	reader := brokerfile.NewReader(stream, f.dir)
	defer reader.Close()
	require.Equal(t, []uint64{1}, sequences(t, reader, 1))
	_, err := reader.Read(2, 10)
	require.ErrorContains(t, err, "1.blk is damaged at byte")
}

// Where another file has come in the place of the one that is being read, or none, the
// reader does not go on: it may be of another stream.
func TestReaderDoesNotGoOnInAnotherFile(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path string) error{
		"another": func(path string) error {
			return os.Rename(filepath.Join(filepath.Dir(path), "other"), path)
		},
		"none": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFiles(t, t.TempDir())
			f.add(10)
			require.NoError(t, os.WriteFile(filepath.Join(f.dir, "other"), f.record(2, 10), 0o600))
			reader := brokerfile.NewReader(stream, f.dir)
			defer reader.Close()
			require.Equal(t, []uint64{1}, sequences(t, reader, 1))
			require.NoError(t, change(f.path()))
			_, err := reader.Read(2, 10)
			require.ErrorIs(t, err, brokerfile.ErrReplaced)
		})
	}
}

// A reader of a stream that has no blocks yet finds the first one.
func TestReaderOfNoBlocks(t *testing.T) {
	t.Parallel()
	f := newFiles(t, filepath.Join(t.TempDir(), "none"))
	reader := brokerfile.NewReader(stream, f.dir)
	defer reader.Close()
	require.Empty(t, sequences(t, reader, 1))
	require.NoError(t, os.Mkdir(f.dir, 0o700))
	require.Empty(t, sequences(t, reader, 1))
	f.add(10)
	require.Equal(t, []uint64{1}, sequences(t, reader, 1))
}

func sequences(t *testing.T, reader *brokerfile.Reader, from uint64) (all []uint64) {
	t.Helper()
	records, err := reader.Read(from, 100)
	require.NoError(t, err)
	for _, r := range records {
		all = append(all, r.Sequence)
	}
	return all
}
