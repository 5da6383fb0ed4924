package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

const token = "a-token-of-32-characters-or-more"

// With a token every path needs it, those that do not exist too; the probes, the pages and
// the documents alone, which are the same for everybody, do not.
func TestToken(t *testing.T) {
	t.Parallel()
	c := newLedger(t).serve(func(c *api.Config) { c.Token = token })
	for _, path := range []string{"/v1/orders", "/v1/webhooks/1", "/openapi.yaml", "/metrics", "/problems", "/problems/../v1/orders", "/none", "/dashboard/", "/dashboard/none", "/dashboard/../v1/orders", "/dashboard/%2e%2e/v1/orders"} {
		for _, authorization := range []string{
			"", "Bearer", "Bearer ", "Bearer wrong", "Basic " + token, token, "Bearer " + token[:31], "Bearer " + token + "x", "Bearer  " + token,
		} {
			answer := c.get(path, "Authorization: "+authorization)
			answer.refused(http.StatusUnauthorized, "unauthorized")
			require.Equal(t, "Bearer", answer.Header.Get("WWW-Authenticate"))
		}
	}
	require.Equal(t, http.StatusUnauthorized, c.get("/v1/orders").Status)
	require.Equal(t, http.StatusUnauthorized, c.get("/v1/orders", "Authorization: Bearer "+token, "Authorization: Bearer wrong").Status)
	require.Equal(t, http.StatusOK, c.get("/v1/orders", "Authorization: Bearer "+token).Status)
	require.Equal(t, http.StatusOK, c.get("/v1/orders", "Authorization: bearer "+token).Status)
	require.Equal(t, http.StatusOK, c.get("/healthz").Status)
	require.Equal(t, http.StatusOK, c.get("/readyz").Status)
	for _, path := range []string{"/", "/docs", "/openapi.json", "/asyncapi.json", "/llms.txt", "/problems/not-ready"} {
		require.Equal(t, http.StatusOK, c.get(path).Status, path)
	}
	require.Equal(t, http.StatusUnauthorized, c.get("/healthz/../v1/orders").Status)
}

// Without a token only requests to this machine's own names are answered, so that
// no web page can lead its name here and read orders. With one, any name will do.
func TestForeignHost(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	open, closed := l.serve(), l.serve(func(c *api.Config) { c.Token = token })
	for _, host := range []string{"localhost", "localhost:8081", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8081", "127.1.2.3", "[::1]", "[::1]:8081"} {
		require.Equal(t, http.StatusOK, open.get("/v1/orders", "Host: "+host).Status, host)
	}
	for _, host := range []string{"evil.example", "evil.example:8081", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.1:8081", "0.0.0.0", "[::]:8081"} {
		open.get("/v1/orders", "Host: "+host).refused(http.StatusMisdirectedRequest, "foreign-host")
		open.get("/healthz", "Host: "+host).refused(http.StatusMisdirectedRequest, "foreign-host")
		require.Equal(t, http.StatusOK, closed.get("/v1/orders", "Host: "+host, "Authorization: Bearer "+token).Status, host)
	}
}

// Every answer, a refusal too, bears the headers that keep a browser from making
// anything of it, and none that lets another site read it.
func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	c := l.serve(func(c *api.Config) { c.Token = token })
	for _, path := range []string{"/v1/orders", "/v1/orders/ordatic/store-7:o-1", "/v1/webhooks/1", "/openapi.json", "/none", "/v1/orders?limit=0", "/healthz"} {
		for _, authorization := range []string{"Bearer " + token, ""} {
			header := c.get(path, "Authorization: "+authorization, "Origin: https://evil.example").Header
			require.Equal(t, []string{"nosniff"}, header.Values("X-Content-Type-Options"), path)
			require.Equal(t, []string{"no-referrer"}, header.Values("Referrer-Policy"), path)
			require.Equal(t, []string{"same-origin"}, header.Values("Cross-Origin-Resource-Policy"), path)
			require.True(t, strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'"), path)
			require.Contains(t, []string{"no-store", "no-cache"}, header.Get("Cache-Control"), path)
			require.Empty(t, header.Get("Access-Control-Allow-Origin"), path)
		}
	}
}

// An address that other machines reach needs a token; the error says the mend and
// nothing of the token.
func TestCheckListen(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1:8081", "localhost:8081", "[::1]:0", "127.9.9.9:1"} {
		require.NoError(t, api.CheckListen(addr, false), addr)
	}
	for _, addr := range []string{":8081", "0.0.0.0:8081", "[::]:8081", "192.168.0.1:8081", "example.com:8081"} {
		require.ErrorContains(t, api.CheckListen(addr, false), "api.token", addr)
		require.NoError(t, api.CheckListen(addr, true), addr)
	}
	for _, addr := range []string{"", "8081", "localhost", "::1:8081"} {
		err := api.CheckListen(addr, true)
		require.ErrorContains(t, err, "host:port", addr)
		require.NotContains(t, err.Error(), token)
	}
}

// The server has every timeout and a limit for its headers: a slow client cannot
// hold it.
func TestServerLimits(t *testing.T) {
	t.Parallel()
	handler := http.NewServeMux()
	s := api.Server("127.0.0.1:8081", handler)
	require.Equal(t, "127.0.0.1:8081", s.Addr)
	require.Same(t, handler, s.Handler)
	require.Positive(t, s.ReadHeaderTimeout)
	require.Positive(t, s.ReadTimeout)
	require.Positive(t, s.WriteTimeout)
	require.Positive(t, s.IdleTimeout)
	require.Positive(t, s.MaxHeaderBytes)
}
