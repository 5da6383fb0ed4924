package recovery_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nats-io/nats-server/v2/server/avl"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// The broker begins where its blocks end, also after a crash, when its index is of an
// earlier webhook, or gone: it is given the one that it would have made of every block. It
// says nothing then, and has every webhook.
func TestTheBrokerBeginsWhereItsBlocksEnd(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]folders{"whole": makeFolders(t), "erased": makeErasedFolders(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, brokerSays(t, copied(t, f.crashed)), "will rebuild", "the control")
			own := copied(t, f.crashed)
			require.NoError(t, os.Remove(indexFile(own)))
			require.Empty(t, brokerSays(t, own))
			want := readIndex(t, own)

			data := f.crashed
			for range 2 { // all is looked at, and then what is not known
				require.NoError(t, recovery.Check(filesOf(data), nil))
				requireSame(t, want, readIndex(t, data))
				require.NoError(t, os.WriteFile(indexFile(data), []byte("none"), 0o600))
			}
			require.NoError(t, recovery.Check(filesOf(data), nil))
			written, err := os.Stat(indexFile(data))
			require.NoError(t, err)
			require.NoError(t, recovery.Check(filesOf(data), nil))
			is, err := os.Stat(indexFile(data))
			require.NoError(t, err)
			require.True(t, os.SameFile(written, is), "one that is right is left alone")
			require.Empty(t, brokerSays(t, data))
			f.isWhole(t, data)
		})
	}
}

// Whatever was erased, the index that the broker is given is the one that it has itself when
// it stops, and the one that it makes of the blocks.
func TestTheIndexIsTheBrokersOwn(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			dice := rand.New(rand.NewPCG(seed, 1))
			var orders [][]uint64
			for left := dice.Perm(some); len(orders) < 3; {
				var order []uint64
				for _, at := range left[:1+dice.IntN(20)] {
					order = append(order, uint64(at+1))
				}
				left = left[len(order):]
				slices.Sort(order)
				orders = append(orders, order)
			}
			clean, crashed, _ := erasedFolders(t, orders...)
			for _, data := range []string{clean, crashed} {
				own := copied(t, data)
				require.NoError(t, os.Remove(indexFile(own)))
				require.Empty(t, brokerSays(t, own))
				was := readIndex(t, data)
				require.NoError(t, os.Remove(indexFile(data)))
				require.NoError(t, recovery.Check(filesOf(data), nil))
				requireSame(t, readIndex(t, own), readIndex(t, data))
				if data == clean {
					requireSame(t, was, readIndex(t, data))
				}
			}
		})
	}
}

func indexFile(data string) string { return filepath.Join(streamFolder(data), "msgs", "index.db") }

// brokerSays starts a broker, stops it, and gives what it complains of.
func brokerSays(t *testing.T, data string) string {
	t.Helper()
	var said bytes.Buffer
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: filepath.Join(data, "stream"), Logger: slog.New(slog.NewTextHandler(&said, nil))})
	require.NoError(t, err)
	require.NoError(t, server.Close())
	return said.String()
}

// index is what an index tells.
type index struct {
	version                      uint16
	messages, bytes, first, last uint64
	firstAt, lastAt              int64
	subjects                     map[string][3]uint64
	blocks                       []indexedBlock
	newest                       uint64
	end                          [8]byte
}

type indexedBlock struct {
	number, bytes, first, last uint64
	firstAt, lastAt            int64
	missing                    []uint64
}

// requireSame requires that an index tells what another one does. Where the last webhook of
// a block was erased, the block may as well end before it.
func requireSame(t *testing.T, want, is index) {
	t.Helper()
	require.Len(t, is.blocks, len(want.blocks))
	for i := range want.blocks {
		b := &want.blocks[i]
		for b.last > is.blocks[i].last {
			require.Contains(t, b.missing, b.last)
			b.last, b.missing, b.lastAt = b.last-1, b.missing[:len(b.missing)-1], is.blocks[i].lastAt
		}
	}
	require.Equal(t, fmt.Sprint(want), fmt.Sprint(is))
}

func readIndex(t *testing.T, data string) (i index) {
	t.Helper()
	text, err := os.ReadFile(indexFile(data))
	require.NoError(t, err)
	i.version, text = binary.BigEndian.Uint16(text), text[2:]
	number := func() uint64 {
		n, length := binary.Uvarint(text)
		text = text[length:]
		return n
	}
	signed := func() int64 {
		n, length := binary.Varint(text)
		text = text[length:]
		return n
	}
	i.messages, i.bytes, i.first, i.firstAt, i.last, i.lastAt = number(), number(), number(), signed(), number(), signed()
	i.subjects = map[string][3]uint64{}
	for range number() {
		length := number()
		subject := string(text[:length])
		text = text[length:]
		i.subjects[subject] = [3]uint64{number(), number(), number()}
	}
	for range number() {
		b := indexedBlock{number: number(), bytes: number(), first: number(), firstAt: signed(), last: number(), lastAt: signed()}
		missing := number()
		require.Zero(t, number()+number(), "of lifetimes, and of times to come")
		if missing > 0 {
			set, length, err := avl.Decode(text)
			require.NoError(t, err)
			text = text[length:]
			set.Range(func(sequence uint64) bool {
				b.missing = append(b.missing, sequence)
				return true
			})
		}
		i.blocks = append(i.blocks, b)
	}
	i.newest = number()
	require.Len(t, text, 16)
	copy(i.end[:], text)
	return i
}
