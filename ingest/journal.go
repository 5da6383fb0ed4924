package ingest

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// The limit of a journal: enough to see what is wrong, too little to fill a disk.
const (
	journalRate  = 2 // lines a second
	journalBurst = 10
)

// journal lets a few lines a second into a log, however much there is to say.
// What it left out it counts, and says so with the next line.
type journal struct {
	logger *slog.Logger
	limit  *limit
	unsaid atomic.Int64
}

func newJournal(logger *slog.Logger, now func() time.Time) *journal {
	return &journal{logger: logger, limit: newLimit(journalRate, journalBurst, now)}
}

// line gives the logger for one line. Beyond the limit it discards.
func (j *journal) line() *slog.Logger {
	if !j.limit.allow(1) {
		j.unsaid.Add(1)
		return slog.New(slog.DiscardHandler)
	}
	if unsaid := j.unsaid.Swap(0); unsaid > 0 {
		return j.logger.With(slog.Int64("left_out", unsaid))
	}
	return j.logger
}
