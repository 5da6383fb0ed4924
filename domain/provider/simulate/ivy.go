package simulate

import (
	"fmt"
	"maps"
	"time"
)

// ivyTime is how Ivy writes times.
const ivyTime = "2006-01-02T15:04:05.000Z"

// ivyOrder is a purchase that is paid from a bank account.
type ivyOrder struct {
	*history
	fixed    object // what stays the same in every webhook
	order    string
	currency string
	total    money
	created  time.Time

	status   string
	statuses []object // every status so far, as the webhooks carry them
	refunds  []object
	refunded money
	// classified is why the payment did not come about; nil while it may.
	classified object
}

// ivyStory is a purchase. In direct mode nothing follows the customer's consent;
// in settlement mode the money comes to Ivy, and may go back from there.
func ivyStory(h *history) {
	o := newIvyOrder(h)
	o.move("processing", "ORDER_CREATED")
	o.tell("order_created")
	h.wait(20*time.Second, 4*time.Minute)
	switch {
	case h.chance(10):
		o.classified = object{"primary": "payment_abandoned", "secondary": "cancelled"}
		o.update("canceled", "CHECKOUT_SESSION_ABORTED")
	case o.fixed["paymentMode"] == "direct":
		o.update("waiting_for_payment", "PIS_PAYMENT_INITIATED")
	default:
		o.settle()
	}
}

func newIvyOrder(h *history) *ivyOrder {
	o := &ivyOrder{history: h, order: h.hex(24), currency: pick(h.dice, "EUR", "SEK", "PLN"), created: h.now}
	buyer, shop := h.person(), h.IntN(len(shopNames))
	var items []object
	for range h.between(1, 4) {
		price := h.price(5, 60)
		o.total += price
		items = append(items, o.item(price))
	}
	o.fixed = object{
		"id":                   o.order,
		"referenceId":          "order-" + h.digits(8),
		"displayId":            h.letters(8, crockford),
		"merchantId":           fmt.Sprintf("5eed%020d", shop),
		"appId":                fmt.Sprintf("a99%021d", shop),
		"shopName":             shopNames[shop],
		"applicationFeeAmount": 0,
		"price":                object{"total": o.total.number(), "subTotal": o.total.number(), "shipping": 0, "currency": o.currency},
		"lineItems":            items,
		"billingAddress":       buyer.ivyAddress(),
		"shippingAddress":      buyer.ivyAddress(),
		"shopper":              object{"email": buyer.mail, "phoneNumber": buyer.phone},
		"payerFinancialAddress": object{"type": "iban", "iban": object{
			"accountHolderName": buyer.first + " " + buyer.last, "iban": h.iban(), "bic": "XXXXDE00",
		}},
		"paymentMode":          pick(h.dice, "direct", "settlement", "settlement"),
		"paymentMethodType":    "customer_balance",
		"instantPaymentScheme": true,
		"guest":                h.chance(50),
		"metadata":             object{},
		"createdAt":            o.created.Format(ivyTime),
	}
	return o
}

func (o *ivyOrder) item(price money) object {
	return object{
		"name":      pick(o.dice, dishes...),
		"singleNet": (price - price/5).number(),
		"singleVat": (price / 5).number(),
		"amount":    price.number(),
		"quantity":  1,
		"category":  "5812",
	}
}

func (p person) ivyAddress() object {
	return object{"firstName": p.first, "lastName": p.last, "line1": p.street, "city": p.city, "zipCode": p.zip, "country": "SE"}
}

// settle waits for the money, and then for whoever wants it back.
func (o *ivyOrder) settle() {
	o.perhaps("waiting_for_payment", "PIS_PAYMENT_INITIATED")
	o.wait(2*time.Second, 3*time.Hour)
	if o.chance(4) {
		o.classified = object{"primary": "payment_execution_failed", "secondary": "payment_not_settled"}
		o.update("failed", "PAYMENT_NOT_SETTLED")
		return
	}
	if o.chance(20) {
		o.perhaps("finalizing", "ORDER_FINALIZATION_STARTED")
		o.wait(3*time.Minute, 20*time.Hour)
	}
	o.update("paid", "PAYMENT_SUCCEEDED")
	switch throw := o.IntN(100); {
	case throw < 12:
		o.payBack(o.total)
	case throw < 20:
		o.payBack(o.total / 4)
		o.payBack(o.total / 2)
	case throw < 23:
		o.wait(24*time.Hour, 20*24*time.Hour)
		o.update("in_dispute", "DISPUTE")
		o.wait(24*time.Hour, 9*24*time.Hour)
		o.update(pick(o.dice, "disputed", "paid"), "DISPUTE")
	}
}

// payBack refunds a sum; one refund in twenty fails. Subscribers of refunds hear
// of the refund itself. The others hear it as statuses of the order, the last of
// them under one of Ivy's older events.
func (o *ivyOrder) payBack(amount money) {
	tellsRefunds := o.chance(50)
	o.wait(time.Hour, 5*24*time.Hour)
	refund := o.beginRefund(amount)
	if tellsRefunds {
		o.tellRefund(refund, "initiated")
	}
	o.perhaps("in_refund", "ORDER_REFUND_INITIATED")
	o.wait(2*time.Second, 40*time.Hour)

	ending := "succeeded"
	if o.chance(5) {
		ending = "failed"
	}
	o.endRefund(refund, ending, amount)
	if !tellsRefunds {
		o.tell("refund_" + ending)
		return
	}
	o.tell("order_updated")
	o.wait(0, time.Second)
	o.tellRefund(refund, ending)
}

// beginRefund adds a refund to the order.
func (o *ivyOrder) beginRefund(amount money) object {
	at := o.now.Format(ivyTime)
	refund := object{
		"id": o.hex(24), "referenceId": "refund-" + o.digits(8), "amount": amount.number(), "status": "pending",
		"description": "Ångrat köp", "createdAt": at, "updatedAt": at,
	}
	o.refunds = append(o.refunds, refund)
	return refund
}

// endRefund gives the refund its last status, and the order the one that follows.
func (o *ivyOrder) endRefund(refund object, ending string, amount money) {
	refund["status"], refund["updatedAt"] = ending, o.now.Format(ivyTime)
	if ending == "failed" {
		o.move("refund_failed", "REFUND_UPDATED")
		return
	}
	o.refunded += amount
	if o.refunded == o.total {
		o.move("refunded", "ORDER_REFUNDED")
		return
	}
	o.move("partially_refunded", "ORDER_REFUNDED")
}

// move gives the order another status, which its history keeps.
func (o *ivyOrder) move(status, reason string) {
	at := o.now.Format(ivyTime)
	entry := object{"currentStatus": status, "reason": reason, "createdAt": at, "updatedAt": at}
	if o.status != "" {
		entry["previousStatus"] = o.status
	}
	o.status = status
	o.statuses = append(o.statuses, entry)
}

// update moves the order and tells of it.
func (o *ivyOrder) update(status, reason string) {
	o.move(status, reason)
	o.tell("order_updated")
}

// perhaps moves the order, and tells of it as often as not: Ivy may skip a status.
func (o *ivyOrder) perhaps(status, reason string) {
	o.move(status, reason)
	if o.chance(50) {
		o.tell("order_updated")
	}
}

// tell sends the whole order as it stands.
func (o *ivyOrder) tell(event string) {
	payload := object{
		"status":            o.status,
		"statusHistoryList": o.statuses,
		"refunds":           o.refunds,
		"refundAmount":      o.refunded.number(),
		"updatedAt":         o.now.Format(ivyTime),
	}
	maps.Copy(payload, o.fixed)
	if o.classified != nil {
		payload["statusClassification"] = o.classified
	}
	o.wrap(event, event, payload)
}

// tellRefund sends the refund alone, in the event and the words of such webhooks,
// which are not those that the order has for it.
func (o *ivyOrder) tellRefund(refund object, status string) {
	o.wrap("refund."+status, "refund-"+status, object{
		"id": refund["id"], "amount": refund["amount"], "currency": o.currency, "status": status, "orderId": o.order,
	})
}

// wrap sends a payload in Ivy's envelope; token is what the stream calls the event.
func (o *ivyOrder) wrap(event, token string, payload object) {
	id := o.hex(24)
	o.send(token, id, object{"id": id, "type": event, "date": o.now.Format(ivyTime), "payload": payload})
}
