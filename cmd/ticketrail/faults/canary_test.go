package faults_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// planted are what nobody may find where orders are not read: what is personal, as it
// stands in an order, and what a stranger calls a secret.
var planted = []string{
	"Åsa Kanariefågel", "asa.kanarie@example.org", "SE4550000000058398257466", "19121212-1212", "+46 70 174 06 05",
	"Fågelvägen", "whsec_a2FuYXJpZWbDpWdlbA", "kanarie-token", "kanarie-signatur", "kanarie-id",
}

// person is an object with all of it.
func person() string {
	return fmt.Sprintf(`{"name":%q,"email":%q,"iban":%q,"ssn":%q,"phone":%q,"street":"Fågelvägen 3"}`,
		planted[0], planted[1], planted[2], planted[3], planted[4])
}

// panicPatches make the program panic with a sender's text, at each place where one
// is worked on: in the receiver, in the projector, and in the API.
var panicPatches = []patch{{
	"ingest/webhook.go",
	"	identity, err := s.admit(w.Header(), request)\n",
	"	if (fault.On(\"panics\") || fault.On(\"panic-told\")) && len(request.Body)%10 == 7 {\n		panic(string(request.Body))\n	}\n" +
		"	identity, err := s.admit(w.Header(), request)\n",
}, {
	"ingest/webhook.go",
	"		*err = fmt.Errorf(\"taking it panicked",
	"		if fault.On(\"panic-told\") {\n			*err = fmt.Errorf(\"taking it panicked: %v\", cause)\n			return\n		}\n" +
		"		*err = fmt.Errorf(\"taking it panicked",
}, {
	"domain/provider/set.go",
	"	return p.Translate(w)\n",
	"	if fault.On(\"panics\") && len(w.Body)%10 == 8 {\n		panic(string(w.Body))\n	}\n	return p.Translate(w)\n",
}, {
	"api/timeline.go",
	"	scope := fmt.Sprintf(\"timeline %q %q\", in.Source, in.Key)\n",
	"	if fault.On(\"panics\") {\n		panic(in.Key)\n	}\n	scope := fmt.Sprintf(\"timeline %q %q\", in.Source, in.Key)\n",
}}

// padTo gives a body with so much behind its end that its length ends in a digit.
func padTo(body string, digit int) string {
	for len(body)%10 != digit {
		body += " "
	}
	return body
}

// What is personal and what is secret appears nowhere but where orders are read,
// whatever is done with it: neither where the program panics with it in its hands,
// nor where it is made to crash.
func TestNothingPersonalIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bug  string
		told bool
	}{{"panics", false}, {"body-logged", true}, {"panic-told", true}} {
		t.Run(c.bug, func(t *testing.T) {
			t.Parallel()
			traces := collectTraces(t)
			b := besiege(t, seededBinary, bugVariable+"="+c.bug, "TICKETRAIL_LIMITS={accepted: 1ms}", "TICKETRAIL_ORDERS_PUBLISH=true",
				"TICKETRAIL_TRACES_ENDPOINT="+traces.URL, "TICKETRAIL_TRACES_FOLLOW_SENDERS=true")
			b.confide(t, c.bug)
			require.True(t, await(patience, func() bool { // the watcher looks, and traces are sent, every few seconds
				return strings.Contains(traces.text(), "project webhook") &&
					strings.Contains(b.page(t, b.api+"/metrics"), `ticketrail_alerts_published_total{kind="late"} 1`)
			}))
			told := b.tells(t, append(b.secrets(), planted...))
			require.Empty(t, holds(traces.text(), append(b.secrets(), planted...)))
			require.Contains(t, b.logged.String(), "orders are late")
			if c.told {
				results.broken("a sender's text: "+c.bug, violations(checkSilent, told))
				require.NotEmpty(t, told, "the control was not caught")
				return
			}
			results.clean("personal data and secrets in traffic", violations(checkSilent, told))
			require.Empty(t, told)
		})
	}
}

func violations(check string, told []string) (found []violation) {
	for _, what := range told {
		found = append(found, violation{check, what})
	}
	return found
}

// confide tells the program everything, in every place of a request, and in some that
// it refuses.
func (b *besieged) confide(t *testing.T, bug string) {
	t.Helper()
	ivy, runa, ordatic := sourceOf(t, b.sources, "ivy"), sourceOf(t, b.sources, "runa"), sourceOf(t, b.sources, "ordatic")
	about := person()
	taken := padTo(`{"id":"kanarie-id","status":"COMPLETED","description":"Åsa Kanariefågel","customer":`+about+`}`, 1)
	require.Equal(t, "200", b.post(t, runa, "kanarie-id", taken, "Cookie: kanarie-token\r\ntraceparent: kanarie-token\r\ntracestate: k=kanarie-token\r\n").String())
	late := padTo(`{"eventType":"order-accepted","storeId":"kanarie-id","data":{"orderId":"kanarie-id"}}`, 1)
	traced := "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\ntracestate: k=kanarie-token\r\n"
	require.Equal(t, "200", b.post(t, ordatic, "", late, traced).String())
	unreadable := padTo(`{"type":"order_updated","payload":{"id":["kanarie-id"],"shopper":`+about+`}}`, 1)
	require.Equal(t, "200", b.post(t, ivy, "", unreadable, "").String())
	if bug != "body-logged" {
		panics := padTo(taken, 7)
		require.Equal(t, "503 stream-unavailable", b.post(t, runa, "kanarie-id", panics, "").String())
	}
	if bug == "panics" {
		answer := b.post(t, ordatic, "", padTo(served("kanarie-id"), 8), "")
		require.Equal(t, "internal-defect", b.causeOf(t, answer.StreamSequence))
		answer, err := b.rawly(t.Context(), "GET", "/v1/orders/runa/kanarie-id/timeline")
		require.NoError(t, err)
		require.Equal(t, "500 internal-defect", answer.String())
	}
	knocks := "POST /webhooks/%s HTTP/1.1\r\nHost: localhost\r\n"
	for _, text := range []string{
		with(fmt.Sprintf(knocks, "ivy?token=kanarie-token")+"X-Ivy-Signature: kanarie-signatur\r\n", about),
		with(fmt.Sprintf(knocks, "ordatic")+"Authorization: Bearer kanarie-token\r\n", about),
		with(fmt.Sprintf(knocks, "payway?token=kanarie-token")+"Authorization: Basic kanarie-token\r\n", about),
		with(fmt.Sprintf(knocks, "runa")+"Svix-Id: kanarie-id\r\nSvix-Timestamp: 1\r\nSvix-Signature: v1,kanarie-signatur\r\n", about),
		with(fmt.Sprintf(knocks, "whsec_a2FuYXJpZWbDpWdlbA"), about),
		with(fmt.Sprintf(knocks, "ordatic")+"asa.kanarie@example.org: x\r\nX: SE4550000000058398257466\x01\r\n", about),
		"GET /webhooks/19121212-1212 kanarie-token\r\n\r\n",
	} {
		b.refuses(t, b.ingest, text)
	}
	for _, text := range []string{
		"GET /v1/orders?q=asa.kanarie@example.org&limit=kanarie-token HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + b.token + "\r\n\r\n",
		"GET /v1/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer kanarie-token\r\n\r\n",
		"GET /v1/orders?token=kanarie-token HTTP/1.1\r\nHost: kanarie-token\r\n\r\n",
		"GET /SE4550000000058398257466/kanarie-id HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + b.token + "\r\n\r\n",
		"POST /v1/orders/runa/kanarie-id/kanarie-token HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + b.token + "\r\n\r\n",
		"GET /v1/changes HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: kanarie-id\r\nAuthorization: Bearer " + b.token + "\r\n\r\n",
		"GET /v1/arrivals?source=kanarie-token&limit=kanarie-id HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + b.token + "\r\n\r\n",
		"POST /v1/rebuilds/SE4550000000058398257466/cancel HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer " + b.token + "\r\n\r\n",
	} {
		b.refuses(t, b.api, text)
	}
	// And this it still works on when it ends.
	for range 8 {
		conn, err := dial(b.ingest)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, signedHead(t, ordatic, "", "")+"X: kanarie-token\r\nContent-Length: 1000\r\n\r\n"+about)
		require.NoError(t, err)
	}
}

// traces is a collector of traces.
type traces struct {
	*httptest.Server
	mu   sync.Mutex
	sent strings.Builder
}

func collectTraces(t *testing.T) *traces {
	t.Helper()
	c := &traces{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, _ = io.Copy(&c.sent, r.Body)
	}))
	t.Cleanup(c.Close)
	return c
}

// text gives what was sent.
func (c *traces) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent.String()
}

// refuses sends what must be refused, in words that are not the sender's.
func (b *besieged) refuses(t *testing.T, address, text string) {
	t.Helper()
	conn, err := dial(address)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	answers := listen(conn, "", 1)
	require.Len(t, answers, 1)
	require.Equal(t, 4, answers[0].status/100, text)
	require.Empty(t, holds(fmt.Sprint(answers[0].header)+answers[0].body, append(b.secrets(), planted...)))
}

// tells gives what a program tells of some words where it speaks to others than those
// who may read orders: its metrics, probes, doctor and audit log, and all that it
// prints and logs until it is made to crash and to say what it was doing.
func (b *besieged) tells(t *testing.T, words []string) (told []string) {
	t.Helper()
	texts := []string{b.runs(t, "doctor")}
	for _, address := range []string{b.api + "/metrics", b.api + "/readyz", b.ingest + "/readyz", b.api + "/v1/projection", b.api + "/v1/sources"} {
		texts = append(texts, b.page(t, address))
	}
	audit, err := os.ReadFile(filepath.Join(b.data, "audit.jsonl"))
	require.NoError(t, err)
	require.NoError(t, b.command.Process.Signal(syscall.SIGQUIT))
	<-b.ended
	log := b.logged.String()
	require.Contains(t, log, "goroutine ", "it says what it was doing")
	for _, text := range append(texts, string(audit), log, b.printed.String()) {
		if line := holds(text, words); line != "" {
			told = append(told, line)
		}
	}
	if strings.Contains(log, "connection to the NATS server") {
		told = append(told, "it was without its broker for a while")
	}
	return told
}

// holds gives the first line of a text that holds one of some words.
func holds(text string, words []string) string {
	for line := range strings.Lines(text) {
		for _, word := range words {
			if strings.Contains(line, word) {
				return line
			}
		}
	}
	return ""
}

// secrets are those of the sources, and the API's token.
func (b *besieged) secrets() []string {
	all := []string{b.token}
	for _, source := range b.sources {
		for _, secret := range source.Secrets {
			all = append(all, strings.TrimPrefix(secret.Reveal(), "Bearer "))
		}
	}
	return all
}

// runs gives what a command says about the program's data folder.
func (b *besieged) runs(t *testing.T, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), plainBinary, append(arguments, "--data", b.data, "--config", b.config)...)
	command.Env = append(command.Environ(), tokenVariable+"="+b.token)
	text, err := command.CombinedOutput()
	require.NoError(t, err, "%s", text)
	return string(text)
}

// page gives what is at an address.
func (b *besieged) page(t *testing.T, address string) string {
	t.Helper()
	response, err := b.client.Get(address)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}
