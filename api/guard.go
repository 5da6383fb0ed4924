package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard decides who may ask.
type guard struct {
	hasToken bool
	token    [sha256.Size]byte
}

func newGuard(token string) guard {
	return guard{hasToken: token != "", token: sha256.Sum256([]byte(token))}
}

// check gives errUnauthorized or errForeignHost, or nil for a request that may be
// answered. The probes need no token: they carry none, and tell of no order.
func (g guard) check(r *http.Request) error {
	if !g.hasToken {
		return checkHost(r.Host)
	}
	if r.URL.Path == healthPath || r.URL.Path == readyPath {
		return nil
	}
	return g.checkToken(r.Header.Values("Authorization"))
}

// checkToken compares the sums of the tokens, so that neither the content nor
// the length of the right one shows in the time it takes.
func (g guard) checkToken(authorization []string) error {
	if len(authorization) != 1 {
		return errUnauthorized
	}
	scheme, token, _ := strings.Cut(authorization[0], " ")
	sum := sha256.Sum256([]byte(token))
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(sum[:], g.token[:]) != 1 {
		return errUnauthorized
	}
	return nil
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
