package api_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// written are the requests in the documents: addresses of the API, as after curl, and reads
// that are named whole, without a place to fill in.
var written = []*regexp.Regexp{
	regexp.MustCompile(`(?:localhost|127\.0\.0\.1):8081(/[^\s'")]*)`),
	regexp.MustCompile("`GET (/[^`{|…]*)`"),
}

// grafana fills in what Grafana does.
var grafana = strings.NewReplacer("${__from}", "1772366400000", "${__to}", "1772373600000", "$__interval", "1m")

// Who copies a request from the documents gets an answer.
func TestRequestsInTheDocumentsAreAnswered(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	l.apply("ordatic", "ordatic", accepted("string:string"))
	l.quarantine("runa", domain.CauseKeyMissing, "/id")
	c := l.serve(func(c *api.Config) {
		workshop := newWorkshop(l)
		c.Rebuilds, c.Snapshots, c.Arrivals, c.Gatherer = workshop, workshop, new(api.Arrivals), prometheus.NewRegistry()
	})
	documents, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	runbooks, err := filepath.Glob("../docs/runbooks/*.md")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, document := range append(append(documents, runbooks...), "../README.md") {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, pattern := range written {
			for _, request := range pattern.FindAllStringSubmatch(string(text), -1) {
				answer := c.get(grafana.Replace(request[1]))
				require.Equal(t, http.StatusOK, answer.Status, "%s: %s: %s", document, request[1], answer.Body)
				found[request[1]] = true
			}
		}
	}
	require.Contains(t, found, "/v1/orders/ordatic/string:string")
	require.Contains(t, found, "/v1/changes?state=rider-delivering")
	require.Greater(t, len(found), 10)
}
