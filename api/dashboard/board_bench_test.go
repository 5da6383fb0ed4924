package dashboard_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// BenchmarkWebhookToCard measures from before a webhook is sent until its card is on an
// open board and the browser has painted it: in it are the syncs of the disk, the
// projector, the feed and the page.
func BenchmarkWebhookToCard(b *testing.B) {
	s := newShop(b)
	s.day(20)
	p := open(b, s.url())
	p.shows(".connection", "Live")
	p.await(`document.querySelector('[data-column="completed"] .card')`)
	var took []time.Duration
	for b.Loop() {
		order := fmt.Sprintf("bench-%d", len(took))
		p.watches("ordatic/store-7:" + order)
		sent := time.Now()
		s.ordatic("order-picked-up", "store-7", order) // of those that ended the newest are on top
		painted := time.UnixMicro(int64(1000 * value[float64](p, "window.painted")))
		took = append(took, painted.Sub(sent))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Milliseconds()), "p95-ms")
}

// watches has window.painted be a promise of when the card of an order is painted, in
// milliseconds since 1970.
func (p *tab) watches(card string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](`window.painted = new Promise((resolve) => {
		const there = () => document.querySelector('[data-item=` + quote(card) + `]');
		const seen = new MutationObserver(() => there() && requestAnimationFrame(() => setTimeout(() => {
			seen.disconnect();
			resolve(performance.timeOrigin + performance.now());
		})));
		seen.observe(document.body, { childList: true, subtree: true });
	});`))
}
