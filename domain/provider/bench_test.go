package provider_test

import (
	"path/filepath"
	"testing"

	"github.com/ticketrail/ticketrail/domain/provider"
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

// BenchmarkReceive is what an ingest pays for each request: to verify and identify.
func BenchmarkReceive(b *testing.B) {
	for _, p := range provider.All() {
		secret := p.NewSecret([24]byte{7})
		r := signed(p, secret, string(typicalBody(b, p)))
		b.Run(p.Name(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(r.Body)))
			for b.Loop() {
				if err := p.Verify(r, []string{secret}); err != nil {
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
