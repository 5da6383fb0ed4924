package api_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// The dashboard and its scripts come without a token, since they hold no data, to those
// alone whom the listener answers, and under a policy of their own.
func TestTheDashboardNeedsNoToken(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	open, guarded := l.serve(), l.serve(func(c *api.Config) { c.Token = token })
	for _, c := range []*client{open, guarded} {
		page := c.get("/")
		require.Equal(t, http.StatusOK, page.Status)
		require.Contains(t, page.Header.Get("Content-Security-Policy"), "script-src 'self' 'sha256-")
		require.Equal(t, "nosniff", page.Header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", page.Header.Get("Referrer-Policy"))
		require.Equal(t, "no-cache", page.Header.Get("Cache-Control"))
		for _, link := range regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(page.Body, -1) {
			asset := c.get(link[1])
			require.Equal(t, http.StatusOK, asset.Status, link[1])
			require.Contains(t, asset.Header.Get("Cache-Control"), "immutable")
			require.Equal(t, "nosniff", asset.Header.Get("X-Content-Type-Options"))
		}
		require.Equal(t, http.StatusMethodNotAllowed, c.do(http.MethodPut, "/", "Authorization: Bearer "+token).Status)
	}
	open.get("/", "Host: evil.example").refused(http.StatusMisdirectedRequest, "foreign-host")
}
