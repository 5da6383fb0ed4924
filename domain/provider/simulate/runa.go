package simulate

import "time"

// The alphabets of Runa's ids: orders have ULIDs, and Svix's message ids are
// base 62.
const (
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// runaStory is a gift card: one webhook says whether it could be issued. Now and
// then news of a product come to the same endpoint.
func runaStory(h *history) {
	order := "O-01J" + h.letters(23, crockford)
	created := h.now
	if h.chance(5) {
		h.wait(0, time.Minute)
		h.send("product-update", h.message(), h.product())
	}
	h.wait(400*time.Millisecond, 90*time.Second)
	if h.chance(6) {
		h.send("order-completion", h.message(), object{"id": order, "status": "FAILED"})
		return
	}
	h.send("order-completion", h.message(), h.giftCard(order, created))
}

// message gives a Svix message id.
func (h *history) message() string { return "msg_" + h.letters(27, base62) }

func (h *history) giftCard(order string, created time.Time) object {
	currency := pick(h.dice, "EUR", "GBP", "SEK", "USD", "JPY")
	price, discount := pick(h.dice, "10", "19.03", "50.00", "25.0", "100"), pick(h.dice, "0", "0.03", "1.0")
	if currency == "JPY" { // has no hundredths
		price, discount = pick(h.dice, "500", "3000"), "0"
	}
	body := object{
		"id":             order,
		"status":         "COMPLETED",
		"created_at":     created.Format("2006-01-02T15:04:05Z"),
		"completed_at":   h.now.Format(pick(h.dice, "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05.000000+00:00")),
		"payment_method": object{"type": "ACCOUNT_BALANCE", "currency": currency},
		"currency":       currency,
		"total_price":    price,
		"total_discount": discount,
	}
	switch h.IntN(3) { // a text, null, or not there at all
	case 0:
		body["description"] = "Gift for " + pick(h.dice, firstNames...)
	case 1:
		body["description"] = nil
	}
	return body
}

// product gives a body that is about no order. Its time has no zone, as in Runa's
// own example.
func (h *history) product() object {
	return object{
		"product_code": "SHOP" + h.digits(3) + "-SE",
		"old_state":    "LIVE",
		"new_state":    "PAUSED",
		"timestamp":    h.now.Format("2006-01-02T15:04:05.000000"),
	}
}
