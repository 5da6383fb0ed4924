// Package simulate plays the senders of webhooks: it makes up orders, and tells
// the webhooks that each provider would send about them.
//
// # Guarantees
//
// All of it follows from a seed, the number of an order and the time at which it
// begins: the same three give the same bytes, and no order depends on the ones
// made before it. There is no clock and no hidden state here.
// Every person, shop and street is made up; telephone numbers, mail addresses and
// account numbers are of kinds that belong to nobody.
//
// # What is like life
//
// Histories have the mix that providers' documents and shops let expect: most go
// well, some end badly, some are repaired by a second rider or a refund. Bodies
// have the fields and the sizes of the real ones. A webhook that a provider may
// leave out is sometimes left out. [Disorder] does to webhooks what networks and
// retries do.
package simulate

import (
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// Webhook is one webhook as a provider would send it, unsigned.
type Webhook struct {
	// Provider is the name of the provider that sends it.
	Provider string
	// Event is the token of its event, which the provider's Identify finds.
	Event string
	// ID is the provider's id of the webhook, empty where it gives none. Runa sends
	// it in a header, Ivy in the body.
	ID   string
	Body []byte
	// After is how long after its order began it is sent, from 0.
	After time.Duration
}

// A Simulator makes up orders. It is safe for concurrent use.
type Simulator struct {
	seed uint64
}

// New gives the simulator of a seed.
func New(seed uint64) *Simulator { return &Simulator{seed: seed} }

// stories has what happens to an order, by the provider that tells of it.
var stories = map[string]func(*history){
	"ivy":     ivyStory,
	"ordatic": ordaticStory,
	"payway":  paywayStory,
	"runa":    runaStory,
}

// Order gives the webhooks of the provider's n-th order, which begins at the given
// time, in the order in which they are sent. Orders last from seconds to weeks.
// Two orders of one provider have different keys. For a provider that is not
// known it gives nil.
func (s *Simulator) Order(provider string, n int, began time.Time) []Webhook {
	story, known := stories[provider]
	if !known {
		return nil
	}
	h := &history{dice: s.dice(provider, n), provider: provider, began: began.UTC(), now: began.UTC()}
	story(h)
	return h.webhooks
}

// dice gives the randomness of one order, unrelated to that of any other.
func (s *Simulator) dice(provider string, n int) dice {
	hash := fnv.New64a()
	hash.Write([]byte(provider + " " + strconv.Itoa(n)))
	return dice{rand.New(rand.NewPCG(s.seed, hash.Sum64()))}
}

// history is an order that is being told.
type history struct {
	dice
	provider   string
	began, now time.Time
	webhooks   []Webhook
}

// wait lets time pass: from the shortest to below the longest, in milliseconds.
func (h *history) wait(shortest, longest time.Duration) {
	spread := (longest - shortest) / time.Millisecond
	h.now = h.now.Add(shortest + time.Duration(h.Int64N(int64(spread)))*time.Millisecond)
}

// send tells a webhook now.
func (h *history) send(event, id string, body object) {
	h.webhooks = append(h.webhooks, Webhook{
		Provider: h.provider,
		Event:    event,
		ID:       id,
		Body:     body.encode(),
		After:    h.now.Sub(h.began),
	})
}

// object is a JSON object.
type object map[string]any

// encode gives the object without white space, its names sorted.
func (o object) encode() []byte {
	body, err := json.Marshal(o, json.Deterministic(true))
	if err != nil {
		panic(err) // a story put something in a body that JSON cannot hold
	}
	return body
}
