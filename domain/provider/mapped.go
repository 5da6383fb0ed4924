package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"net/textproto"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/ticketrail/ticketrail/domain"
)

// MappedName is what configuration calls any provider that has a mapping in place of an
// adapter of its own.
const MappedName = "mapped"

// Mapped is a provider by its mapping.
type Mapped struct {
	signatory
	mapping Mapping
	idIn    string // header of the webhook's id, empty where it is in the body
	eventIn string // header of the event's name
	byName  map[string]int
	byToken map[string]int
	digest  string
}

// NewMapped gives the provider of a mapping. Its error is a [*MappingError].
func NewMapped(m Mapping) (*Mapped, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	p := &Mapped{
		signatory: m.Signature.signatory(),
		mapping:   m,
		idIn:      textproto.CanonicalMIMEHeaderKey(m.WebhookID.Header),
		eventIn:   textproto.CanonicalMIMEHeaderKey(m.Event.Header),
		byName:    make(map[string]int, len(m.Events)),
		byToken:   make(map[string]int, len(m.Events)),
		digest:    m.digest(),
	}
	for i := range m.Events {
		p.byName[m.Events[i].Name], p.byToken[m.Events[i].Token()] = i, i
	}
	return p, nil
}

// digest is of all that decides what a stored webhook means.
func (m *Mapping) digest() string {
	text, err := json.Marshal(m, json.Deterministic(true))
	if err != nil {
		panic(err) // it is made of texts and numbers
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Name gives the mapping's.
func (p *Mapped) Name() string { return p.mapping.Name }

// Digest names what the mapping says of stored webhooks: another one may give another
// read model.
func (p *Mapped) Digest() string { return p.digest }

// Events gives the tokens of the mapping's events.
func (p *Mapped) Events() []string {
	tokens := make([]string, len(p.mapping.Events))
	for i := range p.mapping.Events {
		tokens[i] = p.mapping.Events[i].Token()
	}
	return tokens
}

// Knows tells whether the mapping has an event of this name.
func (p *Mapped) Knows(event string) bool {
	_, known := p.byName[event]
	return known
}

// Mapping gives what the provider is made of.
func (p *Mapped) Mapping() Mapping { return p.mapping }

// Sign makes r a request as the provider would send it, but for the name of an event that
// is in a header: see [Mapped.SetEvent].
func (p *Mapped) Sign(r *Request, secret, id string) {
	p.signatory.Sign(r, secret, id)
	if p.idIn != "" {
		r.setHeader(p.idIn, id)
	}
}

// SetEvent sets the header that names the event, where not the body does. The event may
// be its name or its token.
func (p *Mapped) SetEvent(r *Request, event string) {
	if p.eventIn == "" || event == "" {
		return
	}
	if i, isToken := p.byToken[event]; isToken {
		event = p.mapping.Events[i].Name
	}
	r.setHeader(p.eventIn, event)
}

// KeptHeaders gives the headers without which a request cannot be verified and identified
// again, but for those that hold a secret.
func (p *Mapped) KeptHeaders() []string {
	signature := textproto.CanonicalMIMEHeaderKey(p.mapping.Signature.Header)
	names := []string{p.idIn, p.eventIn}
	if p.SignsBody() {
		names = append(names, signature)
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return name == "" || name == authorizationHeader || name == signature && !p.SignsBody()
	})
}

// Identify finds event and id where the mapping says. In a body that Translate will
// refuse it finds neither.
func (p *Mapped) Identify(r *Request) (Identity, error) {
	identity := Identity{Event: Other}
	body, err := read(&domain.Webhook{Body: r.Body})
	if err != nil {
		_, err = topLevel(r.Body)
	} else {
		identity.WebhookID = usableWebhookID(p.webhookID(r, body))
		if i, known := p.byName[p.eventName(r, body)]; known {
			identity.Event = p.mapping.Events[i].Token()
		}
	}
	return identity, err
}

func (p *Mapped) webhookID(r *Request, body object) string {
	_, isStandard := p.signatory.(standardWebhooks)
	switch {
	case p.idIn != "":
		return only(r.Header[p.idIn])
	case isStandard && p.mapping.WebhookID.isNowhere():
		return standardWebhookID(r.Header)
	}
	return p.mapping.WebhookID.Path.text(body)
}

func (p *Mapped) eventName(r *Request, body object) string {
	if p.eventIn != "" {
		return only(r.Header[p.eventIn])
	}
	return p.mapping.Event.Path.text(body)
}

// only gives the one value of a header, empty where there are none or more.
func only(values []string) string {
	text, _ := single(values)
	return text
}

// text gives a text or a whole number, empty where there is neither.
func (p Paths) text(body object) string {
	value, _ := p.find(body)
	text, _ := plainText(value)
	return text
}

// Translate says of an event of the mapping what that says, and of any other one that it
// is about no order.
func (p *Mapped) Translate(w *domain.Webhook) (*domain.Event, error) {
	return translate(w, func(body object) *domain.Event {
		i, known := p.eventOf(w, body)
		if !known || p.mapping.Events[i].Ignored {
			return nil
		}
		return p.event(body, i)
	})
}

// eventOf finds the event. Its name is in the body, or else in the stream as the token
// that it had when the webhook came: headers are not kept.
func (p *Mapped) eventOf(w *domain.Webhook, body object) (i int, known bool) {
	if p.eventIn != "" {
		i, known = p.byToken[w.Event]
	} else {
		i, known = p.byName[p.mapping.Event.Path.text(body)]
	}
	return i, known
}

func (p *Mapped) event(body object, i int) *domain.Event {
	e := &p.mapping.Events[i]
	clock := fact(body, p.mapping.Time, domain.ParseInstant, parseUnix)
	return &domain.Event{
		Kind:       e.Kind,
		Key:        p.key(body),
		Name:       e.Name,
		Stamp:      body.stamp(clock, 0, uint8(i+1)),
		OccurredAt: clock,
		Standing:   domain.Standing{Axes: e.axes(), Problem: e.Problem},
		Facts:      p.facts(body, e),
	}
}

// key gives the order key, which must be there and be usable.
func (p *Mapped) key(body object) string {
	value, path := p.mapping.Order.find(body)
	key, err := plainText(value)
	switch {
	case value == nil:
		body.fail(domain.CauseKeyMissing, path.lacks(body))
	case err != nil || isTruth(value):
		body.fail(domain.CauseWrongType, path.name())
	case len(key) > maxKey || hasControl(key):
		body.fail(domain.CauseKeyUnusable, path.name())
	}
	return key
}

func (p *Mapped) facts(body object, e *MappedEvent) domain.Facts {
	has := func(paths Paths, name string) Paths {
		if slices.Contains(e.Without, name) {
			return nil
		}
		return paths
	}
	m := &p.mapping
	text := func(paths Paths, name string) string { return fact(body, has(paths, name), shortText, shortNumber) }
	currency := fact(body, has(m.Currency, "currency"), anyCurrency, noNumber)
	parse := m.amountsIn(currency)
	money := func(paths Paths, name string) domain.Amount { return fact(body, has(paths, name), parse, parse) }
	return domain.Facts{
		ProviderStatus: fact(body, has(m.Status, "status"), word, shortNumber),
		StoreID:        text(m.Store, "store"),
		Reference:      text(m.Reference, "reference"),
		Currency:       currency,
		Total:          money(m.Total, "total"),
		Discount:       money(m.Discount, "discount"),
		Refunded:       money(m.Refunded, "refunded"),
		CreatedAt:      fact(body, has(m.CreatedAt, "created_at"), domain.ParseInstant, parseUnix),
	}
}

// amountsIn gives how amounts of a currency are read.
func (m *Mapping) amountsIn(currency string) func(string) (domain.Amount, error) {
	digits, known := m.MinorDigitsOf[currency]
	if !known {
		digits = m.MinorDigits
	}
	return func(text string) (domain.Amount, error) { return domain.ParseMinorAmount(text, digits) }
}
