package dashboard_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// hostile is what a sender may put into any text.
const hostile = `<img src=x onerror="document.title='owned'">'"&amp;</script>` + "\u202e${7*7}"

// Whatever a sender writes is text: on the board, in the list, on the order, in its
// webhook and in the address.
func TestHostileTextIsText(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ordatic("order-accepted", hostile, "a/b?c#d%41 .."+hostile)
	p := open(t, s.url())
	shown := quote(hostile)
	p.await(`document.querySelector('.card').textContent.includes(` + shown + `)`)
	p.click(".card")
	p.await(`document.querySelector('h1').textContent.includes(` + shown + `)`)
	p.click(`.timeline [data-item]`)
	p.await(`document.querySelector('dialog pre').textContent.includes(` + quote("onerror=") + `)`)
	p.press("\u001b")
	p.await(`document.querySelector('dialog') === null`)
	p.click(`.tabs a:nth-child(2)`)
	p.shows(".timeline", "fulfillment")
	p.click(`.tabs a:nth-child(3)`)
	p.shows("pre", "onerror=")
	p.hash("#/orders")
	p.await(`document.querySelector('tbody th').textContent.includes(` + shown + `)`)
	require.Equal(t, 0, value[int](p, `document.querySelectorAll('main img, main script:not([src])').length`))
	require.NotEqual(t, "owned", value[string](p, "document.title"))
}

// One goes back in the life of an order, and sees what was different.
func TestTimeTravel(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, event := range []string{"order-accepted", "order-in-kitchen", "rider-error", "order-picked-up"} {
		s.ordatic(event, "store-7", "o-1")
	}
	p := open(t, s.url()+"#/order/ordatic/store-7%3Ao-1?at=2")
	p.shows(".travel", "as it was after webhook 2")
	p.await(`document.querySelector('.node.here').dataset.state === 'in-kitchen'`)
	p.shows(".differences", "statein-kitchencompleted")
	p.await(`document.querySelectorAll('.timeline .later').length === 2`)
	p.click(`.travel [aria-label="One webhook earlier"]`)
	p.await(`location.hash.endsWith('?at=1')`)
	p.await(`document.querySelector('.node.here').dataset.state === 'accepted'`)
	p.click(`.travel .note button`)
	p.await(`document.querySelector('.node.here').dataset.state === 'completed'`)
	p.await(`document.querySelector('.differences') === null`)

	p.hash("#/order/ordatic/store-7%3Ao-1?at=2000-01-01T00:00:00Z") // before there was anything
	p.expect("404 (Not Found)")
	p.shows("[role=alert]", "order")
	p.await(`document.querySelectorAll('.timeline .later').length === 4`)
}

// A proof of delivery is shown as the picture that it is, with the token that it needs.
func TestProofOfDeliveryIsShown(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.proof("store-7", "o-1")
	p := open(t, s.url()+"#/orders")
	p.click("tbody a")
	p.shows(".proofs figcaption", "image/png")
	p.await(`document.querySelector('.proofs img').naturalWidth === 4`)
	p.await(`document.querySelector('.proofs img').src.startsWith('blob:')`)
}

// The list is searched, filtered, sorted and paged, and all of it is in the address.
func TestTheListIsInTheAddress(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for n := range 51 {
		s.ordatic("order-accepted", "store-7", string(rune('a'+n/26))+string(rune('a'+n%26)))
	}
	p := open(t, s.url()+"#/orders?sort=created")
	p.await(`document.querySelectorAll('tbody tr').length === 50`)
	p.shows("tbody tr:first-child", "store-7:aa")
	p.click(".pages button:last-of-type")
	p.shows("tbody tr:first-child", "store-7:by")
	p.await(`location.hash.includes('cursor=') && location.hash.includes('page=2')`)
	p.click(`.chip[data-state="ready"]`)
	p.shows("h2", "No order matches")
	p.await(`location.hash === '#/orders?sort=created&state=ready'`)
	p.hash("#/orders?q=7:AZ")
	p.await(`document.querySelectorAll('tbody tr').length === 1`)
	s.ordatic("order-in-kitchen", "store-7", "az")
	p.shows(".note", "1 order changed since this was read")
	p.click(".note button")
	p.shows("tbody .state", "In kitchen")
}
