package faults_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// besieged is a program that gets what nobody in their right mind sends.
type besieged struct {
	*program
	data, config, token string
	sources             []config.Source
	footprint           footprint // before
	taken               uint64    // how many webhooks it says it has
}

// tokenVariable names what an API asks for.
const tokenVariable = "TICKETRAIL_API_TOKEN"

// rateOfOne is the rate of one source, which a crowd is far above.
const rateOfOne = 5

// besiege starts one, whose API asks for a token. It logs all that it ever logs.
func besiege(t *testing.T, binary string, environment ...string) *besieged {
	t.Helper()
	made, file := sources(t)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	limited := strings.Replace(string(text), "name: payway,", fmt.Sprintf("name: payway, rate: %d,", rateOfOne), 1)
	require.NoError(t, os.WriteFile(file, []byte(limited), 0o600))
	b := &besieged{data: filepath.Join(t.TempDir(), "data"), config: file, sources: made, token: "ticketrail_" + rand.Text()}
	environment = append(environment, "TICKETRAIL_LOG_LEVEL=debug", tokenVariable+"="+b.token)
	p, err := start(t, binary, file, b.data, environment...)
	require.NoError(t, err)
	b.program = p
	p.client.Transport = bearer{b.token, p.client.Transport}
	b.footprint = b.measure(t)
	return b
}

// bearer shows a token with every request.
type bearer struct {
	token string
	http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.RoundTripper.RoundTrip(r)
}

// Whatever comes, it gets the answer that is written down for it, and the program is
// the same as before.
func TestHostileInput(t *testing.T) {
	t.Parallel()
	b := besiege(t, plainBinary)
	for _, r := range hostileRequests() {
		require.NoError(t, b.defies(t, r))
	}
	for _, body := range hostileBodies() {
		b.takes(t, body)
	}
	b.reads(t)
	b.endures(t)
	var projection api.Projection
	require.NoError(t, b.get(t.Context(), "/v1/projection", &projection))
	require.Equal(t, b.taken, projection.Stream.Last, "what was refused is not there, and what was taken is there once")
	told := b.tells(t, append(b.secrets(), canary))
	results.clean("hostile input", violations(checkSilent, told))
	require.Empty(t, told)
}

// defies sends a request, and tells where the answers are others than are expected.
func (b *besieged) defies(t testing.TB, r hostileRequest) error {
	conn, err := dial(b.ingest)
	if err != nil {
		return err
	}
	defer conn.Close()
	go func() {
		text := b.fill(t, r.text)
		_, err := io.WriteString(conn, text)
		for err == nil && r.endless != "" {
			_, err = io.WriteString(conn, r.endless)
		}
		if r.silent {
			_ = conn.CloseWrite() // who has been cut off already is silent too
		}
	}()
	method, _, _ := strings.Cut(r.text, " ")
	most := len(r.want)
	if r.last {
		most++
	}
	var got []string
	for _, answer := range listen(conn, method, most) {
		b.count(answer)
		got = append(got, answer.String())
		if told := holds(answer.String()+fmt.Sprint(answer.header)+answer.body, append(b.secrets(), canary)); told != "" {
			return fmt.Errorf("%s: the answer repeats what was sent: %s", r.name, told)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(r.want) {
		return fmt.Errorf("%s: answered with %q, and should be with %q", r.name, got, r.want)
	}
	return nil
}

// fill puts in what only a running program has.
func (b *besieged) fill(t testing.TB, text string) string {
	return strings.NewReplacer(
		"AUTH", "Authorization: "+sourceOf(t, b.sources, "ordatic").Secrets[0].Reveal(),
		"TIME", fmt.Sprint(time.Now().Unix()),
	).Replace(text)
}

// takes requires that a hostile body gets its 200, and becomes what it should.
func (b *besieged) takes(t *testing.T, h hostileBody) {
	t.Helper()
	answer := b.post(t, sourceOf(t, b.sources, h.source), h.id, h.body, h.head)
	require.Equal(t, "200", answer.String(), "%s %s", h.name, answer.body)
	ctx := context.Background()
	if h.cause != "" {
		assert.Equal(t, h.cause, b.causeOf(t, answer.StreamSequence), h.name)
		return
	}
	var order api.Order
	path := fmt.Sprintf("%s?min_stream_sequence=%d", api.PathOfOrder(h.source, h.key), answer.StreamSequence)
	require.NoError(t, b.get(ctx, path, &order), h.name)
	require.Equal(t, h.key, order.Key, h.name)
	var anomalies []string
	for _, a := range order.Anomalies {
		anomalies = append(anomalies, a.Code)
	}
	assert.Equal(t, h.anomalies, anomalies, h.name)
}

// post sends an authentic webhook and gives the answer.
func (b *besieged) post(t *testing.T, source config.Source, id, body, head string) said {
	t.Helper()
	conn, err := dial(b.ingest)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, with(signedHead(t, source, id, body)+head, body))
	require.NoError(t, err)
	answers := listen(conn, "POST", 1)
	require.Len(t, answers, 1)
	b.count(answers[0])
	return answers[0]
}

// count keeps count of the webhooks that were taken.
func (b *besieged) count(answer said) {
	if answer.StreamSequence > 0 {
		b.taken++
	}
}

// causeOf gives why a webhook was set aside, once the read model has come to it.
func (b *besieged) causeOf(t *testing.T, n uint64) (cause string) {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, b.get(ctx, fmt.Sprintf("/v1/orders?limit=1&min_stream_sequence=%d", n), new(api.OrderList)))
	var entry api.QuarantineEntry
	if err := b.get(ctx, fmt.Sprintf("/v1/quarantine/w-%d", n), &entry); err != nil {
		return err.Error()
	}
	cause = entry.Cause
	if entry.Where != nil {
		cause += " " + *entry.Where
	}
	return cause
}

// hostileReads are requests to the API, and their answers.
var hostileReads = []struct{ method, path, want string }{
	{"GET", "/v1/orders?cursor=" + canary, "400 invalid-cursor"},
	{"GET", "/v1/orders?limit=" + canary, "400 invalid-parameter"},
	{"GET", "/v1/orders?limit=99999999999999999999", "400 invalid-parameter"},
	{"GET", "/v1/orders?q=" + canary + "%00", "400 invalid-parameter"},
	{"GET", "/v1/orders?q=%zz" + canary, "400 invalid-parameter"},
	{"GET", "/v1/orders?q=a;b=" + canary, "400 invalid-parameter"},
	{"GET", "/v1/orders?state=" + canary, "400 invalid-parameter"},
	{"GET", "/v1/orders?at=" + canary, "400 invalid-parameter"},
	{"GET", "/v1/orders?min_stream_sequence=-1", "400 invalid-parameter"},
	{"GET", "/v1/orders/ordatic/" + canary + "/../../webhooks/1", "404 path-not-found"},
	{"GET", "/v1/orders/ordatic/" + canary + "nobody", "404 order-not-found"},
	{"GET", "/v1/orders/ordatic/%2e%2e%2f" + canary, "404 order-not-found"},
	{"GET", "/v1/orders/ordatic/%00" + canary, "404 order-not-found"},
	{"GET", "/v1/webhooks/" + canary, "400 invalid-parameter"},
	{"GET", "/v1/webhooks/18446744073709551616", "400 invalid-parameter"},
	{"GET", "/v1/webhooks/18446744073709551615", "404 webhook-not-found"},
	{"GET", "/v1/quarantine/" + canary, "400 invalid-parameter"},
	{"GET", "/v1/quarantine?cause=" + canary, "400 invalid-parameter"},
	{"GET", "/" + canary, "404 path-not-found"},
	{"TRACE", "/v1/orders", "405 method-not-allowed"},
	{"POST", "/v1/orders/ordatic/" + canary + "nobody/rebuild", "400 invalid-parameter"},
	{"GET", "/v1/quarantine?source=" + canary, "400 invalid-parameter"},
	{"DELETE", "/v1/rebuilds/" + canary, "400 invalid-parameter"},
}

// reads requires of the API what is written down for it; that answers of it that are
// no success repeat nothing; and that what senders wrote comes as data alone.
func (b *besieged) reads(t *testing.T) {
	t.Helper()
	for _, r := range hostileReads {
		answer, err := b.rawly(context.Background(), r.method, r.path)
		require.NoError(t, err, r.path)
		assert.Equal(t, r.want, answer.String(), r.path)
		assert.Empty(t, holds(answer.body, append(b.secrets(), canary)), "%s: %s", r.path, answer.body)
	}
	list, err := b.rawly(context.Background(), "GET", "/v1/orders?limit=200")
	require.NoError(t, err)
	require.Contains(t, list.body, canary)
	shown := b.runs(t, "orders", "list", "--limit", "200")
	require.Contains(t, shown, canary)
	require.NotContains(t, shown, "\u202e", "no line is turned")
}

// endures requires that a program is what it was before: the same process, ready, of
// its former size, connected to its broker, and taking webhooks.
func (b *besieged) endures(t *testing.T) {
	t.Helper()
	require.False(t, b.gone())
	b.page(t, b.ingest+"/readyz")
	b.page(t, b.api+"/readyz")
	answer := b.post(t, sourceOf(t, b.sources, "runa"), "msg_ordinary", `{"id":"ordinary","status":"FAILED"}`, "")
	require.Equal(t, "200", answer.String())
	b.footprint.require(t, b.program)
}
