package dashboard_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
)

// An order appears when its first webhook is stored, moves with the next, and opens.
func TestACardAppearsMovesAndOpens(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := open(t, s.url())
	p.shows("h2", "No orders yet")
	p.shows("code", "ticketrail demo")

	s.ordatic("order-accepted", "store-7", "o-1")
	p.shows(`[data-column="accepted"] .card`, "o-1")
	p.shows(`[data-column="accepted"] h2`, "1")
	s.ordatic("order-in-kitchen", "store-7", "o-1")
	p.shows(`[data-column="in-kitchen"] .card`, "o-1")
	p.await(`document.querySelectorAll('.card').length === 1`)
	s.ordatic("rider-error", "store-7", "o-1")
	p.shows(`[data-column="in-kitchen"] .trouble`, "rider-error")

	p.click(".card")
	p.shows("h1", "store-7:o-1")
	p.shows(".timeline li:nth-child(2)", "order-in-kitchen advanced")
	p.await(`document.querySelector('.node.here').dataset.state === 'in-kitchen'`)
	s.ordatic("order-picked-up", "store-7", "o-1")
	p.await(`document.querySelector('.node.here').dataset.state === 'completed'`)
	require.Equal(t, "Order · ticketrail", value[string](p, "document.title"))
}

// While the board is paused nothing on it moves, and what came is counted.
func TestThePausedBoardStandsStill(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", "store-7", "o-1")
	p := open(t, s.url())
	p.shows(`[data-column="accepted"] .card`, "o-1")
	p.press("p")
	p.await(`document.querySelector('[data-key="p"]').getAttribute('aria-pressed') === 'true'`)
	s.ordatic("order-in-kitchen", "store-7", "o-1")
	s.ordatic("order-accepted", "store-7", "o-2")
	p.shows(`[data-key="p"]`, "Go on (2 new)")
	require.Equal(t, 1, value[int](p, `document.querySelectorAll('[data-column="accepted"] .card').length`))
	p.press("p")
	p.shows(`[data-column="in-kitchen"] .card`, "o-1")
	p.shows(`[data-column="accepted"] .card`, "o-2")
}

// What is filtered is in the address, and holds for what comes later.
func TestFiltersAreInTheAddress(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", "store-7", "o-1")
	s.ordatic("order-accepted", "store-8", "o-2")
	p := open(t, s.url()+"#/board?store=store-8")
	p.shows(".card", "o-2")
	s.ordatic("order-accepted", "store-7", "o-3")
	s.ordatic("order-accepted", "store-8", "o-4")
	p.shows(".card", "o-4")
	require.Equal(t, 2, value[int](p, `document.querySelectorAll('.card').length`))

	p.press("/")
	p.await(`document.activeElement.name === 'q'`)
	p.press("O-4")
	p.await(`location.hash === '#/board?store=store-8&q=O-4'`)
	p.await(`document.querySelectorAll('.card').length === 1`)
	p.hash("#/board?q=nothing")
	p.shows("h2", "No order matches")
	p.click(`.empty a`)
	p.await(`document.querySelectorAll('.card').length === 4`)
}

// An order that takes too long is told by words beside the colour; one that has ended
// never is.
func TestLateOrdersAreTold(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", "store-7", "o-1")
	s.ordatic("order-picked-up", "store-7", "o-2")
	p := open(t, s.url())
	p.shows(".card", "o-1")
	require.Equal(t, 0, value[int](p, `document.querySelectorAll('.late, .soon').length`))
	p.later(13) // of the 15 minutes that an order may be accepted
	p.shows(`[data-column="accepted"] .soon`, "late soon")
	p.later(3)
	p.shows(`[data-column="accepted"] .late`, "late by")
	p.shows(`[data-column="accepted"] .expected`, "In kitchen")
	require.Equal(t, 1, value[int](p, `document.querySelectorAll('.late').length`))
}

// Those that are late can be looked at alone, on the board and in the list; who gets on
// is gone from the board at once, and who becomes late by the clock comes to it.
func TestLateOrdersAreFiltered(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *config.Config) { c.Limits[domain.StateAccepted] = config.Duration(time.Millisecond) })
	s.ordatic("order-accepted", "store-7", "o-1")
	s.ordatic("order-in-kitchen", "store-7", "o-2")
	s.ordatic("order-picked-up", "store-7", "o-3")
	p := open(t, s.url()+"#/orders?late=true")
	p.shows("tbody .late", "late by")
	p.shows("tbody .expected", "In kitchen")
	require.Equal(t, 1, value[int](p, `document.querySelectorAll('tbody tr').length`))
	p.hash("#/board?late=true")
	p.shows(`[data-column="accepted"] .card`, "o-1")
	require.Equal(t, 1, value[int](p, `document.querySelectorAll('.card').length`))
	s.ordatic("order-in-kitchen", "store-7", "o-1")
	p.shows("h2", "No order matches")
	p.later(31)
	p.await(`document.querySelectorAll('[data-column="in-kitchen"] .late').length === 2`)
	p.click(".card")
	p.shows(".facts", "Expected next")
	p.shows(".head .expected", "expected: Ready")
}
