package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ticketrail/ticketrail/api/dashboard"
)

// publicPaths are those that need no token, beside the pages and what problems mean.
var publicPaths = []string{healthPath, readyPath, openAPIPath, asyncAPIPath, indexPath}

// guard decides who may ask.
type guard struct {
	configured []Token // the one of api.token, if there is one
	tokens     Tokens  // nil: there are no others
	page       *dashboard.Dashboard
	now        func() time.Time
}

func newGuard(config *Config, page *dashboard.Dashboard) guard {
	g := guard{tokens: config.Tokens, page: page, now: config.Now}
	if config.Token != "" {
		g.configured = []Token{{Name: "api.token", Scope: ScopeAdmin, Sum: sha256.Sum256([]byte(config.Token))}}
	}
	return g
}

// check gives who asks, or why the request may not be answered: errUnauthorized,
// errForeignHost or errNoTokens. The probes need no token: they carry none, and
// tell of no order. Nor do the pages, which hold no data and ask their user for a token,
// and the documents, which are the same for everybody who has the program.
func (g guard) check(r *http.Request) (Token, error) {
	known, needed, err := g.known()
	switch {
	case err == nil && !needed:
		return local(), checkHost(r.Host)
	case g.public(r.URL.Path):
		return Token{}, nil
	case err != nil:
		return Token{}, fmt.Errorf("%w: %w", errNoTokens, err)
	}
	return g.bearer(known, r.Header.Values("Authorization"))
}

func (g guard) public(path string) bool {
	code, ofProblem := strings.CutPrefix(path, problemsPath)
	return slices.Contains(publicPaths, path) || ofProblem && isSegment(code) || g.page.Has(path)
}

func (g guard) known() (known []Token, needed bool, err error) {
	if g.tokens != nil {
		known, needed, err = g.tokens.Known()
	}
	if len(g.configured) > 0 {
		known, needed = slices.Concat(g.configured, known), true
	}
	return known, needed, err
}

// bearer finds the token by its sum, and looks at all of them, so that neither the
// content nor the length of a right one shows in the time it takes.
func (g guard) bearer(known []Token, authorization []string) (found Token, err error) {
	if len(authorization) != 1 {
		return found, errUnauthorized
	}
	scheme, token, _ := strings.Cut(authorization[0], " ")
	sum := sha256.Sum256([]byte(token))
	err = errUnauthorized
	for _, t := range known {
		ends := !t.Expires.IsZero() && !g.now().Before(t.Expires)
		if subtle.ConstantTimeCompare(sum[:], t.Sum[:]) == 1 && !ends && strings.EqualFold(scheme, "Bearer") {
			found, err = t, nil
		}
	}
	return found, err
}

// stillMay tells whether who has asked may still be answered, for an answer without an end: a
// token that has expired or was revoked since is good for no more of it.
func (h *handler) stillMay(r *http.Request) func() bool {
	asked := bearerOf(r.Context())
	return func() bool {
		now, err := h.guard.check(r)
		return err == nil && now.Sum == asked.Sum && now.Scope == asked.Scope
	}
}

// checkHost refuses a request that a browser sends to this machine under another
// name: a web page can make its own name lead here (DNS rebinding), and would
// read the orders of a listener that asks for no token.
func checkHost(hostport string) error {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	if !isLoopback(host) {
		return errForeignHost
	}
	return nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(host, "localhost")
	}
	return address.IsLoopback()
}
