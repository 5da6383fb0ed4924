package ingest

import (
	"net/http"
	"strconv"
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
	allowed, _ := l.take(n)
	return allowed
}

// take is allow that also tells how many more may pass.
func (l *limit) take(n int) (allowed bool, left int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	allowed = l.rate.AllowN(now, n)
	return allowed, max(0, int(l.rate.TokensAt(now)))
}

// The fields that tell a sender of its limit (draft-ietf-httpapi-ratelimit-headers-11), in
// the form in which net/http keeps names.
const (
	policyField = "Ratelimit-Policy"
	leftField   = "Ratelimit"
)

// limitName is the name of the one policy that there is.
const limitName = `"source"`

// policy tells what the limit is: so many within a second, which is what a burst may be.
func (l *limit) policy() []string {
	return []string{limitName + ";q=" + strconv.Itoa(l.rate.Burst()) + ";w=1"}
}

// tellLeft tells how many more may come now, and that within a second it is all again.
func tellLeft(header http.Header, policy []string, left int) {
	text := strconv.AppendInt(append(make([]byte, 0, 32), limitName+";r="...), int64(left), 10)
	header[policyField] = policy
	header[leftField] = []string{string(append(text, ";t=1"...))}
}
