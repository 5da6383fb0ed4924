package faults_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
)

// hostileRequest is what a stranger, or a sender gone mad, puts on the wire, and the
// answers that it gets: status and code, in their order.
type hostileRequest struct {
	name string
	text string
	want []string
	// endless is sent after text, again and again, until nobody takes it.
	endless string
	// last is set where the connection must end with the last answer, whatever was sent
	// behind.
	last bool
	// silent sends no more, and tells so: the connection is closed to that side.
	silent bool
}

const (
	// knock begins a webhook that nobody has signed, and enter one that Ordatic signs,
	// whose whole signature is a token in the head; AUTH stands for it.
	knock = "POST /webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\n"
	enter = knock + "AUTH\r\n"
	small = `{"eventType":"order-served","storeId":"` + canary + `s","data":{"orderId":"` + canary + `o"}}`
)

// with gives a whole request of a head and a body of announced length.
func with(head, body string) string {
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// chunked gives a whole request whose body comes in the chunks that the text has.
func chunked(head, chunks string) string {
	return head + "Transfer-Encoding: chunked\r\n\r\n" + chunks
}

func zipped(size int) string {
	var text bytes.Buffer
	w := gzip.NewWriter(&text)
	_, _ = w.Write(bytes.Repeat([]byte(" "), size)) // a bytes.Buffer takes everything
	_ = w.Close()
	return text.String()
}

// hostileRequests are those about HTTP itself. What is in the answers of the first
// group net/http says; the receiver never sees these requests.
func hostileRequests() []hostileRequest {
	long := strings.Repeat(canary, 8<<10)
	return []hostileRequest{
		{name: "64 KB of one header", text: knock + "X-Long: " + long + "\r\n\r\n", want: []string{"431"}},
		{name: "64 KB of many headers", text: knock + strings.Repeat("X-Many: "+canary+"\r\n", 4<<10) + "\r\n", want: []string{"431"}},
		{name: "a request line of 64 KB", text: "POST /webhooks/" + long + " HTTP/1.1\r\n\r\n", want: []string{"431"}},
		{name: "a head without end", text: knock, endless: "X-Endless: " + canary + "\r\n", want: []string{"431"}},
		{name: "no host", text: "POST /webhooks/ordatic HTTP/1.1\r\n\r\n", want: []string{"400"}},
		{name: "two hosts", text: with(knock+"Host: "+canary+"\r\n", small), want: []string{"400"}},
		{name: "a host of odd characters", text: "POST /webhooks/ordatic HTTP/1.1\r\nHost: " + canary + "\x01\r\n\r\n", want: []string{"400"}},
		{name: "a header with a NUL", text: with(knock+"X-Nul: "+canary+"\x00\r\n", small), want: []string{"400"}},
		{name: "a header's name with a space behind", text: with(knock+canary+" : 1\r\n", small), want: []string{"400"}},
		{name: "a header's name with a line break", text: with(knock+canary+"\n: 1\r\n", small), want: []string{"400"}},
		{name: "a carriage return alone", text: with(knock+"X-Bare: "+canary+"\rX: 1\r\n", small), want: []string{"400"}},
		{name: "no HTTP at all", text: canary + "\r\n\r\n", want: []string{"400"}},
		{name: "HTTP/0.9", text: "GET /" + canary + "\r\n\r\n", want: []string{"400"}},
		{name: "HTTP/3.0", text: "POST /webhooks/ordatic HTTP/3.0\r\nHost: localhost\r\n\r\n", want: []string{"505"}},
		{name: "TLS on a plain port", text: "\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + strings.Repeat("\x00", 200) + "\r\n\r\n", want: []string{"400"}},
		{name: "two lengths", text: knock + "Content-Length: 3\r\nContent-Length: 300\r\n\r\n" + small, want: []string{"400"}},
		{name: "a length below zero", text: knock + "Content-Length: -1\r\n\r\n" + small, want: []string{"400"}},
		{name: "a length in hexadecimal", text: knock + "Content-Length: 0x10\r\n\r\n" + small, want: []string{"400"}},
		{name: "a length beyond all numbers", text: knock + "Content-Length: 99999999999999999999\r\n\r\n" + small, want: []string{"400"}},
		{name: "an unknown transfer encoding", text: knock + "Transfer-Encoding: x" + canary + "\r\n\r\n" + small, want: []string{"501"}},
		{name: "two transfer encodings", text: knock + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", want: []string{"501"}},
		{name: "a malformed escape in the path", text: "POST /webhooks/%zz" + canary + " HTTP/1.1\r\nHost: localhost\r\n\r\n", want: []string{"400"}},
		{name: "something else is expected", text: with(enter+"Expect: "+canary+"\r\n", small), want: []string{"417"}},

		{name: "three at once", text: strings.Repeat(with(enter, small), 3), want: []string{"200", "200", "200"}},
		{name: "one who says no more, and waits", text: with(enter, small), silent: true, last: true, want: []string{"200"}},
		{name: "HTTP/1.0", text: strings.Replace(with(enter, small), "1.1", "1.0", 1), last: true, want: []string{"200"}},
		{name: "chunks of a byte", text: chunked(enter, "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), last: true, want: []string{"200"}},
		{name: "a sender who waits to go on", text: with(enter+"Expect: 100-continue\r\n", small), want: []string{"100", "200"}},
		{name: "an address with a host", text: strings.Replace(with(enter, small), "/webhooks", "http://"+canary+"/webhooks", 1), want: []string{"200"}},
		{name: "a folded header", text: with(enter+"X-Folded: "+canary+"\r\n "+canary+"\r\n", small), want: []string{"200"}},

		{name: "a length and chunks", text: chunked(enter+"Content-Length: 4\r\n", "0\r\n\r\n") + with(enter, small), last: true, want: []string{"400 not-json"}},
		{name: "a request in a request", text: with(enter, with(enter, small)), want: []string{"400 not-json"}},
		{name: "a chunk of no number", text: chunked(enter, canary+"\r\n"+small+"\r\n0\r\n\r\n"), want: []string{"400 body-incomplete"}},
		{name: "a chunk larger than all numbers", text: chunked(enter, "fffffffffffffffff\r\n"+small+"\r\n0\r\n\r\n"), want: []string{"400 body-incomplete"}},
		{name: "a chunk longer than it says", text: chunked(enter, "2\r\n"+small+"\r\n0\r\n\r\n"), want: []string{"400 body-incomplete"}},
		{name: "a chunk without end", text: chunked(enter, "ffff\r\n"+small), silent: true, want: []string{"400 body-incomplete"}},
		{name: "chunks with long extensions", text: chunked(enter, strings.Repeat("1;"+strings.Repeat("x", 2000)+"\r\n \r\n", 100)), want: []string{"400 body-incomplete"}},
		{name: "a trailer that signs", text: knock + "Trailer: Authorization\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAUTH\r\n\r\n", want: []string{"401 credential-missing"}},
		{name: "a body over the limit", text: enter + "Content-Length: 4194305\r\n\r\n", want: []string{"413 body-too-large"}},
		{name: "a body of 9 exabytes", text: enter + "Content-Length: 9223372036854775807\r\n\r\n", want: []string{"413 body-too-large"}},
		{name: "chunks without end", text: chunked(enter, ""), endless: "4000\r\n" + strings.Repeat(" ", 0x4000) + "\r\n", want: []string{"413 body-too-large"}},
		{name: "a body that breaks off", text: enter + "Content-Length: 1000\r\n\r\n" + small, silent: true, want: []string{"400 body-incomplete"}},
		{name: "gzip", text: with(enter+"Content-Encoding: gzip\r\n", zipped(100)), want: []string{"415 content-encoding"}},
		{name: "gzip behind identity", text: with(enter+"Content-Encoding: identity, gzip\r\n", zipped(100)), want: []string{"415 content-encoding"}},
		{name: "a gzip bomb", text: with(enter+"Content-Encoding: gzip\r\n", zipped(20<<20)), want: []string{"415 content-encoding"}},
		{name: "gzip that is not called so", text: with(enter, zipped(100)), want: []string{"400 not-json"}},
		{name: "no body", text: with(enter, ""), want: []string{"400 not-json"}},
		{name: "a byte order mark", text: with(enter, "\ufeff"+small), want: []string{"400 not-json"}},
		{name: "UTF-16", text: with(enter, "{\x00}\x00"), want: []string{"400 not-json"}},
		{name: "NUL bytes", text: with(enter, small+"\x00"), want: []string{"400 not-json"}},
		{name: "two objects", text: with(enter, small+small), want: []string{"400 not-json"}},
		{name: "100,000 levels", text: with(enter, strings.Repeat(`{"a":`, 100_000)+"1"+strings.Repeat("}", 100_000)), want: []string{"400 not-json"}},
		{name: "a list", text: with(enter, "["+small+"]"), want: []string{"400 not-an-object"}},
		{name: "null", text: with(enter, "null"), want: []string{"400 not-an-object"}},

		{name: "no signature", text: with(knock, small), want: []string{"401 credential-missing"}},
		{name: "a wrong signature", text: with(knock+"Authorization: Bearer "+canary+"\r\n", small), want: []string{"401 credential-wrong"}},
		{name: "two signatures", text: with(enter+"Authorization: "+canary+"\r\n", small), want: []string{"401 credential-repeated"}},
		{name: "a giant signature", text: with(knock+"Authorization: "+long[:12<<10]+"\r\n", small), want: []string{"401 credential-wrong"}},
		{name: "a giant hexadecimal signature", text: with("POST /webhooks/ivy HTTP/1.1\r\nHost: localhost\r\nX-Ivy-Signature: "+strings.Repeat("ab", 5<<10)+"\r\n", small), want: []string{"401 credential-unfit"}},
		{name: "a thousand signatures in one", text: with("POST /webhooks/runa HTTP/1.1\r\nHost: localhost\r\nWebhook-Id: "+canary+"\r\nWebhook-Timestamp: TIME\r\nWebhook-Signature: "+strings.Repeat("v1,AAAA ", 1000)+"\r\n", small), want: []string{"401 credential-unfit"}},
		{name: "two tokens in the query", text: with("POST /webhooks/payway?token="+canary+"&token="+canary+" HTTP/1.1\r\nHost: localhost\r\n", small), want: []string{"401 credential-repeated"}},

		{name: "steps up in the path", text: with("POST /webhooks/../webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\nAUTH\r\n", small), want: []string{"404 unknown-source"}},
		{name: "escaped slashes", text: with("POST /webhooks/x%2f..%2fordatic HTTP/1.1\r\nHost: localhost\r\nAUTH\r\n", small), want: []string{"404 unknown-source"}},
		{name: "two slashes", text: with("POST //webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\nAUTH\r\n", small), want: []string{"404 unknown-path"}},
		{name: "a slash behind", text: with("POST /webhooks/ordatic/ HTTP/1.1\r\nHost: localhost\r\nAUTH\r\n", small), want: []string{"404 unknown-source"}},
		{name: "capitals", text: with("POST /WEBHOOKS/ordatic HTTP/1.1\r\nHost: localhost\r\nAUTH\r\n", small), want: []string{"404 unknown-path"}},
		{name: "a NUL in the path", text: with("POST /webhooks/ordatic%00 HTTP/1.1\r\nHost: localhost\r\nAUTH\r\n", small), want: []string{"404 unknown-source"}},
		{name: "a source like a wildcard", text: with("POST /webhooks/> HTTP/1.1\r\nHost: localhost\r\nAUTH\r\n", small), want: []string{"404 unknown-source"}},
		{name: "a source of 5 KB", text: with("POST /webhooks/"+long[:5<<10]+" HTTP/1.1\r\nHost: localhost\r\nAUTH\r\n", small), want: []string{"404 unknown-source"}},
		{name: "an address that is not ours", text: with("POST http://"+canary+"/webhooks/nobody HTTP/1.1\r\nHost: localhost\r\nAUTH\r\n", small), want: []string{"404 unknown-source"}},
		{name: "the preface of HTTP/2", text: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", silent: true, want: []string{"404 unknown-path"}},
		{name: "an upgrade to HTTP/2", text: with(knock+"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", small), want: []string{"401 credential-missing"}},
		{name: "GET", text: "GET /webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\n\r\n", want: []string{"405 method-not-allowed"}},
		{name: "HEAD", text: "HEAD /webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\n\r\n", want: []string{"405"}},
		{name: "OPTIONS", text: "OPTIONS /webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\nOrigin: https://" + canary + "\r\n\r\n", want: []string{"405 method-not-allowed"}},
		{name: "OPTIONS of everything", text: "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", want: []string{"404 unknown-path"}},
		{name: "TRACE", text: "TRACE /webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\nX-Echo: " + canary + "\r\n\r\n", want: []string{"405 method-not-allowed"}},
		{name: "CONNECT", text: "CONNECT " + canary + ":443 HTTP/1.1\r\nHost: " + canary + ":443\r\n\r\n", want: []string{"404 unknown-path"}},
		{name: "a method of one's own", text: with("STEAL /webhooks/ordatic HTTP/1.1\r\nHost: localhost\r\nAUTH\r\n", small), want: []string{"405 method-not-allowed"}},
		{name: "a stranger who waits to go on, and does not", text: knock + "Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n", silent: true, want: []string{"100", "401 credential-missing"}},
		{name: "a sender who waits to send too much", text: enter + "Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n", want: []string{"413 body-too-large"}},
	}
}
