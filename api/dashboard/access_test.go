package dashboard_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

const token = "a-token-of-32-characters-or-more"

// away is what the browser says while the program is away.
var away = []string{
	"ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "ERR_INCOMPLETE_CHUNKED_ENCODING", "503 (Service Unavailable)",
}

// Where there is a token the page loads without it, asks for it once, keeps it in its tab
// alone and sends it as a header, never in an address.
func TestThePageAsksForTheToken(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *config.Config) { c.API.Token = token })
	s.ordatic("order-accepted", "store-7", "o-1")
	p := open(t, s.url())
	p.expect("401 (Unauthorized)")
	p.shows("h1", "asks for a token")
	p.await(`document.activeElement.name === 'token'`)
	p.press("wrong\r")
	p.shows(".token", "is not accepted")
	p.await(`document.activeElement.name === 'token' && document.activeElement.value === ''`)
	p.press(token + "\r")
	p.shows(".card", "o-1")
	require.Equal(t, s.url(), value[string](p, "location.href"))
	require.Equal(t, 1, value[int](p, "sessionStorage.length"))
	require.NotContains(t, value[string](p, "document.cookie + JSON.stringify(localStorage)"), token)
	p.do(reload())
	p.shows(".card", "o-1")
	p.click(".tools button:last-of-type")
	p.shows("h1", "asks for a token")
	require.Equal(t, 0, value[int](p, "sessionStorage.length"))
}

// A server that is away is told at once, with since when; when it is back, so is the page.
func TestAfterARestartThePageGoesOn(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", "store-7", "o-1")
	p := open(t, s.url())
	p.expect(away...)
	p.shows(".card", "o-1")
	s.stop()
	p.shows(".banner", "Connection lost at")
	p.shows(".connection", "Not connected")
	p.shows(".card", "o-1")
	s.start()
	s.ordatic("order-in-kitchen", "store-7", "o-1")
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.banner button')?.click()`)) // unless it is back by itself
	p.shows(`[data-column="in-kitchen"] .card`, "o-1")
	p.await(`document.querySelector('.banner') === null`)
}
