package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

const (
	// room is how many webhooks the overloaded program works on at once, and crowdSize
	// how many senders send without a pause: ten for each place.
	room      = 16
	crowdSize = 10 * room
	// slow is how many send a byte a second, and idle how many read nothing.
	slow = 1000
	idle = 250
	// walLimit is what the log of the read model may grow to, in bytes.
	walLimit = 64 << 20
	// bearable is how long a webhook may take under any load: what the stream gets.
	bearable = 5 * time.Second
)

// Ten times what fits is sent by senders who do not wait, with bodies of the largest
// size, a thousand slow senders and hundreds of readers who do not read. Who is put off
// is told when to come again; who is taken has the same promise as ever, and soon;
// and afterwards nothing is left of it.
func TestOverload(t *testing.T) {
	t.Parallel()
	b := besiege(t, plainBinary, fmt.Sprint("TICKETRAIL_INGEST_MAX_IN_FLIGHT=", room), "TICKETRAIL_STREAM_DUPLICATE_WINDOW=100ms")
	c := newCrowd(b.sources, *seed)
	j := newJudge(c.history, patience)
	paths := b.stock(t, c.history)
	calm := c.patient(t, b, 20)
	before := b.measure(t)

	ctx, end := context.WithCancel(t.Context())
	defer end()
	var group sync.WaitGroup
	log := int64(0)
	group.Go(func() { log = b.watchLog(ctx) })
	group.Go(func() { b.slowSenders(ctx, slow) })
	group.Go(func() { c.giants(ctx, b) })
	leave := b.slowReaders(t, idle, paths)
	going := c.send(b.program)
	goal := c.history.acknowledged() + *overload
	var busy []time.Duration
	for c.history.acknowledged() < goal {
		busy = append(busy, c.patient(t, b, 5)...)
		b.follows(t, c.one.answer.StreamSequence)
	}
	going.end()
	end()
	group.Wait()
	leave()

	t.Logf("%d taken, %d put off; half of them took %v without load, and with it %v, the slowest %v; the log of the read model had %d bytes",
		c.history.acknowledged(), c.history.refused(), median(calm), median(busy), slices.Max(busy), log)
	before.require(t, b.program)
	j.judge(t.Context(), b.program)
	j.exactly()
	j.found = append(j.found, c.impolite...)
	results.clean("overload", j.found)
	require.Empty(t, j.found)
	require.Positive(t, c.history.refused(), "it was no overload")
	require.True(t, slices.ContainsFunc(c.history.all(), func(a *attempt) bool { return a.answer.Status == http.StatusTooManyRequests }),
		"no source was over its rate")
	require.Less(t, log, int64(walLimit))
	require.Less(t, median(busy), max(100*median(calm), bearable))
	b.endures(t)
}

func median(of []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(of))[len(of)/2]
}

// follows requires that the read model comes to a webhook, whatever goes on.
func (b *besieged) follows(t *testing.T, n uint64) {
	t.Helper()
	require.True(t, await(patience, func() bool {
		return b.get(t.Context(), fmt.Sprintf("/v1/orders?limit=1&min_stream_sequence=%d", n), new(api.OrderList)) == nil
	}), "the read model does not come to %d", n)
}

// watchLog gives the largest size that the write-ahead log of a read model had.
func (b *besieged) watchLog(ctx context.Context) (largest int64) {
	next := time.NewTicker(pollEvery)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return largest
		case <-next.C:
		}
		logs, _ := filepath.Glob(filepath.Join(b.data, "read-model", "*-wal")) // the pattern is a good one
		for _, log := range logs {
			if info, err := os.Stat(log); err == nil {
				largest = max(largest, info.Size())
			}
		}
	}
}

// exactly holds the stream to the answers: what was refused is not there, and what
// was taken is there as often as it was taken. Of what was not answered, or with "it may
// not have been stored", nothing is known.
func (j *judge) exactly() {
	stored := map[sentName]int{}
	for _, w := range j.stream {
		stored[sentName{w.Source, w.BodyDigest}]++
	}
	places, doubtful := map[sentName]map[uint64]bool{}, map[sentName]int{}
	for _, a := range j.history.all() {
		name := sentName{a.source, a.body}
		if places[name] == nil {
			places[name] = map[uint64]bool{}
		}
		switch {
		case a.stored():
			places[name][a.answer.StreamSequence] = true
		case !a.answered() || a.answer.Problem == mayBeStored:
			doubtful[name]++
		}
	}
	for name, at := range places {
		if n := stored[name]; n < len(at) || n > len(at)+doubtful[name] {
			j.find(checkPhantom, "a webhook of %s was taken %d times and may have been %d times, and is there %d times",
				name.source, len(at), doubtful[name], n)
		}
	}
}

// mayBeStored is the title of the one refusal that decides nothing.
const mayBeStored = "The stream cannot take webhooks now"
