package ingest

import (
	"context"
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

// journal logs a few lines a second, however many requests there are to speak
// of. What it left out it counts, and says so with the next line.
type journal struct {
	logger *slog.Logger
	level  slog.Level
	limit  *rate.Limiter
	unsaid atomic.Int64
}

func newJournal(logger *slog.Logger, level slog.Level) *journal {
	return &journal{logger: logger, level: level, limit: rate.NewLimiter(journalRate, journalBurst)}
}

func (j *journal) note(ctx context.Context, at time.Time, message string, attributes ...slog.Attr) {
	if !j.limit.AllowN(at, 1) {
		j.unsaid.Add(1)
		return
	}
	if unsaid := j.unsaid.Swap(0); unsaid > 0 {
		attributes = append(attributes, slog.Int64("left_out", unsaid))
	}
	j.logger.LogAttrs(ctx, j.level, message, attributes...)
}
