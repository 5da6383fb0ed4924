package eventlog

import (
	"fmt"
	"time"

	"github.com/ticketrail/ticketrail/eventlog/brokerfile"
)

// doubtedEvery is how often files that are in doubt are looked at.
const doubtedEvery = time.Second

// doubt has the files not read any more from now on, for a reason: from a stream sequence on
// they do not have what the server has.
func (l *life) doubt(from uint64, reason error) {
	if l.doubted.CompareAndSwap(0, from) {
		l.logger.Warn("the stream's files lack a webhook; the server is asked in their place, which is slower", "stream_sequence", from, "error", reason)
	}
}

// doubts tells whether the files are in doubt.
func (l *life) doubts() bool { return l.doubted.Load() > 0 }

// lacking says what the files lack.
func lacking(last, stored uint64) error {
	return fmt.Errorf("the stream's files have no sound webhook after %d, and %d is stored", last, stored)
}

// lookAtDoubted has the files read again once they have the webhook for which they came to be
// in doubt. Whoever reads them compares each checksum, so that this says no more than that
// it is worth it again.
func (l *life) lookAtDoubted(dir string) {
	tick := time.NewTicker(doubtedEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		if from := l.doubted.Load(); from > 0 && hasWebhook(dir, from) {
			l.doubted.Store(0)
			l.logger.Info("the stream's files are whole, and read again", "stream_sequence", from)
		}
	}
}

// hasWebhook tells whether the files have a sound webhook of a stream sequence.
func hasWebhook(dir string, sequence uint64) bool {
	reader := brokerfile.NewReader(WebhooksStream, dir)
	defer reader.Close()
	records, err := reader.Read(sequence, 1)
	return err == nil && len(records) == 1 && records[0].Sequence == sequence
}
