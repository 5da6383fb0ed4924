package dashboard_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

// shop is a running ticketrail, and the providers that send to it.
type shop struct {
	t        testing.TB
	settings *config.Config
	version  string
	app      *app.App
}

func newShop(t testing.TB, change ...func(*config.Config)) *shop {
	t.Helper()
	settings := config.Default()
	settings.Data = filepath.Join(t.TempDir(), "data")
	settings.Ingest.Listen, settings.API.Listen = "127.0.0.1:0", "127.0.0.1:0"
	for _, c := range change {
		c(settings)
	}
	s := &shop{t: t, settings: settings, version: "test"}
	t.Cleanup(func() { s.stop() })
	s.start()
	return s
}

// start starts it, the next time at the same addresses.
func (s *shop) start() {
	s.t.Helper()
	running, err := app.Start(s.t.Context(), s.settings, app.Options{Version: s.version, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(s.t, err)
	s.app = running
	s.settings.API.Listen, s.settings.Ingest.Listen = host(running.Addresses().API), host(running.Addresses().Ingest)
}

func (s *shop) stop() { require.NoError(s.t, s.app.Stop()) }

// url is where the dashboard is.
func (s *shop) url() string { return s.app.Addresses().API + "/" }

func host(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		panic(err) // the program made it
	}
	return parsed.Host
}

// send sends a webhook, signed as its provider does it.
func (s *shop) send(name, id string, body []byte) {
	s.t.Helper()
	adapter, _ := provider.Named(name)
	sources, _ := s.app.Sources()
	for i, source := range sources {
		if source.Provider == name {
			from := &sender.Sender{
				Client: http.DefaultClient, URL: s.app.Addresses().Sources[i].URL, Provider: adapter, Secret: source.Secrets[0].Reveal(),
			}
			answer, err := from.Send(s.t.Context(), id, body)
			require.NoError(s.t, err)
			require.True(s.t, answer.OK(), answer.Problem)
		}
	}
}

// ordatic sends an event of an order of Ordatic, whose key is then store:order.
func (s *shop) ordatic(event, store, order string) {
	s.t.Helper()
	s.send("ordatic", "", fmt.Appendf(nil, `{"eventType":%q,"storeId":%s,"data":{"orderId":%s}}`, event, quote(store), quote(order)))
}

// proof sends a picture, 4 by 4, that proves the delivery of an order of Ordatic.
func (s *shop) proof(store, order string) {
	s.t.Helper()
	var picture bytes.Buffer
	require.NoError(s.t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 4, 4))))
	s.send("ordatic", "", fmt.Appendf(nil, `{"eventType":"rider-proof-delivery","storeId":%s,"data":{"orderId":%s,"proofDelivery":%q}}`,
		quote(store), quote(order), base64.StdEncoding.EncodeToString(picture.Bytes())))
}

// setAside sends a request with a wrong secret, and a webhook that cannot be read.
func (s *shop) setAside() {
	s.t.Helper()
	s.refused("ordatic", `{"eventType":"order-accepted","storeId":"store-7","data":{"orderId":"o-9"}}`)
	s.send("ordatic", "", []byte(`{"eventType":"order-accepted","storeId":"store-7","data":{}}`))
}

// refused posts a body that nobody signed.
func (s *shop) refused(source, body string) {
	s.t.Helper()
	response, err := http.Post(s.app.Addresses().Ingest+"/webhooks/"+source, "application/json", strings.NewReader(body))
	require.NoError(s.t, err)
	require.NoError(s.t, response.Body.Close())
	require.Equal(s.t, http.StatusUnauthorized, response.StatusCode)
}

// compare has the read model compared with another one that is made of the stream.
func (s *shop) compare() {
	s.t.Helper()
	response, err := http.Post(s.app.Addresses().API+"/v1/rebuilds", "application/json", strings.NewReader(`{"plan":true}`))
	require.NoError(s.t, err)
	require.NoError(s.t, response.Body.Close())
	require.Equal(s.t, http.StatusAccepted, response.StatusCode)
}

// story sends what can happen to one order of each kind, and gives the place of the one
// to which the most did: late and repeated webhooks, a problem, a refund, a picture.
func (s *shop) story() string {
	s.t.Helper()
	for _, event := range []string{"order-in-kitchen", "order-accepted", "rider-created", "order-ready-to-pick-up", "rider-error", "rider-picking", "rider-delivering"} {
		s.ordatic(event, "store-7", "o-1")
	}
	s.proof("store-7", "o-1")
	s.send("ordatic", "", []byte(`{"eventType":"rider-refund","storeId":"store-7","data":{"orderId":"o-1","refund":{"id":"rf-1","date":"2026-03-01T12:30:00Z","totalRiderRefund":450,"reason":"COLD"}}}`))
	s.ordatic("rider-completed", "store-7", "o-1")
	s.ordatic("order-canceled", "store-7", "o-1")
	return "#/order/ordatic/store-7%3Ao-1"
}

// day sends the webhooks of so many orders of each provider. Of every other order the
// last ones are held back, so that it goes on.
func (s *shop) day(orders int) {
	s.t.Helper()
	simulator := simulate.New(3)
	for n := range orders {
		for _, adapter := range provider.All() {
			webhooks := simulator.Order(adapter.Name(), n, time.Now().Add(-time.Hour))
			if n%2 == 0 && len(webhooks) > 1 {
				webhooks = webhooks[:1+n/2%(len(webhooks)-1)]
			}
			for _, webhook := range webhooks {
				s.send(adapter.Name(), webhook.ID, webhook.Body)
			}
		}
	}
}
