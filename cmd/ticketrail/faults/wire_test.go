package faults_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// dial opens a connection to a listener, for what no HTTP client would send.
func dial(address string) (*net.TCPConn, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), conn.SetDeadline(time.Now().Add(patience))
}

// said is an answer as it came over the wire.
type said struct {
	status         int
	header         http.Header
	body           string
	Code           string
	StreamSequence uint64 `json:"stream_sequence"`
}

// String gives the status and, where there is one, the code of the problem.
func (s said) String() string { return strings.TrimSpace(fmt.Sprint(s.status, " ", s.Code)) }

// listen reads the answers on a connection until as many came as are wanted, or no
// more comes.
func listen(conn net.Conn, method string, most int) (answers []said) {
	reader := bufio.NewReader(conn)
	for len(answers) < most {
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			return answers
		}
		body, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			return answers
		}
		answer := said{status: response.StatusCode, header: response.Header, body: string(body)}
		_ = json.Unmarshal(body, &answer) // what is not JSON has no code
		answers = append(answers, answer)
	}
	return answers
}

// signedHead gives the head of a webhook as its provider sends it, without the empty
// line at its end and the length of the body.
func signedHead(t testing.TB, source config.Source, id, body string) string {
	t.Helper()
	adapter, known := provider.Named(source.Provider)
	require.True(t, known)
	request := &provider.Request{Header: map[string][]string{}, Query: url.Values{}, Body: []byte(body), At: time.Now()}
	adapter.Sign(request, source.Secrets[0].Reveal(), id)
	var head strings.Builder
	target := "/webhooks/" + source.Name
	if len(request.Query) > 0 {
		target += "?" + url.Values(request.Query).Encode()
	}
	fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n", target)
	for name, values := range request.Header {
		fmt.Fprintf(&head, "%s: %s\r\n", name, values[0])
	}
	return head.String()
}

// sourceOf gives the source of a name among those of a test.
func sourceOf(t testing.TB, sources []config.Source, name string) config.Source {
	t.Helper()
	for _, s := range sources {
		if s.Name == name {
			return s
		}
	}
	require.FailNow(t, "no source", name)
	return config.Source{}
}

// rawly asks the API as p.raw does and gives the answer as said.
func (p *program) rawly(ctx context.Context, method, path string) (said, error) {
	text, status, err := p.raw(ctx, method, path, "")
	answer := said{status: status, body: string(text)}
	_ = json.Unmarshal(text, &answer) // what is not JSON has no code
	return answer, err
}
