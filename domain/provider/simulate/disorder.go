package simulate

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// Faults are what a network and retries do to webhooks. The zero value does
// nothing.
type Faults struct {
	// Delay bounds how long a webhook is under way. Each takes a random part of it,
	// so webhooks sent within one Delay arrive in any order.
	Delay time.Duration
	// Repeat is the chance, from 0 to 1, that a webhook which arrived is sent again,
	// up to thrice, and each time takes as long again.
	Repeat float64
}

// maxRepeats is how often one webhook is sent again at most.
const maxRepeats = 3

// Disorder gives the webhooks as they arrive: late, out of order and repeated.
// After becomes the time of arrival, by which they are sorted. A retransmission
// has the id and the body of the first. The webhooks given are not changed, and
// the same source of randomness gives the same disorder.
func Disorder(rng *rand.Rand, webhooks []Webhook, faults Faults) []Webhook {
	arrived := make([]Webhook, 0, len(webhooks))
	for _, webhook := range webhooks {
		for range maxRepeats + 1 {
			webhook.After += time.Duration(rng.Int64N(int64(faults.Delay) + 1))
			arrived = append(arrived, webhook)
			if rng.Float64() >= faults.Repeat {
				break
			}
		}
	}
	slices.SortStableFunc(arrived, func(a, b Webhook) int { return cmp.Compare(a.After, b.After) })
	return arrived
}
