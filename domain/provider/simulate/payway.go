package simulate

import (
	"maps"
	"math/big"
	"time"
)

// The times of Payway come in several forms, some in the zone of the shop.
const (
	paywayTime      = "2006-01-02T15:04:05-07:00"
	paywayTimestamp = "2006-01-02T15:04:05.000Z"
)

// paywayInvoice is the way to pay whose money comes later.
const paywayInvoice = "invoice"

var paywayZone = time.FixedZone("", 3600)

// paywayOrder is the purchase of a newspaper subscription.
type paywayOrder struct {
	*history
	account, order, product, receipt string // ids
	number                           string // of the order, for people
	title                            string // of the product
	option                           string // how it is paid
	buyer                            person
	price                            money
	created                          time.Time
	payments                         []object
}

// paywayStory is a subscription: the order is closed at once, and payments go on
// appearing on it. The money of an invoice comes later.
func paywayStory(h *history) {
	o := newPaywayOrder(h)
	if h.chance(30) {
		h.send("new_account_registered", "", o.envelope("new_account_registered", object{"account": o.accountEntity()}))
	}
	h.wait(time.Second, 3*time.Minute)
	o.pay(o.firstState())
	h.wait(300*time.Millisecond, 2*time.Second)
	o.tell("order_closed")
	if o.option == paywayInvoice {
		h.wait(3*24*time.Hour, 25*24*time.Hour)
		o.settle(o.payments[0], "closed")
		o.tell("offline_payment_paid")
	}
	if h.chance(25) {
		o.renew()
	}
}

func newPaywayOrder(h *history) *paywayOrder {
	return &paywayOrder{
		history: h,
		account: h.hex(24),
		order:   h.hex(24),
		product: h.hex(24),
		receipt: h.hex(24),
		number:  "KVB-" + h.digits(7),
		buyer:   h.person(),
		title:   pick(h.dice, products...),
		price:   pick(h.dice, money(3200), money(9900), money(12900), money(4950)),
		option:  pick(h.dice, "klarna_payments", "payex_creditcard", "swish", paywayInvoice),
		created: h.now,
	}
}

// firstState is the state of the payment with which the order is closed.
func (o *paywayOrder) firstState() string {
	if o.option == paywayInvoice {
		return "pending"
	}
	return "closed"
}

// renew pays for another month, or tries to.
func (o *paywayOrder) renew() {
	o.wait(30*24*time.Hour, 31*24*time.Hour)
	o.pay(pick(o.dice, "closed", "closed", "closed", "failed"))
	o.tell("changed_subscription_renewal_date")
}

// pay adds a payment to the order.
func (o *paywayOrder) pay(state string) {
	payment := object{
		"id":                 o.hex(24),
		"product_id":         o.product,
		"product_title_code": "KVB",
		"user_product_id":    "",
		"type":               "normal",
		"amount":             o.price.String(),
		"vat_amount":         (o.price * 6 / 106).String(),
		"transaction_number": o.letters(8, crockford),
		"created":            o.local(),
	}
	o.settle(payment, state)
	o.payments = append(o.payments, payment)
}

// settle gives a payment its state.
func (o *paywayOrder) settle(payment object, state string) {
	payment["state"], payment["updated"] = state, o.local()
	payment["error_code"] = ""
	if state == "failed" {
		payment["error_code"] = "insufficient_funds"
	}
}

// paywayTokens has the events that are on Payway's list of names; every other one
// is "other" to the stream.
var paywayTokens = map[string]string{
	"order_closed":                      "order_closed",
	"changed_subscription_renewal_date": "changed_subscription_renewal_date",
	"offline_payment_paid":              "other",
}

// tell sends the order with all that belongs to it.
func (o *paywayOrder) tell(event string) {
	o.send(paywayTokens[event], "", o.envelope(event, object{
		"account":      o.accountEntity(),
		"order":        o.orderEntity(),
		"receipt":      o.receiptEntity(),
		"user_product": o.subscriptionEntity(),
	}))
}

// envelope puts the entities beside those that the event does not touch.
func (o *paywayOrder) envelope(event string, entities object) object {
	payload := object{
		"account": object{}, "order": object{}, "payment": object{}, "receipt": object{},
		"share": object{}, "user_product": object{}, "new_user_product": object{}, "gift": object{},
		"product": object{}, "payment_retry": object{}, "event_data": object{}, "payment_about_to_expire": object{},
	}
	maps.Copy(payload, entities)
	return object{"event": event, "timestamp": o.now.Format(paywayTimestamp), "payload": payload}
}

func (o *paywayOrder) accountEntity() object {
	return object{
		"id":              o.account,
		"organisation_id": "kvb",
		"first_name":      o.buyer.first,
		"last_name":       o.buyer.last,
		"contact_email":   o.buyer.mail,
		"mobile_number":   nil,
		"alias":           "",
		"customer_number": nil,
		"birth_date":      "",
		"ssn":             "",
		"company_name":    "",
		"status":          "active",
		"verified":        false,
		"created":         o.created.In(paywayZone).Format(paywayTime),
		"updated":         o.local(),
		"address":         o.addressEntity(),
	}
}

func (o *paywayOrder) addressEntity() object {
	return object{
		"first_name": o.buyer.first, "last_name": o.buyer.last, "street": o.buyer.street, "street_number": "3",
		"staircase": "", "floor": "", "apartment_number": "", "zip_code": o.buyer.zip, "city": o.buyer.city,
		"mobile_number": nil, "phone_number": "", "email": "", "country_code": "SE",
	}
}

func (o *paywayOrder) orderEntity() object {
	return object{
		"id":                 o.order,
		"organisation_id":    "kvb",
		"account_id":         o.account,
		"order_id":           o.number,
		"payment_option":     o.option,
		"purchase_type":      "recurring",
		"masked_credit_card": "",
		"state":              "closed",
		"total_price":        o.price.String(),
		"total_vat_cost":     (o.price * 6 / 106).String(),
		"total_discount":     "0.00",
		"traffic_source":     "paywall",
		"parent_order":       "",
		"delivery_address":   o.addressEntity(),
		"details": []object{{
			"product_id": o.product, "product_name": o.title, "product_code": "KVB", "vat_code": 6,
			"description": o.title + " (prenumeration, 1 månad)", "price": o.price.oneDecimal(),
			"period": object{"type": "month", "length": 1}, "is_campaign": false,
		}},
		"payments":           o.payments,
		"created":            o.created.In(paywayZone).Format(paywayTime),
		"updated":            o.local(),
		"subscription_start": nil,
		"limited_campaign":   false,
	}
}

func (o *paywayOrder) receiptEntity() object {
	return object{
		"id":              o.receipt,
		"organisation_id": "kvb",
		"created_at":      o.created.In(paywayZone).Format("2006-01-02T15:04:05.000-07:00"),
		"paid_at":         o.created.Format(paywayTime),
		"company_name":    "Kvällsbladet i Norrlunda AB",
		"order_id":        o.number,
		"articles":        []object{{"name": o.title, "type": "subscription", "amount": o.price.oneDecimal(), "numbers": ""}},
		"sum":             o.price.oneDecimal(),
		"vat_specifications": []object{{
			// Payway divides without rounding, and keeps 27 decimals of it.
			"vat_amount":     big.NewRat(int64(o.price)*6, 10600).FloatString(27),
			"net_amount":     big.NewRat(int64(o.price)*100, 10600).FloatString(27),
			"gross_amount":   o.price.oneDecimal(),
			"vat_percentage": "6",
		}},
		"payment_method": o.option,
	}
}

func (o *paywayOrder) subscriptionEntity() object {
	return object{
		"order_id":          o.order,
		"product_id":        o.product,
		"name":              o.title,
		"valid_from":        o.local(),
		"valid_to":          o.now.AddDate(0, 1, 0).In(paywayZone).Format(paywayTime),
		"state":             "activated",
		"is_recurring":      true,
		"cancellation_date": "",
		"grace_period_to":   "",
	}
}

// local gives now as the shop's clock shows it, without a fraction.
func (o *paywayOrder) local() string { return o.now.In(paywayZone).Format(paywayTime) }
