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
	// eventsBuffer is what is written at once.
	eventsBuffer = 32 << 10
)

// eventWriter writes server-sent events. After its first error it does nothing more.
type eventWriter struct {
	to         *bufio.Writer
	controller *http.ResponseController
	err        error
}

// newEventWriter begins an answer of any length in time: a client has stallWithin for each
// part of it.
func newEventWriter(w http.ResponseWriter) *eventWriter {
	controller := http.NewResponseController(w)
	_ = controller.SetReadDeadline(time.Time{}) // a recorder of tests has none
	w.Header().Set("Content-Type", typeEvents)
	w.Header().Set("X-Accel-Buffering", "no")
	return &eventWriter{to: bufio.NewWriterSize(&patientWriter{w, controller}, eventsBuffer), controller: controller}
}

// event writes an event with a value as its data.
func (w *eventWriter) event(name string, value any) {
	data, err := json.Marshal(value)
	w.err = errors.Join(w.err, err)
	w.printf("event: %s\ndata: %s\n\n", name, data)
}

// comment writes what a reader passes over.
func (w *eventWriter) comment() { w.printf(":\n\n") }

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
