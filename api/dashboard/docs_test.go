package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api/dashboard"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// The page of the documentation shows every operation, where a token is wanted too, and
// asks nothing of any other host. That its policy holds and no exception is thrown, each
// tab requires.
func TestTheDocumentationIsShownByThisServerAlone(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *config.Config) { c.API.Token = token })
	p := open(t, s.url()+"docs")
	p.shows("h1", "ticketrail")
	p.shows("body", "List orders")
	p.shows("body", "/v1/orders/{source}/{key}/timeline")
	require.Contains(t, p.requests(), s.url()+"openapi.json")
	for _, url := range p.requests() {
		local := strings.HasPrefix(url, s.url()) || strings.HasPrefix(url, "data:") || strings.HasPrefix(url, "blob:")
		require.True(t, local, url)
	}
}

// The policy lets no script run but the files of this server, makes none of text, and lets
// the page talk to nobody else.
func TestThePolicyOfTheDocumentationIsStrict(t *testing.T) {
	t.Parallel()
	answer := get(t, dashboard.New("v1"), "/docs")
	require.Equal(t, http.StatusOK, answer.Status)
	policy := answer.Header.Get("Content-Security-Policy")
	for _, demanded := range []string{"default-src 'none';", "script-src 'self';", "connect-src 'self';", "base-uri 'none';", "form-action 'none';", "frame-ancestors 'none'"} {
		require.Contains(t, policy, demanded)
	}
	require.NotContains(t, policy, "unsafe-eval")
	require.NotRegexp(t, `<script[^>]*>[^<]|<style|\son\w+=|\sstyle=`, answer.Body)
}

// The script of the documentation is embedded compressed, and is the same for who does not
// take gzip.
func TestWhatIsEmbeddedCompressedIsAlsoServedPlain(t *testing.T) {
	t.Parallel()
	d := dashboard.New("v1")
	path := ""
	for _, link := range links.FindAllStringSubmatch(get(t, d, "/docs").Body, -1) {
		if strings.HasSuffix(link[1], "lib/scalar.js") {
			path = link[1]
		}
	}
	packed, plain := get(t, d, path, "Accept-Encoding: gzip"), get(t, d, path)
	require.Equal(t, "text/javascript; charset=utf-8", packed.Header.Get("Content-Type"))
	require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
	require.Empty(t, plain.Header.Get("Content-Encoding"))
	require.Equal(t, plain.Body, unzip(t, packed.Body))
	require.NotEqual(t, plain.Header.Get("ETag"), packed.Header.Get("ETag"))
}
