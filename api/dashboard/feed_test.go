package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// The page follows the feed, and goes on where it was after the program was away; nothing
// is read anew for it.
func TestTheFeedIsFollowed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", "store-7", "o-1")
	p := open(t, s.url())
	p.expect(away...)
	p.shows(".connection", "Live")
	p.shows(`[data-column="accepted"] .card`, "o-1")
	s.ordatic("order-in-kitchen", "store-7", "o-1")
	p.shows(`[data-column="in-kitchen"] .card`, "o-1")

	p.do(spy("/v1/orders"))
	s.stop()
	p.shows(".connection", "Not connected")
	s.start()
	s.ordatic("order-accepted", "store-7", "o-2")
	p.shows(`[data-column="accepted"] .card`, "o-2")
	p.shows(".connection", "Live")
	require.Equal(t, 0, value[int](p, "window.spied"))
}

// followed waits until so many follow the changes.
func (s *shop) followed(followers int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		response, err := http.Get(s.url() + "metrics")
		if err != nil {
			return false
		}
		text, err := io.ReadAll(response.Body)
		return errors.Join(err, response.Body.Close()) == nil && strings.Contains(string(text), fmt.Sprintf("\nticketrail_changes_followers %d\n", followers))
	}, patience, 10*time.Millisecond)
}

// hide has a tab be hidden, or seen again, as its browser does when another one is looked at.
func (p *tab) hide(hidden bool) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{
		Object.defineProperty(document, 'hidden', { value: %t, configurable: true });
		document.dispatchEvent(new Event('visibilitychange'));
	}`, hidden)))
}

// A browser has six connections to one address, and a tab of the dashboard keeps one only while
// it can be seen: eight tabs are as well as one, and the one that is looked at has all that came
// meanwhile without reading anything anew.
func TestManyTabsAreAsOne(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", "store-7", "o-1")
	first := open(t, s.url())
	tabs := []*tab{first}
	for range 7 {
		tabs[len(tabs)-1].shows(`[data-column="accepted"] .card`, "o-1")
		tabs[len(tabs)-1].shows(".connection", "Live")
		tabs[len(tabs)-1].hide(true)
		tabs = append(tabs, first.beside(s.url()))
	}
	last := tabs[len(tabs)-1]
	last.shows(".connection", "Live")
	s.followed(1)

	first.do(spy("/v1/orders"))
	s.ordatic("order-in-kitchen", "store-7", "o-1")
	last.shows(`[data-column="in-kitchen"] .card`, "o-1")
	require.True(t, value[bool](first, `document.querySelector('[data-column="accepted"] .card') !== null`), "it is hidden")
	last.hide(true)
	first.hide(false)
	first.shows(`[data-column="in-kitchen"] .card`, "o-1")
	first.shows(".connection", "Live")
	require.Equal(t, 0, value[int](first, "window.spied"))
	s.followed(1)
}

// Who goes to another page while nobody answers finds it filled when somebody does.
func TestAPageThatWasOpenedInVainIsRead(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", "store-7", "o-1")
	p := open(t, s.url())
	p.expect(away...)
	p.hash("#/orders") // its script is there from now on
	p.shows("main table", "o-1")
	p.hash("#/board?source=ordatic")
	p.shows(`[data-column="accepted"] .card`, "o-1")
	s.stop()
	p.shows(".connection", "Not connected")
	for _, place := range []string{"#/orders", "#/board"} {
		p.hash(place)
		p.shows(".note, .banner, [role=alert]", "")
	}
	s.start()
	p.shows(`[data-column="accepted"] .card`, "o-1")
}

// A page that has seen more than there is now, as after the stream was replaced, is told
// by a reset and reads anew: what is no more is not shown.
func TestAResetHasAllReadAnew(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", "store-7", "o-1")
	s.ordatic("order-accepted", "store-7", "o-2")
	p := open(t, s.url())
	p.expect(away...)
	p.shows(".connection", "Live")
	p.await(`document.querySelectorAll('.card').length === 2`)
	s.stop()
	require.NoError(t, os.RemoveAll(s.settings.Data))
	s.start()
	s.ordatic("order-accepted", "store-7", "o-3")
	p.await(`document.querySelectorAll('.card').length === 1`)
	p.shows(".card", "o-3")
}

// While as many follow as may, a page reads its lists again and again, and says so; as
// soon as there is room it follows.
func TestAFullFeedIsReadAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	leave := s.crowd()
	p := open(t, s.url())
	p.expect("503 (Service Unavailable)")
	p.shows(".connection", "Reads again each 3 s")
	s.ordatic("order-accepted", "store-7", "o-1")
	p.shows(`[data-column="accepted"] .card`, "o-1")
	leave()
	p.shows(".connection", "Live")
	s.ordatic("order-in-kitchen", "store-7", "o-1")
	p.shows(`[data-column="in-kitchen"] .card`, "o-1")
}

// A tab that was hidden while it had no place in the feed, since as many followed as may, shows
// what came meanwhile: it has no event to go on from, so it reads.
func TestAHiddenTabWithoutAPlaceReadsAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	leave := s.crowd()
	s.ordatic("order-accepted", "store-7", "o-1")
	p := open(t, s.url())
	p.expect("503 (Service Unavailable)")
	p.shows(".connection", "Reads again each 3 s")
	p.shows(`[data-column="accepted"] .card`, "o-1")
	p.hide(true)
	s.ordatic("order-in-kitchen", "store-7", "o-1")
	leave()
	s.followed(0)
	p.hide(false)
	p.shows(".connection", "Live")
	p.shows(`[data-column="in-kitchen"] .card`, "o-1")
}

// crowd has as many follow as may, until the function that it gives is called.
func (s *shop) crowd() (leave func()) {
	s.t.Helper()
	others, leave := context.WithCancel(s.t.Context())
	for range api.DefaultFollowers + 1 {
		request, err := http.NewRequestWithContext(others, http.MethodGet, s.app.Addresses().API+"/v1/changes", nil)
		require.NoError(s.t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(s.t, err)
		s.t.Cleanup(func() { _ = response.Body.Close() })
		if response.StatusCode == http.StatusServiceUnavailable {
			return leave
		}
	}
	require.FailNow(s.t, "nobody is refused")
	return leave
}

// A page that stays open while the program is replaced by another version says so, and
// no sooner.
func TestAnotherVersionIsTold(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := open(t, s.url())
	p.expect(away...)
	p.shows(".connection", "Live")
	p.await(`document.querySelector('.banner') === null`)
	s.stop()
	s.version = `<"next">`
	s.start()
	p.shows(".banner", "A new version is there.")
	p.leaves(".banner button")
	require.Equal(t, s.version, value[string](p, `document.querySelector('meta[name="version"]').content`))
	p.shows(".connection", "Live")
	p.await(`document.querySelector('.banner') === null`)
}
