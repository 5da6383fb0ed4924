package ingest

import (
	"errors"
	"io"
	"net/http"
	"os"

	"golang.org/x/sync/semaphore"
)

// meteredReader charges what is read through it to a budget that all requests
// share. It charges bytes as they arrive and not as they are announced, since an
// announcement costs a stranger nothing.
type meteredReader struct {
	io.Reader
	budget  *semaphore.Weighted
	charged int64
}

func (m *meteredReader) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if !m.budget.TryAcquire(int64(n)) {
		return 0, errBusy
	}
	m.charged += int64(n)
	return n, err
}

// release gives back what was charged, once the body is no longer held.
func (m *meteredReader) release() { m.budget.Release(m.charged) }

// openBody gives a reader of the body that ends in an error beyond the limits.
// The caller releases it when it holds the body no longer.
func (h *Handler) openBody(w http.ResponseWriter, r *http.Request) *meteredReader {
	return &meteredReader{Reader: http.MaxBytesReader(w, r.Body, h.config.MaxBody), budget: h.bodies}
}

// readBody reads a body whole. One that is announced as too large is refused
// unread.
func (h *Handler) readBody(announced int64, body io.Reader) ([]byte, error) {
	if announced > h.config.MaxBody {
		return nil, errTooLarge
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, readError(err)
	}
	return raw, nil
}

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
