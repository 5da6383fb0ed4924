package provider_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

// typical is a webhook of each provider that is of the size most of its are.
var typical = map[string]string{
	"ivy":     "order_updated-paid.json",
	"ordatic": "rider-created.json",
	"payway":  "order_closed.json",
	"runa":    "order.completion-completed.json",
}

// BenchmarkTranslate is what a rebuild pays for each webhook.
func BenchmarkTranslate(b *testing.B) {
	for _, p := range provider.All() {
		w := webhook(p, string(typicalBody(b, p)))
		b.Run(p.Name(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(w.Body)))
			for b.Loop() {
				if _, err := p.Translate(w); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTranslateMix is what a rebuild pays for a webhook on average: most are of
// about 90 bytes, and some of 1 to 7 kB.
func BenchmarkTranslateMix(b *testing.B) {
	providers, webhooks := provider.NewSet(nil), mixed()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := providers.Translate(webhooks[i%len(webhooks)]); err != nil && !errors.Is(err, domain.ErrNotAboutOrder) {
			b.Fatal(err)
		}
	}
}

// BenchmarkFoldMix is what a rebuild pays besides, on average: to fold what a webhook
// says into its order, and the webhook into the digest of the stream.
func BenchmarkFoldMix(b *testing.B) {
	webhooks, events := mixed(), []*domain.Event{}
	for _, w := range webhooks {
		event, _ := provider.NewSet(nil).Translate(w) // none where it is about no order
		events = append(events, event)
	}
	b.ReportAllocs()
	var orders map[string]*domain.Order
	var chain domain.Digest
	for i := 0; b.Loop(); i++ {
		n := i % len(webhooks)
		if n == 0 {
			orders = make(map[string]*domain.Order, len(webhooks))
		}
		chain = webhooks[n].Chain(chain)
		if events[n] == nil {
			continue
		}
		order, known := orders[events[n].Key]
		if !known {
			order = domain.NewOrder("shop", webhooks[n].Provider, events[n].Key)
			orders[order.Key] = order
		}
		order.Apply(events[n], uint64(i+1), domain.InstantOf(now), domain.InstantOf(now))
	}
}

// BenchmarkDocument is what a read model pays to keep an order, and to read it again.
func BenchmarkDocument(b *testing.B) {
	orders := map[string]*domain.Order{}
	for _, p := range provider.All() {
		event, err := p.Translate(webhook(p, string(typicalBody(b, p))))
		require.NoError(b, err)
		orders[p.Name()] = domain.NewOrder("shop", p.Name(), event.Key)
		orders[p.Name()].Apply(event, 1, domain.InstantOf(now), domain.InstantOf(now))
	}
	for _, p := range provider.All() {
		b.Run("keep/"+p.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := orders[p.Name()].AppendDocument(nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		document, err := json.Marshal(orders[p.Name()])
		require.NoError(b, err)
		b.Run("read/"+p.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := json.Unmarshal(document, &domain.Order{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// mixed gives the webhooks of a hundred orders, of which Ordatic sends nine in ten.
func mixed() (webhooks []*domain.Webhook) {
	simulator := simulate.New(1)
	for n := range 100 {
		p := provider.Provider(provider.Ordatic{})
		if n%10 == 0 {
			p = provider.All()[n/10%4]
		}
		for _, sent := range simulator.Order(p.Name(), n, now) {
			webhooks = append(webhooks, webhook(p, string(sent.Body)))
		}
	}
	return webhooks
}

// BenchmarkReceive is what an ingest pays for each request: to verify and identify.
func BenchmarkReceive(b *testing.B) {
	for _, p := range provider.All() {
		secrets := []string{p.NewSecret([24]byte{7})}
		r := signed(p, secrets[0], string(typicalBody(b, p)))
		b.Run(p.Name(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(r.Body)))
			for b.Loop() {
				if err := p.VerifyHead(r, secrets); err != nil {
					b.Fatal(err)
				}
				if err := p.Verify(r, secrets); err != nil {
					b.Fatal(err)
				}
				if _, err := p.Identify(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func typicalBody(b *testing.B, p provider.Provider) []byte {
	return files(b, filepath.Join(testdata, "webhooks", p.Name()))[typical[p.Name()]]
}
