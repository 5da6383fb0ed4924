package dashboard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// patience bounds every wait; none should come near it.
const patience = 2 * time.Minute

// skipVariable has the tests that need a browser skipped where it is "skip". It is none of
// the program's, which refuses those that it does not know.
const skipVariable = "BROWSER_TESTS"

// browser starts one browser for all tests of a run, when the first asks for it.
var browser = sync.OnceValues(func() (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("lang", "en-GB"), chromedp.WSURLReadTimeout(patience),
	)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("%w: install Chromium (make browser does, on Debian and its kin), or set %s=skip", err, skipVariable)
	}
	stopBrowser = cancel
	return ctx, nil
})

// stopBrowser ends the browser, if one was started.
var stopBrowser = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	stopBrowser()
	os.Exit(code)
}

// tab is a page of the browser. What goes wrong in it fails its test.
type tab struct {
	t   testing.TB
	ctx context.Context
	url string

	mu       sync.Mutex
	expected []string // parts of what the browser may complain of
	wrong    []string
	asked    []string // the addresses of all requests
}

// open opens an address in a tab of its own.
func open(t testing.TB, url string) *tab {
	t.Helper()
	if os.Getenv(skipVariable) == "skip" {
		t.Skip(skipVariable + " is skip")
	}
	parent, err := browser()
	require.NoError(t, err)
	return newTab(parent, t, url, chromedp.WithNewBrowserContext())
}

// beside opens an address in another tab of the same window, which shares its connections.
func (p *tab) beside(url string) *tab {
	p.t.Helper()
	return newTab(p.ctx, p.t, url)
}

func newTab(parent context.Context, t testing.TB, url string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	p := &tab{t: t, ctx: ctx, url: url}
	t.Cleanup(func() {
		p.soundness()
		cancel()
	})
	require.NoError(t, chromedp.Listen(ctx, p.heard))
	p.do(chromedp.EmulateViewport(1440, 900))
	p.do(chromedp.Navigate(url))
	return p
}

// heard notes exceptions, and what the browser complains of: a policy that was broken
// among it.
func (p *tab) heard(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += fmt.Sprint(" ", *e.ExceptionDetails.Exception)
		}
		p.wrong = append(p.wrong, text)
	case *network.EventRequestWillBeSent:
		p.asked = append(p.asked, e.Request.URL)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			p.wrong = append(p.wrong, fmt.Sprint(e.Entry.Text, " ", e.Entry.URL))
		}
	}
}

// requests gives the addresses that the page has asked for.
func (p *tab) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// expect says what the browser may complain of: requests that are meant to fail.
func (p *tab) expect(parts ...string) { p.expected = append(p.expected, parts...) }

// soundness requires that nothing went wrong but what was expected.
func (p *tab) soundness() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range p.wrong {
		isPart := func(part string) bool { return strings.Contains(text, part) }
		if !slices.ContainsFunc(p.expected, isPart) {
			p.t.Errorf("the browser says: %s", text)
		}
	}
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, actions...))
}

// value gives what an expression is in the page.
func value[T any](p *tab, expression string) (result T) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, expression)
	return result
}

// await waits until an expression holds in the page. The page's policy knows no eval, so
// the expression is a part of the script that waits.
func (p *tab) await(expression string) {
	p.t.Helper()
	waiting := fmt.Sprintf(`new Promise((resolve) => {
		const until = Date.now() + %d;
		const look = () => {
			let holds = false;
			try { holds = Boolean(%s); } catch { }
			if (holds || Date.now() > until) resolve(holds); else setTimeout(look, 15);
		};
		look();
	})`, (patience / 2).Milliseconds(), expression)
	if !value[bool](p, waiting) {
		require.FailNow(p.t, "it does not come to that", "%s\nthe page at %s says:\n%s", expression, value[string](p, "location.href"), value[string](p, "document.body.innerText"))
	}
}

// shows waits until the text of an element has a part.
func (p *tab) shows(selector, part string) {
	p.t.Helper()
	p.await(fmt.Sprintf(`[...document.querySelectorAll(%s)].some((e) => e.textContent.replace(/\s+/g, ' ').includes(%s))`, quote(selector), quote(part)))
}

// press presses keys, one after the other, as a keyboard does: what a shortcut takes is
// not typed as well.
func (p *tab) press(keys string) {
	p.t.Helper()
	for _, key := range keys {
		events := kb.Encode(key)
		down, up := *events[0], *events[len(events)-1]
		if len(events) > 2 {
			down.Type, down.Text, down.UnmodifiedText = kb.KeyDown, events[1].Text, events[1].UnmodifiedText
		}
		for _, event := range []input.DispatchKeyEventParams{down, up} {
			_, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, event)
			require.NoError(p.t, err)
		}
	}
}

// click clicks what a selector finds.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.await("document.querySelector(" + quote(selector) + ")")
	p.do(chromedp.Evaluate[chromedp.Void]("document.querySelector(" + quote(selector) + ").click()"))
}

// leaves clicks what has the browser load a page, and waits for that.
func (p *tab) leaves(selector string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, chromedp.Evaluate[chromedp.Void]("document.querySelector("+quote(selector)+").click()"))
	require.NoError(p.t, err)
}

// hash goes to another place of the page.
func (p *tab) hash(hash string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void]("location.hash = " + quote(hash)))
}

// theme has the page light or dark, as the system of its user would.
func (p *tab) theme(theme string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	require.NoError(p.t, err)
}

// quote gives a text as a literal of JavaScript.
func quote(text string) string {
	literal, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string has a form in JSON
	}
	return string(literal)
}

// module gives an expression for a promise of a module of the page: the very one that the
// page runs.
func module(name string) string {
	return `import(document.querySelector('script[type="module"]').src.replace('main.js', ` + quote(name) + `))`
}

// later has the clock of the browser be late by minutes.
func (p *tab) later(minutes int) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{ const now = Date.now; Date.now = () => now() + %d * 60_000; }`, minutes)))
}
