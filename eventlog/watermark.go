package eventlog

import "sync"

// watermark is a sequence that only rises, and can be waited for. It is safe for
// concurrent use.
type watermark struct {
	mu      sync.Mutex
	reached uint64
	risen   chan struct{} // closed when it rises; nil where nobody waits
}

func (w *watermark) raise(sequence uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if sequence <= w.reached {
		return
	}
	w.reached = sequence
	if w.risen != nil {
		close(w.risen)
		w.risen = nil
	}
}

// now gives what is reached, and a channel that tells when that is more.
func (w *watermark) now() (reached uint64, risen <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.risen == nil {
		w.risen = make(chan struct{})
	}
	return w.reached, w.risen
}
