package provider_test

import (
	"errors"
	"path/filepath"
	"testing"

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
