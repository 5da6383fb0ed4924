package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/ticketrail/ticketrail/api"
)

// forwardTimeout bounds one webhook that is sent on: senders wait no longer either.
const forwardTimeout = 15 * time.Second

// errPublic is an address that webhooks, which hold personal data, are not sent on to
// unless that is wanted.
var errPublic = errors.New("it is neither loopback nor private: see --allow-public")

// forwarder sends accepted webhooks on to another address, as they are in the stream.
type forwarder struct {
	to   string
	http *http.Client
}

// newForwarder refuses, unless it may go anywhere, an address at the time that it connects:
// a name may lead elsewhere by then.
func newForwarder(to string, anywhere bool) *forwarder {
	dialer := &net.Dialer{Timeout: forwardTimeout}
	if !anywhere {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return checkLocal(address) }
	}
	return &forwarder{to: to, http: &http.Client{
		Timeout:       forwardTimeout,
		Transport:     &http.Transport{DialContext: dialer.DialContext}, // and no proxy
		CheckRedirect: goNowhereElse,
	}}
}

// goNowhereElse has a redirection be the answer: what a webhook holds goes where it was sent to
// and no further, as its provider would have it.
func goNowhereElse(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// checkLocal refuses the address of a connection that leaves for the world.
func checkLocal(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := at.Addr().Unmap(); !ip.IsLoopback() && !ip.IsPrivate() { // link-local is where clouds have their metadata
		return errPublic
	}
	return nil
}

// forwarded is what became of a webhook that was sent on.
type forwarded struct {
	Status      int     `json:"status"` // 0: there was no answer
	TookSeconds float64 `json:"took_seconds"`
	Error       string  `json:"error,omitempty"`
}

func (f *forwarded) text() string {
	if f.Error != "" {
		return f.Error
	}
	took := time.Duration(f.TookSeconds * float64(time.Second))
	return fmt.Sprintf("%d in %s", f.Status, took.Round(10*time.Microsecond))
}

// forward sends one webhook of a program on and tells what was answered.
func (f *forwarder) forward(ctx context.Context, from *apiClient, streamSequence uint64) *forwarded {
	stored, body, err := storedWebhook(ctx, from, streamSequence)
	if err != nil {
		return &forwarded{Error: err.Error()}
	}
	began := time.Now()
	status, err := f.post(ctx, stored, body)
	told := &forwarded{Status: status, TookSeconds: time.Since(began).Seconds()}
	if err != nil {
		told.Error = err.Error()
	}
	return told
}

func (f *forwarder) post(ctx context.Context, stored *api.Webhook, body []byte) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.to, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", stored.ContentType)
	request.Header.Set("Ticketrail-Source", stored.Source)
	request.Header.Set("Ticketrail-Event", stored.Event)
	request.Header.Set("Ticketrail-Stream-Sequence", strconv.FormatUint(stored.StreamSequence, 10))
	if stored.WebhookID != nil {
		request.Header.Set("Ticketrail-Webhook-Id", *stored.WebhookID)
	}
	response, err := f.http.Do(request)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return 0, failed.Err // the address is known, and may hold a password
	}
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxRead))
	return response.StatusCode, errors.Join(err, response.Body.Close())
}

// storedWebhook reads a webhook from the stream, with its raw body.
func storedWebhook(ctx context.Context, client *apiClient, streamSequence uint64) (stored *api.Webhook, body []byte, err error) {
	text, err := client.get(ctx, "/v1/webhooks/"+strconv.FormatUint(streamSequence, 10), nil)
	if err != nil {
		return nil, nil, err
	}
	stored = &api.Webhook{}
	if err := understand(text, stored); err != nil {
		return nil, nil, err
	}
	if stored.BodyBase64 != nil {
		body, err = base64.StdEncoding.DecodeString(*stored.BodyBase64)
		return stored, body, err
	}
	return stored, []byte(orEmpty(stored.Body)), nil
}
