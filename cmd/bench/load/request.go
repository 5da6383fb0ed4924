package load

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ticketrail/ticketrail/domain/provider"
)

// Request is a request as it goes over the wire.
type Request []byte

// Get gives the request for a path, with its query.
func Get(path string) Request {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
}

// Post gives the request that posts a webhook to its source, signed now.
func Post(w Webhook) Request {
	adapter, _ := provider.Named(w.Provider) // the mix has made it from one
	signed := &provider.Request{Header: map[string][]string{}, Query: map[string][]string{}, Body: w.Body, At: time.Now()}
	adapter.Sign(signed, Secret(adapter), w.ID)
	target := "/webhooks/" + w.Source
	if len(signed.Query) > 0 {
		target += "?" + url.Values(signed.Query).Encode()
	}
	var r bytes.Buffer
	fmt.Fprintf(&r, "POST %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n",
		target, len(w.Body))
	for name, values := range signed.Header {
		for _, value := range values {
			fmt.Fprintf(&r, "%s: %s\r\n", name, value)
		}
	}
	r.WriteString("\r\n")
	r.Write(w.Body)
	return r.Bytes()
}

// answer is what came back for one request.
type answer struct {
	status int
	body   []byte // valid until the next one is read
}

// Reader reads answers from a connection. It knows what servers here say, and nothing
// else of HTTP, so that the load takes little from the processors that it shares with
// the server.
type Reader struct {
	*bufio.Reader
	body []byte
}

// NewReader reads from a connection's buffer.
func NewReader(in *bufio.Reader) *Reader { return &Reader{Reader: in} }

// Order asks for an order and gives when it was there. It wants to see at least what the
// webhook of a stream sequence did to it.
func (r *Reader) Order(conn io.Writer, request Request, streamSequence uint64) (at time.Time, err error) {
	if _, err := conn.Write(request); err != nil {
		return at, err
	}
	a, err := r.answer()
	if err != nil {
		return at, err
	}
	at = time.Now()
	var order struct {
		StreamSequence uint64 `json:"stream_sequence"`
	}
	switch err := json.Unmarshal(a.body, &order); {
	case a.status != http.StatusOK:
		return at, fmt.Errorf("an order was answered with %d", a.status)
	case err != nil:
		return at, err
	case order.StreamSequence < streamSequence:
		return at, fmt.Errorf("an order is at %d, and was answered for at %d", order.StreamSequence, streamSequence)
	}
	return at, nil
}

func (r *Reader) answer() (a answer, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return a, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return a, fmt.Errorf("an answer begins with %d odd bytes", len(line))
	}
	if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return a, err
	}
	length, chunked, err := r.head()
	switch {
	case err != nil:
		return a, err
	case chunked:
		return a, r.chunks(&a)
	}
	a.body, err = r.read(length)
	return a, err
}

// head reads the headers and gives what they say of the body.
func (r *Reader) head() (length int, chunked bool, err error) {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, false, err
		}
		if len(line) <= 2 {
			return length, chunked, nil
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch value = bytes.TrimRight(value, "\r\n"); {
		case string(name) == "Content-Length":
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, false, err
			}
		case string(name) == "Transfer-Encoding":
			chunked = true
		}
	}
}

func (r *Reader) read(length int) ([]byte, error) {
	if cap(r.body) < length {
		r.body = make([]byte, length)
	}
	r.body = r.body[:length]
	_, err := io.ReadFull(r, r.body)
	return r.body, err
}

// chunks reads a body of chunks.
func (r *Reader) chunks(a *answer) error {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		length, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 32)
		if err != nil {
			return err
		}
		chunk, err := r.read(int(length) + 2) // the line's end comes after it
		if err != nil {
			return err
		}
		if length == 0 {
			return nil
		}
		a.body = append(a.body, chunk[:length]...)
	}
}
