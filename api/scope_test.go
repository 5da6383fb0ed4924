package api_test

import (
	"crypto/sha256"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// keyring knows tokens, each by the name of its scope.
type keyring struct {
	tokens []api.Token
	err    error
}

func (k *keyring) Known() ([]api.Token, bool, error) { return k.tokens, true, k.err }

func newKeyring() *keyring {
	k := &keyring{}
	for _, scope := range []api.Scope{api.ScopeRead, api.ScopeRaw, api.ScopeAdmin} {
		k.add(scope.String(), scope, time.Time{})
	}
	return k
}

func (k *keyring) add(token string, scope api.Scope, expires time.Time) {
	k.tokens = append(k.tokens, api.Token{Name: "of-" + token, Scope: scope, Sum: sha256.Sum256([]byte(token)), Expires: expires})
}

// guardedBy serves with tokens.
func guardedBy(k *keyring) func(*api.Config) { return func(c *api.Config) { c.Tokens = k } }

// needed gives the scope that the document says an operation needs; empty: none.
func (d described) needed(t *testing.T) string {
	t.Helper()
	if d.Security == nil {
		return "read" // of the whole document
	}
	for _, scopes := range d.Security[0] {
		require.Len(t, scopes, 1)
		return scopes[0]
	}
	return ""
}

// ask sends a body as JSON, by any method.
func (c *client) ask(method, path, body string, headers ...string) reply {
	c.t.Helper()
	return c.send(method, path, body, append([]string{"Content-Type: application/json"}, headers...)...)
}

// What changes something needs admin, and what answers with a sender's own bytes,
// neither JSON nor CSV, needs raw: every operation that does so, whoever wrote it.
func TestEveryOperationNeedsItsScope(t *testing.T) {
	t.Parallel()
	for path, operations := range readDocument(t).Paths {
		for method, op := range operations {
			scope := op.needed(t)
			types := slices.Collect(maps.Keys(op.Responses[op.success()].Content))
			switch {
			case method != "get":
				require.Equal(t, "admin", scope, op.OperationID)
			case slices.Contains([]string{"/healthz", "/readyz", "/problems/{code}"}, path):
				require.Empty(t, scope, op.OperationID)
			case slices.ContainsFunc(types, func(name string) bool {
				return !slices.Contains([]string{"application/json", "text/event-stream", "text/csv"}, name)
			}), op.OperationID == "explain-order", op.OperationID == "listen-to-arrivals":
				require.Equal(t, "raw", scope, op.OperationID)
			default:
				require.Equal(t, "read", scope, op.OperationID)
			}
		}
	}
}

// A token does what its scope says and what the scopes below do, and is told the
// scope that it lacks. Nothing was done then.
func TestATokenDoesWhatItsScopeSays(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	c := l.serve(guardedBy(newKeyring()))
	ranks := map[string]int{"read": 1, "raw": 2, "admin": 3}
	for path, operations := range readDocument(t).Paths {
		at := strings.NewReplacer("{source}", "ordatic", "{key}", "store-7:o-1", "{stream_sequence}", "1", "{id}", "1", "{code}", "forbidden").Replace(path)
		for method, op := range operations {
			for name, rank := range ranks {
				answer := c.ask(strings.ToUpper(method), at, "{}", "Authorization: Bearer "+name)
				if needed := op.needed(t); rank < ranks[needed] {
					require.Contains(t, answer.refused(http.StatusForbidden, "forbidden").Detail, "scope "+needed)
					continue
				}
				require.NotContains(t, []int{http.StatusForbidden, http.StatusUnauthorized}, answer.Status, "%s %s as %s", method, at, name)
			}
			if op.needed(t) != "" {
				c.ask(strings.ToUpper(method), at, "{}").refused(http.StatusUnauthorized, "unauthorized")
			}
		}
	}
}

// A token that has expired is none, one that is about to is.
func TestATokenExpires(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	k.add("past", api.ScopeAdmin, now())
	k.add("present", api.ScopeAdmin, now().Add(time.Second))
	c := newLedger(t).serve(guardedBy(k))
	c.get("/v1/orders", "Authorization: Bearer past").refused(http.StatusUnauthorized, "unauthorized")
	require.Equal(t, http.StatusOK, c.get("/v1/orders", "Authorization: Bearer present").Status)
}

// Where the tokens cannot be read nobody is let in, not even with the configured
// one; only the probes answer.
func TestUnreadableTokensLetNobodyIn(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	k.err = errors.New("disk on fire")
	c := newLedger(t).serve(guardedBy(k), func(c *api.Config) { c.Token = token })
	for _, authorization := range []string{"Bearer admin", "Bearer " + token, ""} {
		answer := c.get("/v1/orders", "Authorization: "+authorization)
		answer.refused(http.StatusServiceUnavailable, "tokens-unreadable")
		require.NotContains(t, answer.Body, "fire")
	}
	require.Equal(t, http.StatusOK, c.get("/healthz").Status)
}

// A page of another site changes nothing, whatever it sends, with a token and
// without one; to ask beforehand gets it no leave.
func TestAnotherSiteChangesNothing(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	l := newLedger(t)
	for _, c := range []*client{l.serve(), l.serve(guardedBy(k))} {
		for _, header := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.example"} {
			c.ask(http.MethodPost, "/v1/projection/rollback", "", "Authorization: Bearer admin", header).refused(http.StatusForbidden, "cross-site")
			require.Equal(t, http.StatusOK, c.get("/v1/orders", "Authorization: Bearer admin", header).Status)
		}
		c.ask(http.MethodPost, "/v1/projection/rollback", "", "Authorization: Bearer admin", "Sec-Fetch-Site: same-origin").
			refused(http.StatusNotImplemented, "projector-elsewhere")
		preflight := c.ask(http.MethodOptions, "/v1/rebuilds", "", "Authorization: Bearer admin", "Origin: https://evil.example", "Access-Control-Request-Method: POST")
		preflight.refused(http.StatusMethodNotAllowed, "method-not-allowed")
		for name := range preflight.Header {
			require.False(t, strings.HasPrefix(name, "Access-Control-"), name)
		}
		require.Empty(t, preflight.Header.Values("Set-Cookie"))
	}
}
