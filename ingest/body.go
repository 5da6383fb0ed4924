package ingest

import (
	"errors"
	"io"
	"net/http"
	"os"
)

// body is a body that is being read and held. It charges bytes to a budget as
// they arrive and not as they are announced, since an announcement costs a
// stranger nothing.
type body struct {
	from    io.ReadCloser
	size    int64 // as announced; -1 for unknown
	budget  *budget
	charged int64
}

// openBody gives the body of a request, which ends in an error beyond the limit
// in bytes or the budget. The caller releases it when it holds the body no longer.
func openBody(w http.ResponseWriter, r *http.Request, limit int64, budget *budget) *body {
	return &body{from: http.MaxBytesReader(w, r.Body, limit), size: r.ContentLength, budget: budget}
}

// believed is how much of what is announced gets room before it arrives, in bytes.
const believed = 8 << 10

// read reads the body whole.
func (b *body) read() ([]byte, error) {
	raw := make([]byte, 0, max(0, min(b.size, believed))+1) // room to see the end
	for {
		n, err := b.Read(raw[len(raw):cap(raw)])
		raw = raw[:len(raw)+n]
		switch {
		case errors.Is(err, io.EOF):
			_ = b.from.Close() // else net/http looks for more of it before it answers
			return raw, nil
		case err != nil:
			return nil, readError(err)
		case len(raw) == cap(raw):
			raw = append(raw, 0)[:len(raw)]
		}
	}
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if !b.budget.take(int64(n)) {
		return 0, errBusy
	}
	b.charged += int64(n)
	return n, err
}

// release gives back what was charged, once the body is no longer held.
func (b *body) release() { b.budget.giveBack(b.charged) }

func readError(err error) error {
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case errors.Is(err, errBusy):
		return err
	case tooLarge:
		return errTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errTooSlow
	default:
		return errIncomplete
	}
}
