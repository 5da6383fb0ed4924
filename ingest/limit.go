package ingest

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limit lets so many things a second through. It takes the time itself, when it
// is asked, and asks for it one at a time: to a rate.Limiter an older time than
// the last one gives back what had been used since.
type limit struct {
	mu   sync.Mutex
	now  func() time.Time
	rate *rate.Limiter
}

func newLimit(perSecond float64, burst int, now func() time.Time) *limit {
	return &limit{now: now, rate: rate.NewLimiter(rate.Limit(perSecond), burst)}
}

// allow tells whether n things may pass now, and counts them if so.
func (l *limit) allow(n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rate.AllowN(l.now(), n)
}
