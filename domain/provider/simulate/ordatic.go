package simulate

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"time"
)

// ordaticOrder is an order of a restaurant.
type ordaticOrder struct {
	*history
	store, order string
	ready        bool // the kitchen has said so
}

// ordaticStory is a meal: fetched, served at the table, or brought by a rider.
// One in twelve is canceled before it is cooked.
func ordaticStory(h *history) {
	o := &ordaticOrder{history: h, store: fmt.Sprintf("store-%02d", h.between(1, 12)), order: h.hex(16)}
	o.tell("order-accepted")
	h.wait(20*time.Second, 4*time.Minute)
	if h.chance(8) {
		o.tell("order-canceled")
		return
	}
	o.tell("order-in-kitchen")
	switch throw := h.IntN(10); {
	case throw < 2:
		h.wait(8*time.Minute, 30*time.Minute)
		o.tell("order-picked-up")
	case throw < 4:
		h.wait(8*time.Minute, 40*time.Minute)
		o.tell("order-served")
	default:
		o.deliver()
	}
}

// deliver sends a rider, and another one where the first has trouble. A meal that
// neither brings is paid back and canceled.
func (o *ordaticOrder) deliver() {
	delivered := o.ride()
	if !delivered {
		delivered = o.ride()
	}
	if !delivered {
		o.wait(5*time.Minute, 20*time.Minute)
		o.tell("order-canceled")
		o.wait(time.Hour, 48*time.Hour)
		o.refund()
		return
	}
	if o.chance(40) {
		o.wait(time.Second, 10*time.Second)
		o.send("rider-proof-delivery", "", o.body("rider-proof-delivery", object{"proofDelivery": o.picture()}))
	}
	if o.chance(4) {
		o.wait(time.Hour, 48*time.Hour)
		o.refund()
	}
}

// ride tells of one rider, who may be booked while the kitchen still cooks, and
// gives whether the meal came.
func (o *ordaticOrder) ride() (delivered bool) {
	o.wait(time.Minute, 6*time.Minute)
	o.tell("rider-created")
	o.wait(30*time.Second, 3*time.Minute)
	o.tell("rider-picking")
	if !o.ready {
		o.wait(3*time.Minute, 15*time.Minute)
		o.tell("order-ready-to-pick-up")
		o.ready = true
	}
	o.wait(time.Minute, 8*time.Minute)
	if o.chance(6) {
		o.tell("rider-error")
		return false
	}
	o.tell("rider-delivering")
	o.wait(4*time.Minute, 25*time.Minute)
	if o.chance(6) {
		o.tell("rider-error")
		return false
	}
	o.tell("rider-completed")
	return true
}

// tell sends an event that says nothing but itself.
func (o *ordaticOrder) tell(event string) { o.send(event, "", o.body(event, object{})) }

// body puts what an event says of the order into the form of all of them.
func (o *ordaticOrder) body(event string, data object) object {
	data["orderId"] = o.order
	return object{"eventType": event, "storeId": o.store, "data": data}
}

// refund tells what the rider's service pays back: the price of the dishes and
// its own fee, in cents.
func (o *ordaticOrder) refund() {
	var items []object
	var meal money
	for range o.between(1, 3) {
		dish, price := pick(o.dice, dishes...), o.price(7, 24)
		meal += price
		items = append(items, object{
			"reason": "ITEM_NOT_DELIVERED", "riderAmount": 0, "partnerAmount": int(price), "partyAtFault": "RIDER",
			"items": []object{{"name": dish, "qty": 1}},
		})
	}
	fee := o.price(2, 6)
	o.send("rider-refund", "", o.body("rider-refund", object{"refund": object{
		"id":                 o.hex(24),
		"date":               o.now.Format("2006-01-02T15:04:05.000Z"),
		"totalRiderRefund":   int(meal + fee),
		"totalPartnerRefund": int(meal),
		"reason":             "ORDER_NOT_DELIVERED",
		"refundItems":        items,
		"refundFees":         []object{{"name": "DELIVERY_FEE", "amount": int(fee), "code": "DELIVERY_FEE"}},
	}}))
}

// picture gives a small PNG in base64: grain over a doorway, as a rider's camera
// sees it at night. Riders' real pictures are larger.
func (o *ordaticOrder) picture() string {
	side := o.between(24, 64)
	photo := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			light := 40 + 120*y/side
			if door := side / 3; x > door && x < 2*door {
				light /= 2
			}
			photo.SetGray(x, y, color.Gray{Y: uint8(light + o.IntN(48))})
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, photo); err != nil {
		panic(err) // a buffer takes everything, and the picture is never empty
	}
	return base64.StdEncoding.EncodeToString(file.Bytes())
}
