package provider

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ticketrail/ticketrail/domain"
)

// Mapping says how a provider that has no adapter of its own shows who it is, and what its
// webhooks mean. The tags are the keys of a mapping file, and what its reference says.
//
// What JSON has of it decides what a stored webhook means.
type Mapping struct {
	// Name stands in subjects: webhooks.<name>.<source>.<event>.
	Name      string    `yaml:"name" help:"The provider's name in subjects, in the API and on the command line: 1 to 32 of a-z, 0-9 and -."`
	Signature Signature `yaml:"signature" json:"-"`
	// WebhookID may be nowhere.
	WebhookID Place `yaml:"webhook_id" json:"-" help:"Where the id of the webhook is, the same for each attempt to deliver it; left out where it has none. With standard-webhooks it is the signed one."`
	Event     Place `yaml:"event" help:"Where the name of the event is: a path, or {header: NAME}."`
	Order     Paths `yaml:"order" help:"Path of the order key, unique among the orders of one source: a text or a whole number."`
	// Time is the clock of the statements; an event without one ranks below all that have one.
	Time      Paths `yaml:"time" help:"Path of the time at which the event's statements were true: RFC 3339, or Unix seconds or milliseconds. What is older never takes the place of what is newer; snapshots need it."`
	Store     Paths `yaml:"store" help:"Path of the store."`
	Reference Paths `yaml:"reference" help:"Path of what the merchant calls the order."`
	Status    Paths `yaml:"status" help:"Path of the provider's own status, which is kept as it is."`
	CreatedAt Paths `yaml:"created_at" help:"Path of when the order was made."`
	Currency  Paths `yaml:"currency" help:"Path of the ISO 4217 code of the amounts."`
	Total     Paths `yaml:"total" help:"Path of the total: a text or a number, taken exactly."`
	Discount  Paths `yaml:"discount" help:"Path of the discount, as total."`
	Refunded  Paths `yaml:"refunded" help:"Path of the sum of the refunds that succeeded, as total."`
	// MinorDigits is 0 for amounts in the major unit; MinorDigitsOf is by currency.
	MinorDigits   int            `yaml:"minor_digits" help:"How many digits the minor unit has, where amounts are in that: 2 where 1250 is 12.50. 0 where it is left out: amounts are in the major unit."`
	MinorDigitsOf map[string]int `yaml:"minor_digits_of" help:"The same for currencies that have another number, such as {JPY: 0, KWD: 3}."`

	Events   []MappedEvent `yaml:"events" help:"What each event means, by the provider's name of it, in the order of a life: where two statements have one time, the later one in this list wins."`
	Examples []Example     `yaml:"examples" json:"-" help:"Bodies, as the provider sends them, for trigger and for config validate."`
}

// Place is where a request has a text: in a header or in its body.
type Place struct {
	Header string `yaml:"header" help:"Name of the header that has it, in place of a path."`
	Path   Paths  `yaml:"path" help:"The path itself, as it is written where nothing else is said."`
}

func (p *Place) isNowhere() bool { return p.Header == "" && len(p.Path) == 0 }

// MappedEvent is what an event of one name means.
type MappedEvent struct {
	Name        string             `yaml:"-"`
	Kind        domain.Kind        `yaml:"kind" help:"step: raises the axes that it names and lowers none; snapshot: says where the whole order stands, the newest one stands."`
	Fulfillment domain.Fulfillment `yaml:"fulfillment" help:"none, accepted, in-kitchen, ready or handed-over."`
	Delivery    domain.Delivery    `yaml:"delivery" help:"none, assigned, picking, delivering or delivered."`
	Payment     domain.Payment     `yaml:"payment" help:"none, pending, authorized, settling, paid, failed, canceled, refunding, partially-refunded, refunded, refund-failed or disputed."`
	Outcome     domain.Outcome     `yaml:"outcome" help:"open, failed, completed, closed or canceled."`
	Problem     string             `yaml:"problem" help:"Why somebody should look at the order, in a word of a-z, 0-9 and -."`
	// Without names facts: see factNames.
	Without []string `yaml:"without" help:"Facts that this event does not have, although there is something at their paths, such as [total]."`
	// Ignored events are known, and about no order.
	Ignored bool `yaml:"ignored" help:"true: it is about no order, and is only stored and counted."`
}

// factNames are what an event may be without.
var factNames = []string{"store", "reference", "status", "created_at", "currency", "total", "discount", "refunded"}

// MappingError says which key of a mapping is wrong.
type MappingError struct {
	// Key is the path of the key, such as "events.orders/create.kind".
	Key, Problem, Mend string
}

func (e *MappingError) Error() string { return e.Key + ": " + e.Problem }

// require gives the error of a key unless the condition holds.
func require(ok bool, key, mend, problem string, args ...any) error {
	if ok {
		return nil
	}
	return &MappingError{Key: key, Problem: fmt.Sprintf(problem, args...), Mend: mend}
}

func when(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func oneOf(key, value string, among ...string) error {
	mend := "write " + strings.Join(among, ", ")
	if value == "" {
		return require(false, key, mend, "it is missing")
	}
	return require(slices.Contains(among, value), key, mend, "%q is not known here", value)
}

// The bounds of a mapping.
const (
	maxProviderName = 32
	maxEvents       = 250 // the rank of each is one byte
	maxAlternatives = 8
	maxMinorDigits  = 6
)

// check gives what is wrong with the mapping, nil where nothing is.
func (m *Mapping) check() error {
	_, builtIn := Named(m.Name)
	return firstError(
		require(isWord(m.Name) && len(m.Name) <= maxProviderName, "name", "use 1 to 32 of a-z, 0-9 and -", "it cannot be the name of a provider"),
		require(!builtIn && m.Name != MappedName, "name", "choose another name", "%s is a provider of ticketrail's own", m.Name),
		m.Signature.check(),
		m.WebhookID.check("webhook_id"),
		require(!m.Event.isNowhere(), "event", "write the path of the event's name, or {header: NAME}", "it is missing"),
		m.Event.check("event"),
		require(len(m.Order) > 0, "order", "write the path of the order key", "it is missing"),
		m.checkFacts(),
		m.checkEvents(),
	)
}

func (m *Mapping) checkFacts() error {
	return firstError(
		m.Order.check("order"), m.Time.checkPlain("time"), m.Store.check("store"), m.Reference.check("reference"),
		m.Status.check("status"), m.CreatedAt.checkPlain("created_at"), m.Currency.checkPlain("currency"),
		m.Total.checkPlain("total"), m.Discount.checkPlain("discount"), m.Refunded.checkPlain("refunded"), m.checkDigits(),
	)
}

func (p *Place) check(key string) error {
	return firstError(
		require(p.Header == "" || isHeaderName(p.Header), key+".header", "write the name of a header", "it is no name of a header"),
		require(p.Header == "" || len(p.Path) == 0, key, "write a path or a header", "it cannot be in two places"),
		p.Path.check(key),
	)
}

func (p Paths) check(key string) error {
	return require(len(p) <= maxAlternatives, key, "write at most 8 paths", "%d paths are too many", len(p))
}

// checkPlain refuses texts made of several values for what is no text.
func (p Paths) checkPlain(key string) error {
	i := slices.IndexFunc(p, func(path Path) bool { return path.isTemplate() })
	return firstError(p.check(key), require(i < 0, key, "write a path without braces", "it cannot be put together of several values"))
}

func (m *Mapping) checkDigits() error {
	isDigits := func(n int) bool { return 0 <= n && n <= maxMinorDigits }
	for code, digits := range m.MinorDigitsOf {
		if err := require(isCurrency(code) && isDigits(digits), "minor_digits_of", "write {JPY: 0, KWD: 3}", "it has something other than currencies with 0 to 6 digits"); err != nil {
			return err
		}
	}
	return require(isDigits(m.MinorDigits), "minor_digits", "write a number from 0 to 6", "%d is out of range", m.MinorDigits)
}

func (m *Mapping) checkEvents() error {
	if err := firstError(
		require(len(m.Events) > 0, "events", "write what each event means: orders/paid: { payment: paid }", "it is missing"),
		require(len(m.Events) <= maxEvents, "events", "leave out what is about no order", "more than 250 events are too many"),
	); err != nil {
		return err
	}
	tokens := map[string]string{}
	for i := range m.Events {
		e := &m.Events[i]
		key := "events." + e.Name
		same, taken := tokens[e.Token()]
		tokens[e.Token()] = e.Name
		if err := firstError(
			require(utf8.ValidString(e.Name) && e.Token() != "" && len(e.Token()) <= maxEventToken && e.Token() != Other, key, "leave it out", "it cannot be the name of an event in a subject"),
			require(e.Token() != domain.EventErased, key, "leave it out: its webhooks are stored as other", "in a subject it would be ticketrail's own word for an erasure"),
			require(!taken, key, "leave one of them out", "subjects would not tell it from %s", same),
			e.check(key, len(m.Time) > 0),
		); err != nil {
			return err
		}
	}
	return nil
}

func (e *MappedEvent) check(key string, hasTime bool) error {
	saysNothing := e.Kind == domain.Step && e.axes() == domain.Axes{} && e.Problem == "" && e.Without == nil
	for _, name := range e.Without {
		if err := oneOf(key+".without", name, factNames...); err != nil {
			return err
		}
	}
	return firstError(
		require(e.Kind != domain.Tombstone, key+".kind", "write step or snapshot", "it is nothing that a provider can say"),
		require(e.Kind != domain.Snapshot || hasTime, key+".kind", "write time: the path of the time at which it was true; or step", "nothing would tell which snapshot is the newest"),
		require(e.Problem == "" || isWord(e.Problem), key+".problem", "use 1 to 64 of a-z, 0-9 and -", "it is no single word"),
		require(!e.Ignored || saysNothing, key+".ignored", "leave it out, or leave out all else", "an event that is ignored means nothing"),
	)
}

func (e *MappedEvent) axes() domain.Axes {
	return domain.Axes{Fulfillment: e.Fulfillment, Delivery: e.Delivery, Payment: e.Payment, Outcome: e.Outcome}
}

// maxEventToken is the longest token of an event, in bytes: a subject takes no longer one.
const maxEventToken = 64

// Token gives the event as subjects have it: in lower case, with a hyphen for all that cannot stand there.
func (e *MappedEvent) Token() string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(e.Name))
}

// isWord tells whether a text is made of 1 to 64 of a-z, 0-9 and -.
func isWord(text string) bool {
	odd := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	return text != "" && len(text) <= maxEventToken && !strings.ContainsFunc(text, odd)
}
