package ingest

import (
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
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
	limit  *rate.Limiter
	unsaid atomic.Int64
}

func newJournal(logger *slog.Logger) *journal {
	return &journal{logger: logger, limit: rate.NewLimiter(journalRate, journalBurst)}
}

// at gives the logger for one line at that time. Beyond the limit it discards.
func (j *journal) at(now time.Time) *slog.Logger {
	if !j.limit.AllowN(now, 1) {
		j.unsaid.Add(1)
		return slog.New(slog.DiscardHandler)
	}
	if unsaid := j.unsaid.Swap(0); unsaid > 0 {
		return j.logger.With(slog.Int64("left_out", unsaid))
	}
	return j.logger
}
