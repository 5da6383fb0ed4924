package dashboard_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// reload has the tab read its page anew.
func reload() chromedp.Action[chromedp.Void] { return chromedp.Reload() }

// spy counts the requests whose path begins so, in window.spied.
func spy(path string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](`{
		window.spied = 0;
		const ask = window.fetch;
		window.fetch = (...asked) => { if (String(asked[0]).startsWith(` + quote(path) + `)) window.spied++; return ask(...asked); };
	}`)
}

// The parser gives the same events however the text is cut: at every place, between the
// bytes of a line's end too.
func TestTheParserTakesTextInAnyParts(t *testing.T) {
	t.Parallel()
	p := open(t, newShop(t).url())
	got := value[[]string](p, module("core/events.js")+`.then(({ EventParser }) => {
		const text = 'id: 7\n\n: a comment\nid:8\r\nevent: change\r\ndata: {"a":\r\ndata:1}\r\n\r\nid: 9\rdata\r\revent: reset\ndata: x: y\n\n';
		const read = (...parts) => { const parser = new EventParser(); return JSON.stringify(parts.flatMap((part) => parser.push(part))); };
		const seen = new Set([read(...text)]);
		for (let i = 0; i <= text.length; i++) for (let j = i; j <= text.length; j++) seen.add(read(text.slice(0, i), text.slice(i, j), text.slice(j)));
		return [...seen];
	})`)
	require.Equal(t, []string{`[{"id":"7","event":"","data":""},{"id":"8","event":"change","data":"{\"a\":\n1}"},{"id":"9","event":"","data":""},{"id":"9","event":"reset","data":"x: y"}]`}, got)
}

// A board has of each order the newest standing, in whatever order the lists and the feed
// tell of it; what a new reading does not tell is gone at its end.
func TestTheBoardKeepsTheNewest(t *testing.T) {
	t.Parallel()
	p := open(t, newShop(t).url())
	got := value[[]string](p, module("core/board.js")+`.then(({ Board }) => {
		const order = (key, state, stream_sequence, more = {}) => ({ source: 's', key, reference: null, store_id: null, state, state_since: '2026-01-01T00:00:0' + stream_sequence + 'Z', total: null, currency: null, problem: null, fulfillment_kind: null, stream_sequence, ...more });
		const flushes = [];
		const board = new Board({}, (flush) => flushes.push(flush));
		const standing = () => ['placed', 'ready', 'completed'].map((state) => state + ':' + board.cards(state).map((card) => card.key + card.sequence)).join(' ');
		const told = [];
		board.put(order('a', 'ready', 2));
		board.put(order('a', 'placed', 1));
		board.put(order('b', 'completed', 3));
		board.put(order('c', 'completed', 4));
		told.push(standing());
		board.begin();
		board.put(order('a', 'placed', 1));
		board.put(order('d', 'placed', 5));
		board.put(order('d', 'ready', 6));
		board.end();
		told.push(standing());
		board.filter({ problem: 'true' });
		board.begin();
		board.put(order('e', 'placed', 7, { problem: { reason: 'x' } }));
		board.put(order('e', 'placed', 8));
		board.put(order('e', 'placed', 7, { problem: { reason: 'x' } }));
		board.end();
		told.push(standing(), 'flushes ' + flushes.length);
		return told;
	})`)
	require.Equal(t, []string{
		"placed: ready:a2 completed:c4,b3",
		"placed: ready:a2,d6 completed:",
		"placed: ready: completed:",
		"flushes 1",
	}, got)
}

// Ten thousand open orders are on the board, of which each column shows what a person can
// look at; a thousand changes are shown in one go.
func TestTenThousandOpenOrders(t *testing.T) {
	t.Parallel()
	p := open(t, newShop(t).url())
	got := value[map[string]int](p, module("core/board.js")+`.then(({ Board }) => {
		const states = ['placed', 'accepted', 'in-kitchen', 'ready', 'rider-delivering'];
		const order = (n, sequence) => ({ source: 's', key: 'o-' + n, reference: null, store_id: null, state: states[(n + sequence) % 5], state_since: new Date(n * 1000).toISOString(), total: null, currency: null, problem: null, fulfillment_kind: null, stream_sequence: sequence });
		const flushes = [];
		const board = new Board({}, (flush) => flushes.push(flush));
		for (let n = 0; n < 10_000; n++) board.put(order(n, 1));
		flushes.pop()();
		for (let n = 0; n < 1000; n++) board.put(order(n, 2));
		return { flushes: flushes.length, cards: states.reduce((sum, state) => sum + board.cards(state).length, 0) };
	})`)
	require.Equal(t, map[string]int{"flushes": 1, "cards": 10_000}, got)
}

// A body is shown indented without a digit or an escape of it changed.
func TestBodiesAreIndentedAsTheyAre(t *testing.T) {
	t.Parallel()
	p := open(t, newShop(t).url())
	got := value[[]string](p, module("pages/parts/json.js")+`.then(({ indented }) => [
		'{"a":1.00,"b":[12345678901234567890,{"c":"x: \\"{,}\\" \\u0041"}],"d":{},"e":[ ],"f":true}',
		'no json {',
	].map(indented))`)
	require.Equal(t, []string{
		"{\n  \"a\": 1.00,\n  \"b\": [\n    12345678901234567890,\n    {\n      \"c\": \"x: \\\"{,}\\\" \\u0041\"\n    }\n  ],\n  \"d\": {},\n  \"e\": [],\n  \"f\": true\n}",
		"no json {",
	}, got)
}

// focus gives the focus to what a selector finds.
func focus(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](`document.querySelector(` + quote(selector) + `).focus()`)
}
