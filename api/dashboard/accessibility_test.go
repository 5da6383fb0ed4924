package dashboard_test

import (
	_ "embed"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

//go:embed testdata/axe.min.js
var axe string

// widths are those of a small phone and of a desk, in pixels.
var widths = []int64{320, 1440}

// place is a page with what it shows once it is there.
type place struct{ name, hash, ready string }

// places are all pages, as they are with the traffic of a day.
func places(order string) []place {
	return []place{
		{"board", "#/board", ".card"},
		{"wall", "#/board?wall=1", ".wall .card"},
		{"orders", "#/orders", "tbody tr"},
		{"order", order, ".timeline li"},
		{"time-travel", order + "?at=3", ".travel .note"},
		{"explanation", order + "?tab=explain", `[aria-label="Explanation"] li`},
		{"webhook", order + "?webhook=1", "dialog pre"},
		{"replay", "#/replay", ".run progress"},
		{"quarantine", "#/quarantine", ".run"},
		{"quarantine-entry", "#/quarantine?kind=rejected&source=ordatic&cause=credential-missing&entry=r-1", "dialog pre"},
		{"sources", "#/sources", "tbody tr"},
		{"system", "#/system", ".chart canvas"},
		{"empty", "#/board?q=nothing-at-all", ".empty"},
	}
}

// Of the rules of WCAG 2.2 AA that a program can check none is broken, on any page, in
// either theme, on a phone or on a desk; and no page is wider than its window.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	order := s.story()
	s.day(4)
	s.setAside()
	s.compare()
	p := open(t, s.url())
	p.expect("409 (Conflict)") // there is no read model to go back to
	p.do(chromedp.Evaluate[chromedp.Void](axe))
	p.later(13) // those that are placed are late by then, and those that are accepted soon
	p.await(`document.querySelector('.late') && document.querySelector('.soon')`)
	for _, theme := range []string{"light", "dark"} {
		p.theme(theme)
		for _, width := range widths {
			p.do(chromedp.EmulateViewport(width, 900))
			for _, place := range places(order) {
				p.hash(place.hash)
				p.await("document.querySelector(" + quote(place.ready) + ")")
				require.Empty(t, violations(p), "%s, %s, %d", place.name, theme, width)
				overflow := value[int](p, `document.documentElement.scrollWidth - innerWidth`)
				require.LessOrEqual(t, overflow, 0, "%s at %d is too wide", place.name, width)
			}
		}
	}
}

// violations gives the rules that are broken, and where. A page of which hardly any rule
// could be checked is one as well.
func violations(p *tab) []string {
	p.t.Helper()
	return value[[]string](p, `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
		.then((r) => r.passes.length < 15 ? ['only ' + r.passes.length + ' rules apply'] : r.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target + ' ' + n.failureSummary.replace(/\s+/g, ' '))))`)
}

// All that a mouse can do a keyboard can: to the content, through the cards, into an
// order, to its webhook and back, to another page, and to whatever has a name.
func TestTheKeyboardIsEnough(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", "store-7", "o-1")
	s.ordatic("order-accepted", "store-7", "o-2")
	s.ordatic("order-in-kitchen", "store-7", "o-3")
	p := open(t, s.url())
	p.await(`document.querySelectorAll('.card').length === 3`)
	focused := func(id string) {
		t.Helper()
		p.await(fmt.Sprintf("document.activeElement.dataset.item === %q", id))
	}
	p.press("\t")
	p.await(`document.activeElement.className === 'skip' && document.activeElement.getBoundingClientRect().top >= 0`)
	p.press("\r")
	p.await(`document.activeElement.id === 'main'`)
	p.press("j")
	focused("ordatic/store-7:o-1")
	p.press("j")
	focused("ordatic/store-7:o-2")
	p.press("l")
	focused("ordatic/store-7:o-3")
	p.press("h")
	focused("ordatic/store-7:o-1")
	s.ordatic("order-in-kitchen", "store-7", "o-1")
	p.await(`document.activeElement.closest('[data-column]')?.dataset.column === 'in-kitchen'`)
	focused("ordatic/store-7:o-1") // it keeps the focus where it goes
	p.press("\r")
	p.shows("h1", "store-7:o-1")
	p.press("j")
	p.await(`document.activeElement.closest('.timeline')`)
	p.press("\r")
	p.await(`document.querySelector('dialog.drawer pre')`)
	p.press("\u001b")
	p.await(`document.querySelector('dialog') === null && document.activeElement.closest('.timeline')`)
	p.press("go")
	p.shows("h1", "Orders")
	p.press("?")
	p.shows("dialog", "Keyboard")
	p.press("\u001b")
	p.await(`document.querySelector('dialog') === null`)
	p.do(chromedp.KeyEvent("k", chromedp.KeyModifiers(kb.ModifierCtrl)))
	p.await(`document.activeElement.getAttribute('role') === 'combobox'`)
	p.press("o-2")
	p.shows("[role=option]", "store-7:o-2")
	p.press("\r")
	p.shows("h1", "store-7:o-2")
	p.press("gb")
	p.shows(".card", "o-2")
}

// Letters alone do nothing for whom they hinder.
func TestSingleKeysCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	p := open(t, newShop(t).url())
	p.shows("h2", "No orders yet")
	p.press("?")
	p.click("dialog input[type=checkbox]")
	p.press("\u001b")
	p.await(`document.querySelector('dialog') === null`)
	p.press("go?")
	p.do(reload())
	p.shows("h2", "No orders yet")
	p.press("go?")
	require.Equal(t, "0", value[string](p, "location.hash + document.querySelectorAll('dialog').length"))
}

// The theme is that of the system until another is chosen, which is remembered.
func TestTheThemeIsRemembered(t *testing.T) {
	t.Parallel()
	p := open(t, newShop(t).url())
	ground := `getComputedStyle(document.body).backgroundColor`
	p.theme("light")
	light := value[string](p, ground)
	p.theme("dark")
	dark := value[string](p, ground)
	require.NotEqual(t, light, dark)
	p.click(`[aria-label="Theme: system"]`)
	p.await(ground + " === " + quote(light))
	p.do(reload())
	p.await(`document.querySelector('[aria-label="Theme: light"]')`)
	require.Equal(t, light, value[string](p, ground))
}
