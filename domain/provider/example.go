package provider

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ticketrail/ticketrail/domain"
)

// Example is a webhook as a mapped provider sends it, for its tests and for the tools that
// play the sender.
type Example struct {
	Event string `yaml:"event" help:"Name of the event, one of events."`
	Body  string `yaml:"body" help:"The raw body."`
	// Expect are facts by their names, those of [Said].
	Expect map[string]string `yaml:"expect" help:"What it must mean: any of order, state, fulfillment, delivery, payment, outcome, problem, time, webhook_id, store, reference, status, created_at, currency, total, discount, refunded; what is not named is not looked at."`
}

// Examples gives the examples of the mapping.
func (p *Mapped) Examples() []Example { return p.mapping.Examples }

// Said is one thing that a webhook says.
type Said struct{ Name, Value string }

// Understand gives what an example says, nothing where it is about no order. The error
// tells why that is not what the example expects.
func (p *Mapped) Understand(x Example) ([]Said, error) {
	i, known := p.byName[x.Event]
	if !known {
		return nil, errors.New("there is no such event in events")
	}
	e := &p.mapping.Events[i]
	r := &Request{Body: []byte(x.Body)}
	p.SetEvent(r, x.Event)
	identity, err := p.Identify(r)
	switch {
	case err != nil:
		return nil, err
	case identity.Event != e.Token():
		return nil, errors.New("the body is of another event, or of none in events")
	}
	event, err := p.Translate(&domain.Webhook{Provider: p.Name(), Event: identity.Event, Body: r.Body, BodyDigest: domain.DigestBody(r.Body)})
	if untranslatable, ok := errors.AsType[*domain.Untranslatable](err); ok {
		return nil, fmt.Errorf("it would be quarantined: %s at %s", untranslatable.Cause, cmp.Or(untranslatable.Where, "/"))
	}
	if err != nil { // it is about no order
		return nil, missing(x.Expect, nil)
	}
	said := append(says(event), Said{"webhook_id", identity.WebhookID})
	said = slices.DeleteFunc(said, func(s Said) bool { return s.Value == "" })
	for _, a := range event.Anomalies {
		return said, fmt.Errorf("it holds a value that cannot be read: %s", a.Detail)
	}
	return said, missing(x.Expect, said)
}

// says gives all that an event says of its order, in the order in which it is told.
func says(e *domain.Event) []Said {
	axis := func(name, value, none string) Said {
		if value == none {
			value = ""
		}
		return Said{name, value}
	}
	return []Said{
		{"order", e.Key},
		{"state", e.Standing.State().String()},
		axis("fulfillment", e.Standing.Fulfillment.String(), domain.FulfillmentNone.String()),
		axis("delivery", e.Standing.Delivery.String(), domain.DeliveryNone.String()),
		axis("payment", e.Standing.Payment.String(), domain.PaymentNone.String()),
		axis("outcome", e.Standing.Outcome.String(), domain.OutcomeOpen.String()),
		{"problem", e.Standing.Problem},
		{"time", e.OccurredAt.String()},
		{"store", e.StoreID},
		{"reference", e.Reference},
		{"status", e.ProviderStatus},
		{"created_at", e.CreatedAt.String()},
		{"currency", e.Currency},
		{"total", string(e.Total)},
		{"discount", string(e.Discount)},
		{"refunded", string(e.Refunded)},
	}
}

// missing tells of the first fact that is expected and not said so.
func missing(expected map[string]string, said []Said) error {
	var wrong []string
	for name, value := range expected {
		has := "nothing"
		if i := slices.IndexFunc(said, func(s Said) bool { return s.Name == name }); i >= 0 {
			has = said[i].Value
		}
		if has != value && (has != "nothing" || value != "") {
			wrong = append(wrong, fmt.Sprintf("%s is %s, and not %s", name, has, cmp.Or(value, "nothing")))
		}
	}
	if wrong == nil {
		return nil
	}
	slices.Sort(wrong)
	return errors.New(strings.Join(wrong, "; "))
}
