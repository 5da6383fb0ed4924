package dashboard_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A rebuild is begun, watched to its end, and undone.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.day(2)
	p := open(t, s.url()+"#/replay")
	p.expect("409 (Conflict)") // there is nothing to go back to yet
	p.shows("h2", "Rebuilds")
	require.Equal(t, 3, value[int](p, `document.querySelectorAll('.acts button').length`))
	p.click(".acts button:nth-child(1)")
	p.shows("dialog", "Nothing is put in the place of anything")
	p.click("dialog p.line button")
	p.shows(`[data-run="equal"]`, "found no difference")
	p.shows(`[data-run="equal"]`, "Every row is the same")
	p.click(".acts button:nth-child(2)")
	p.click("dialog p.line button")
	p.shows(`[data-run="switched"]`, "came into use")
	p.shows(".acts", "Roll back")
	p.click(".acts button:nth-child(4)")
	p.shows("dialog", "is brought up to date and put back in its place")
	p.click("dialog p.line button")
	p.await(`document.querySelector('dialog') === null`)
	p.shows(".figures", "runs")
}

// What was set aside is shown by cause, tried again after a preview, and discarded with a
// reason.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := open(t, s.url()+"#/quarantine")
	p.shows("h2", "Nothing is set aside")
	for range 2 {
		s.refused("ordatic", `{"eventType":"`+"</pre>"+`"}`)
	}
	p.shows(".run", "credential-missing")
	p.shows(".run", "2 requests that were rejected")
	p.click(".run a")
	p.await(`document.querySelectorAll('tbody tr').length === 2`)
	p.click("tbody button")
	p.shows("dialog pre", "</pre>")
	p.press("\u001b")
	p.await(`document.querySelector('dialog') === null`)

	p.click(".run p button:nth-of-type(1)")
	p.shows("dialog", "2 entries: still-rejected")
	p.click("dialog .quiet:not([aria-label])")
	p.await(`document.querySelector('dialog') === null`)
	p.click(".run p button:nth-of-type(2)")
	p.shows("dialog", "2 entries: discarded")
	p.await(`document.querySelector('dialog p.line button').disabled`)
	p.do(focus("dialog input"))
	p.press("a port scan")
	p.click("dialog p.line button:not(:disabled)")
	p.shows("dialog", "Done.")
	p.click("dialog .inside > button")
	p.shows("h2", "Nothing is set aside")
}

// The chart has a figure for each minute, and the sources count what they sent, and what was
// not theirs.
func TestSourcesAndSystem(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", "store-7", "o-1")
	s.ordatic("order-in-kitchen", "store-7", "o-1")
	s.refused("ordatic", `{"eventType":"order-accepted","storeId":"store-7","data":{"orderId":"o-9"}}`)
	p := open(t, s.url()+"#/sources")
	p.shows("tbody tr", "ordaticnone1020001")
	p.await(`document.querySelector('tbody tr:nth-child(2) time')`)
	p.await(`/^\d in the last whole minute, 2 at most in the last hour$/.test(document.querySelector('tbody tr:nth-child(2) svg').getAttribute('aria-label'))`)
	p.await(`document.querySelector('[aria-label=Secrets] tbody tr:nth-child(1)').innerText.includes('not since the start')`)
	p.await(`document.querySelector('[aria-label=Secrets] tbody tr:nth-child(2) time')`)
	p.hash("#/system")
	p.await(`document.querySelector('.chart canvas').width > 0`)
	p.await(`/Webhooks a minute: \d at last, 2 at most/.test(document.querySelector('.chart').getAttribute('aria-label'))`)
	p.shows("table", "ordaticAccepted1")
	p.theme("dark")
	p.await(`document.querySelectorAll('.chart canvas').length === 1`)
}

// A source of which nothing comes although it should is told where the sources are, and
// where ticketrail itself is looked after. That takes days: the answer is changed on its way.
func TestSilentSourcesAreTold(t *testing.T) {
	t.Parallel()
	p := open(t, newShop(t).url())
	p.shows("h2", "No orders yet")
	p.do(chromedp.Evaluate[chromedp.Void](`{
		const ask = window.fetch;
		window.fetch = async (...asked) => {
			const response = await ask(...asked);
			if (!String(asked[0]).startsWith('/v1/sources')) return response;
			const { sources } = await response.json();
			sources[1].silent = { since: '2026-03-01T12:00:00Z', missed_orders: 20 };
			return Response.json({ sources });
		};
	}`))
	p.hash("#/sources")
	p.shows("tbody tr:nth-child(2) .late", "silent since")
	p.shows("tbody tr:nth-child(2) .late", "20 orders missed")
	require.Equal(t, 1, value[int](p, `document.querySelectorAll('tbody .late').length`))
	p.hash("#/system")
	p.shows(".note .late", "20 orders missed")
}
