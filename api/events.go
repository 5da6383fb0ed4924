package api

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	typeEvents = "text/event-stream"
	// reconnectAfter is what a client is told to wait before it comes back.
	reconnectAfter = 2 * time.Second
	// eventsBuffer is what is written at once.
	eventsBuffer = 32 << 10
)

// eventWriter writes the server-sent events of one client. After its first error it does
// nothing more.
type eventWriter struct {
	to         *bufio.Writer
	controller *http.ResponseController
	personal   bool
	filter     changeFilter
	err        error
}

// newEventWriter begins an answer of any length in time: a client has stallWithin for each
// part of it.
func newEventWriter(w http.ResponseWriter, personal bool, filter changeFilter) *eventWriter {
	controller := http.NewResponseController(w)
	_ = controller.SetReadDeadline(time.Time{}) // a recorder of tests has none
	w.Header().Set("Content-Type", typeEvents)
	w.Header().Set("X-Accel-Buffering", "no")
	to := bufio.NewWriterSize(&patientWriter{w, controller}, eventsBuffer)
	return &eventWriter{to: to, controller: controller, personal: personal, filter: filter}
}

// begin tells when to come back, and from where, should the answer end before its first
// event.
func (w *eventWriter) begin(first run) {
	w.printf("retry: %d\n\n", reconnectAfter.Milliseconds())
	if first.reset == "" {
		w.position(first.through)
	}
}

// position tells how far the feed is: an event of nothing but an id.
func (w *eventWriter) position(at uint64) { w.printf("id: %d\n\n", at) }

// run writes what the filter takes of a run, and counts the changes.
func (w *eventWriter) run(next run) (sent float64) {
	if next.reset != "" {
		data, err := json.Marshal(Reset{StreamSequence: next.through, Reason: next.reset})
		w.err = errors.Join(w.err, err)
		w.printf("id: %d\nevent: reset\ndata: %s\n\n", next.through, data)
	}
	for _, f := range next.frames {
		if !w.filter.takes(&f.change) || w.err != nil {
			continue
		}
		text, err := f.text(w.personal)
		if err == nil {
			_, err = w.to.Write(text.event)
		}
		w.err = err
		sent++
	}
	return sent
}

func (w *eventWriter) printf(format string, values ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.to, format, values...)
	}
}

// flush has the client get what was written.
func (w *eventWriter) flush() error {
	if w.err == nil {
		w.err = w.to.Flush()
	}
	if w.err == nil {
		w.err = w.controller.Flush()
	}
	return w.err
}
