package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxEvent bounds one event of the API, in bytes.
const maxEvent = 1 << 20

// errEventsEnded is a stream of events that the server ended.
var errEventsEnded = errors.New("the server has ended, or let go of who was too slow")

// event is one of the API's server-sent events.
type event struct {
	name string
	data []byte
}

// events reads the server-sent events of a path until ctx ends, which is no error, or the
// server does. Begun is called once the server has agreed.
func (a *apiClient) events(ctx context.Context, path string, query url.Values, begun func(), each func(event) error) error {
	patient := *a.http
	patient.Timeout = 0
	response, err := a.do(ctx, &patient, http.MethodGet, path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	begun()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxEvent)
	err = eachEvent(lines, each)
	switch {
	case ctx.Err() != nil:
		return nil
	case err == nil:
		err = errEventsEnded
	}
	return err
}

// eachEvent reads events to the end of the lines. A line that begins with a colon is a
// comment.
func eachEvent(lines *bufio.Scanner, each func(event) error) error {
	var next event
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "" && next.data != nil:
			if err := each(next); err != nil {
				return err
			}
			next = event{}
		case field == "event":
			next.name = value
		case field == "data" && next.data != nil:
			next.data = append(append(next.data, '\n'), value...)
		case field == "data":
			next.data = []byte(value)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the events of the api: %w", err)
	}
	return nil
}
