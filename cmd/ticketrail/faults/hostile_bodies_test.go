package faults_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"strings"
)

// hostileBody is an authentic webhook with a hostile content: it gets its 200, and
// what is wrong with it is told of the webhook or of its order.
type hostileBody struct {
	name, source, body string
	// id is the webhook's id where the provider sends it beside the body, and head
	// are headers that go with it.
	id, head string
	// cause is why it is set aside, and where; or key is its order's key, and
	// anomalies are the codes of what is odd about that.
	cause     string
	key       string
	anomalies []string
}

// served is a webhook of Ordatic about an order.
func served(order string) string {
	return `{"eventType":"order-served","storeId":"h","data":{"orderId":"` + order + `"}}`
}

func proofOf(order string, content []byte) string {
	return fmt.Sprintf(`{"eventType":"rider-proof-delivery","storeId":"h","data":{"orderId":%q,"proofDelivery":%q}}`,
		order, base64.StdEncoding.EncodeToString(content))
}

// pixelBomb is a picture of a few bytes that says it has 60,000 pixels each way: one
// that is decoded takes 14 gigabytes.
func pixelBomb() []byte {
	var text bytes.Buffer
	_ = png.Encode(&text, image.NewGray(image.Rect(0, 0, 1, 1))) // a bytes.Buffer takes everything
	bomb := text.Bytes()
	header := bomb[12:29] // behind the magic number and the length: its name and what it says
	binary.BigEndian.PutUint32(header[4:], 60_000)
	binary.BigEndian.PutUint32(header[8:], 60_000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(header))
	return bomb
}

// hostileBodies are those that a parser could choke on.
func hostileBodies() []hostileBody {
	const closed = `{"type":"order_updated","payload":{"id":"%s","status":"paid",%s}}`
	const runa = `{"id":"%s","status":"COMPLETED",%s}`
	levels := strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000)
	long := strings.Repeat(canary, 1250) // 10,000 bytes and a few
	return []hostileBody{
		{name: "a name twice", source: "ivy", body: fmt.Sprintf(closed, canary, `"a":1,"a":2`), cause: "malformed-json"},
		{name: "a name twice, escaped", source: "runa", id: "msg_twice", body: `{"id":"` + canary + `","i\u0064":"x","status":"COMPLETED"}`, cause: "malformed-json"},
		{name: "invalid UTF-8", source: "ordatic", body: served(canary + "\xff\xfe"), cause: "malformed-json"},
		{name: "a lone surrogate", source: "ordatic", body: served(canary + `\ud83d`), cause: "malformed-json"},
		{name: "9,000 levels", source: "ivy", body: `{"type":"order_updated","payload":` + levels + `}`, cause: "nested-too-deeply"},
		{name: "an id of 5 KB", source: "ordatic", body: served(long[:5<<10]), cause: "order-key-unusable /data/orderId"},
		{name: "an id of 10,000 characters", source: "runa", id: "msg_long", body: fmt.Sprintf(runa, long, `"a":1`), cause: "order-key-unusable /id"},
		{name: "an id with CR and LF", source: "ordatic", body: served(canary + `\r\nPUB x 1`), cause: "order-key-unusable /data/orderId"},
		{name: "an id with a NUL", source: "ordatic", body: served(canary + `\u0000`), cause: "order-key-unusable /data/orderId"},
		{name: "an id that is a number", source: "ivy", body: `{"type":"order_updated","payload":{"id":1e400,"status":"paid"}}`, cause: "wrong-type /payload/id"},
		{name: "too many elements", source: "ivy", body: fmt.Sprintf(closed, canary, `"refunds":[`+strings.TrimSuffix(strings.Repeat(`{"id":"r"},`, 2000), ",")+`]`), cause: "too-many-elements /payload/refunds"},
		{name: "an endless status", source: "runa", id: "msg_status", body: `{"id":"` + canary + `","status":"` + long + `"}`, cause: "too-long /status"},

		{name: "an id that is a wildcard", source: "ordatic", body: served("*"), key: "h:*"},
		{name: "an id that is every subject", source: "ordatic", body: served(">"), key: "h:>"},
		{name: "an id of dots", source: "ordatic", body: served(".."), key: "h:.."},
		{name: "an id that is a path", source: "ordatic", body: served("../../" + canary), key: "h:../../" + canary},
		{name: "an id that is a page", source: "ordatic", body: served(`\"><img src=x onerror=alert(1)>` + canary), key: `h:"><img src=x onerror=alert(1)>` + canary},
		{name: "an id that turns the line", source: "ordatic", body: served(`\u202e` + canary + `\u202c`), key: "h:\u202e" + canary + "\u202c"},
		{name: "an id that is a query", source: "ordatic", body: served(`'; DROP TABLE orders; --` + canary), key: "h:'; DROP TABLE orders; --" + canary},
		{name: "an event nobody knows", source: "ordatic", body: `{"eventType":"order-` + canary + `","storeId":"h","data":{"orderId":"` + canary + `event"}}`, key: "h:" + canary + "event", anomalies: []string{"unknown-event"}},
		{name: "a number of 1,000 digits", source: "runa", id: "msg_digits", body: fmt.Sprintf(runa, canary+"digits", `"total_price":`+strings.Repeat("9", 1000)), key: canary + "digits", anomalies: []string{"unreadable-value"}},
		{name: "a number beyond all", source: "runa", id: "msg_huge", body: fmt.Sprintf(runa, canary+"huge", `"total_price":1e400`), key: canary + "huge", anomalies: []string{"unreadable-value"}},
		{name: "a time beyond all", source: "runa", id: "msg_time", body: fmt.Sprintf(runa, canary+"time", `"created_at":99999999999999999999`), key: canary + "time", anomalies: []string{"unreadable-value"}},
		{name: "a status nobody knows", source: "runa", id: "msg_unknown", body: `{"id":"` + canary + `unknown","status":"` + canary + `"}`, key: canary + "unknown", anomalies: []string{"unknown-status"}},
		{name: "other capitals", source: "ivy", body: fmt.Sprintf(closed, canary+"case", `"ID":"x","STATUS":"canceled"`), key: canary + "case"},
		{name: "a webhook id of 5 KB", source: "runa", id: long[:5<<10], body: fmt.Sprintf(runa, canary+"id", `"a":1`), key: canary + "id"},
		{name: "a webhook id that is every subject", source: "runa", id: ">", body: fmt.Sprintf(runa, canary+"gt", `"a":2`), key: canary + "gt"},
		{name: "headers that steer the broker", source: "ordatic", body: served(canary + "nats"), key: "h:" + canary + "nats",
			head: "Nats-Rollup: all\r\nNats-Msg-Id: " + canary + "\r\nNats-Expected-Last-Sequence: 1\r\nNats-TTL: 1s\r\nNats-Expected-Stream: " + canary + "\r\n"},
		{name: "a content type of its own", source: "ordatic", body: served(canary + "type"), key: "h:" + canary + "type", head: "X-Content-Type: text/html; charset=\"" + canary + "\"\r\n"},
		{name: "a proof that is a page", source: "ordatic", body: proofOf(canary+"page", []byte("\x89PNG\r\n\x1a\n<script>alert('"+canary+"')</script>")), key: "h:" + canary + "page", anomalies: []string{"proof-not-a-picture"}},
		{name: "a proof that is a drawing with a script", source: "ordatic", body: proofOf(canary+"svg", []byte(`<svg onload="alert('`+canary+`')"/>`)), key: "h:" + canary + "svg", anomalies: []string{"proof-not-a-picture"}},
		{name: "a picture of 3,600,000,000 pixels", source: "ordatic", body: proofOf(canary+"pixels", pixelBomb()), key: "h:" + canary + "pixels"},
		{name: "a proof that is no base64", source: "ordatic", body: `{"eventType":"rider-proof-delivery","storeId":"h","data":{"orderId":"` + canary + `raw","proofDelivery":"<` + canary + `>"}}`, key: "h:" + canary + "raw", anomalies: []string{"proof-not-base64"}},
	}
}
