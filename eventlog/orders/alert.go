package orders

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// mostAlerts is how many alerts may wait to be published: more than come of one look at the
// orders where there are some sources.
const mostAlerts = 256

// afterChange is the attribute of an alert that says which change is the last one before it
// on the stream. It is also what a publisher goes on from where the stream ends with an alert.
const afterChange = "ce-afterchange"

// alertTypes are the types of the events of alerts.
var alertTypes = map[domain.AlertKind]string{
	domain.AlertLate:   "ticketrail.orders.late",
	domain.AlertSilent: "ticketrail.source.silent",
	domain.AlertHeard:  "ticketrail.source.heard",
}

// alertData is the data of an alert. What does not belong to its kind is left out.
type alertData struct {
	Source string     `json:"source"`
	State  string     `json:"state,omitempty"`
	Limit  float64    `json:"limit_seconds,omitzero"` // how long orders may be in it
	Orders uint64     `json:"orders,omitzero"`        // that became late
	Keys   []string   `json:"keys,omitempty"`         // of them, the longest late first, domain.MostAlertKeys at the most
	Path   string     `json:"path,omitempty"`         // where the API lists those that are late
	Missed uint64     `json:"missed_orders,omitzero"` // that should have begun
	Since  *time.Time `json:"since,omitempty"`        // the last webhook came, to the minute
}

// Alert has an alert published, behind those before it. It waits for nothing: an alert for
// which there is no room, or which the broker does not take, is dropped and counted. It is
// safe for concurrent use.
func (p *Publisher) Alert(_ context.Context, a domain.Alert) {
	select {
	case p.alerts <- a:
	default:
		p.drop(errTooMany)
	}
}

var errTooMany = fmt.Errorf("%d others wait already", mostAlerts)

func (p *Publisher) drop(err error) {
	p.dropped.Inc()
	p.complainOfAlerts.Do(func() {
		p.config.Logger.Warn("an alert is not published; the log and the metrics have it", "stream", Stream, "error", err)
	})
}

// publishAlerts publishes alerts until ctx ends.
func (p *Publisher) publishAlerts(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-p.alerts:
			err := p.storeAlert(ctx, &a)
			if err != nil { // the stream may have ended elsewhere than was known
				err = p.storeAlert(ctx, &a)
			}
			if err != nil && ctx.Err() == nil {
				p.drop(err)
			}
		}
	}
}

// storeAlert stores an alert as the next message of the stream.
func (p *Publisher) storeAlert(ctx context.Context, a *domain.Alert) error {
	ctx, cancel := context.WithTimeout(ctx, publishWithin)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.locate(ctx); err != nil {
		return err
	}
	m, err := alertEvent(a, max(p.end.change, p.end.follow))
	if err != nil {
		return err
	}
	ack, err := p.js.PublishMsg(ctx, m, jetstream.WithExpectStream(Stream), jetstream.WithExpectLastSequence(p.end.sequence))
	if err != nil {
		p.end = nil
		return fmt.Errorf("publish an alert: %w", err)
	}
	p.end.sequence = max(p.end.sequence, ack.Sequence) // less where it was there
	p.alerted.WithLabelValues(string(a.Kind)).Inc()
	return nil
}

// alertEvent gives the message of an alert. Its id says what it is about and when it was
// seen, so it is no other one's, and never that of a change.
func alertEvent(a *domain.Alert, after uint64) (*nats.Msg, error) {
	subject, err := eventlog.AlertSubject(a.Source, string(a.Kind))
	if err != nil {
		return nil, fmt.Errorf("publish an alert: %w", err)
	}
	data, err := json.Marshal(dataOf(a))
	if err != nil {
		return nil, fmt.Errorf("publish an alert: %w", err)
	}
	id := strings.Join([]string{a.Source, string(a.Kind), stateOf(a), a.At.UTC().Format(time.RFC3339Nano)}, "/")
	return &nats.Msg{Subject: subject, Data: data, Header: nats.Header{
		"ce-specversion":      {specVersion},
		"ce-id":               {id},
		"ce-type":             {alertTypes[a.Kind]},
		"ce-source":           {"/v1/sources/" + a.Source},
		"ce-time":             {domain.InstantOf(a.At).String()},
		afterChange:           {strconv.FormatUint(after, 10)},
		"Content-Type":        {contentType},
		jetstream.MsgIDHeader: {id},
	}}, nil
}

func dataOf(a *domain.Alert) alertData {
	data := alertData{Source: a.Source}
	switch a.Kind {
	case domain.AlertLate:
		data.State, data.Limit, data.Orders, data.Keys = stateOf(a), a.Limit.Seconds(), a.Orders, a.Keys
		data.Path = "/v1/orders?" + url.Values{"late": {"true"}, "source": {a.Source}, "state": {stateOf(a)}, "sort": {"since"}}.Encode()
	case domain.AlertSilent:
		data.Missed = a.Orders
		fallthrough
	case domain.AlertHeard:
		since := a.Since.UTC()
		data.Since = &since
	}
	return data
}

// stateOf gives the state that an alert is about, empty where it is about a source.
func stateOf(a *domain.Alert) string {
	if a.Kind != domain.AlertLate {
		return ""
	}
	return a.State.String()
}
