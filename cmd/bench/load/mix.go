package load

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

const (
	// toldOrders is how many orders are simulated. All others are these, told again under
	// ids of their own: to simulate one takes 50 times as long.
	toldOrders = 400
	// openOrders is how many orders are under way at once, so that their webhooks mix.
	openOrders = 256
	// freshDigits is how much of an id is replaced.
	freshDigits = 8
)

// shares are the orders of each provider among a hundred: small bodies by far the most,
// as where riders tell each step of a meal.
var shares = map[string]int{"ordatic": 85, "ivy": 7, "payway": 5, "runa": 3}

// began is when every order began. The past of long ago is as good as any.
var began = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// Mix is an endless row of orders, made up from a seed. It is safe for concurrent use.
type Mix struct{ told [][]Webhook }

// Webhook is a webhook that a source of its provider's name is sent.
type Webhook struct {
	*domain.Webhook
	// Key is the key of its order, empty where it is about none.
	Key string
}

// NewMix makes up orders.
func NewMix(seed uint64) *Mix {
	m := &Mix{}
	simulator := simulate.New(seed)
	for _, adapter := range provider.All() {
		for n := range toldOrders * shares[adapter.Name()] / 100 {
			m.told = append(m.told, tell(adapter, simulator.Order(adapter.Name(), n, began)))
		}
	}
	random := rand.New(rand.NewPCG(seed, 1))
	random.Shuffle(len(m.told), func(i, j int) { m.told[i], m.told[j] = m.told[j], m.told[i] })
	return m
}

// tell gives an order's webhooks as they are stored.
func tell(adapter provider.Provider, sent []simulate.Webhook) (told []Webhook) {
	for _, s := range sent {
		w := Webhook{Webhook: &domain.Webhook{
			Provider: adapter.Name(), Source: adapter.Name(), Event: s.Event, ID: s.ID, Body: s.Body,
		}}
		if event, err := adapter.Translate(w.Webhook); err == nil {
			w.Key = event.Key
		}
		told = append(told, w)
	}
	return told
}

// Order gives the webhooks of the n-th order.
func (m *Mix) Order(n int) []Webhook {
	told := m.told[n%len(m.told)]
	again := n / len(m.told)
	order := make([]Webhook, len(told))
	for i, w := range told {
		order[i] = w.fresh(again)
	}
	return order
}

// fresh gives the webhook of another order that goes the same way. The text of ids is
// as random as it was, since that is what indexes have to bear.
func (w Webhook) fresh(again int) Webhook {
	made := *w.Webhook
	_, id, composed := strings.Cut(w.Key, ":")
	if !composed {
		id = w.Key
	}
	made.Body = bytes.ReplaceAll(made.Body, []byte(id), []byte(renew(id, again)))
	if made.ID != "" {
		made.ID = renew(w.ID, again)
		made.Body = bytes.ReplaceAll(made.Body, []byte(w.ID), []byte(made.ID))
	}
	return Webhook{Webhook: &made, Key: strings.Replace(w.Key, id, renew(id, again), 1)}
}

// renew gives another id of the same length for each number but 0: its end is replaced.
func renew(id string, again int) string {
	if again == 0 || len(id) < freshDigits {
		return id
	}
	// An odd factor gives each number another text, and neighbours unlike ones.
	mixed := uint32(again) * 0x9E3779B1
	digits := hex.EncodeToString([]byte{byte(mixed), byte(mixed >> 8), byte(mixed >> 16), byte(mixed >> 24)})
	return id[:len(id)-freshDigits] + digits
}

// Webhooks gives the webhooks of the orders from one number on and below another, those
// of many orders mixed and those of each in their order.
func (m *Mix) Webhooks(from, to int) iter.Seq[Webhook] {
	return func(yield func(Webhook) bool) {
		random := rand.New(rand.NewPCG(uint64(from), uint64(to)))
		var open [][]Webhook
		for next := from; next < to || len(open) > 0; {
			for len(open) < openOrders && next < to {
				open = append(open, m.Order(next))
				next++
			}
			i := random.IntN(len(open))
			if !yield(open[i][0]) {
				return
			}
			if open[i] = open[i][1:]; len(open[i]) == 0 {
				open[i] = open[len(open)-1]
				open = open[:len(open)-1]
			}
		}
	}
}

// Secret gives the secret of a provider's source, which is the same in every run.
func Secret(p provider.Provider) string {
	var random [24]byte
	copy(random[:], fmt.Sprintf("a secret of %s for show only", p.Name()))
	return p.NewSecret(random)
}
