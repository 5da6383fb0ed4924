package ingest_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/ingest"
)

// A receiver with one source, on an embedded stream.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "ticketrail")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	embedded, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{Dir: dir, MaxBody: ingest.DefaultMaxBody})
	if err != nil {
		log.Fatal(err)
	}
	defer embedded.Close()
	stream, err := eventlog.Open(context.Background(), embedded.Conn(), eventlog.Config{Embedded: true, Dir: dir})
	if err != nil {
		log.Fatal(err)
	}

	handler, err := ingest.New(stream, ingest.Config{Sources: []ingest.Source{
		{Name: "kiosk", Provider: provider.Ordatic{}, Secrets: []string{"Bearer open-sesame"}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()

	request, err := http.NewRequest(http.MethodPost, server.URL+"/webhooks/kiosk", strings.NewReader(`{"eventType":"order-accepted"}`))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer open-sesame")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.StatusCode, string(answer))
	// Output: 200 {"stream_sequence":1,"duplicate":false}
}
