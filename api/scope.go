package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Scope is what a token lets its bearer do. Each holds those below it.
type Scope int

// The scopes, from the least. ScopeNone is that of an operation for everybody.
const (
	ScopeNone  Scope = iota
	ScopeRead        // orders without what is personal, and how ticketrail is
	ScopeRaw         // what is personal of orders, and what senders sent, byte for byte
	ScopeAdmin       // whatever changes something
)

var scopeNames = [...]string{ScopeNone: "none", ScopeRead: "read", ScopeRaw: "raw", ScopeAdmin: "admin"}

// errNoScope is a text that is no scope of a token.
var errNoScope = errors.New("a scope is read, raw or admin")

func (s Scope) String() string { return scopeNames[s] }

// MarshalText gives "read", "raw" or "admin".
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a scope that a token can have.
func (s *Scope) UnmarshalText(text []byte) error {
	for scope := ScopeRead; scope <= ScopeAdmin; scope++ {
		if scopeNames[scope] == string(text) {
			*s = scope
			return nil
		}
	}
	return errNoScope
}

// Token is what is known of an API token: not the token itself.
type Token struct {
	// Name is whose it is, for the list and the audit log.
	Name  string
	Scope Scope
	// Sum is the SHA-256 of the token.
	Sum [sha256.Size]byte
	// Expires is when it ends; zero: never.
	Expires time.Time
}

// Fingerprint tells tokens apart without telling them: the first eight hexadecimal
// digits of the sum. It is empty for the zero sum, which no token has.
func (t Token) Fingerprint() string {
	if t.Sum == [sha256.Size]byte{} {
		return ""
	}
	return hex.EncodeToString(t.Sum[:4])
}

// Tokens knows the tokens beside the configured one. It must be safe for
// concurrent use, and is asked at every request.
type Tokens interface {
	// Known gives the tokens, expired ones too, and tells whether one is needed.
	// After an error nobody is let in.
	Known() (tokens []Token, needed bool, err error)
}

// local stands for who asks where no token is needed.
func local() Token { return Token{Name: "local", Scope: ScopeAdmin} }

// needs is what the document says of an operation that not every token will do for.
func needs(scope Scope) []map[string][]string {
	return []map[string][]string{{bearerScheme: {scope.String()}}, {}}
}

// scopeNeeded gives the scope that an operation needs: the one that it was registered
// with; else admin for one that changes something, and read for the rest.
func scopeNeeded(op *huma.Operation) (scope Scope) {
	if op.Security == nil && op.Method != http.MethodGet {
		op.Security = needs(ScopeAdmin)
	}
	if op.Security == nil {
		return ScopeRead
	}
	for _, name := range op.Security[0][bearerScheme] {
		if err := scope.UnmarshalText([]byte(name)); err != nil {
			panic(err)
		}
	}
	return scope
}

// bearerOf gives the token that a request came with.
func bearerOf(ctx context.Context) Token {
	if a, ok := ctx.Value(answerKey{}).(*answer); ok {
		return a.bearer
	}
	return Token{}
}

// seesPersonal tells whether who asks may see what is personal of an order.
func seesPersonal(ctx context.Context) bool { return bearerOf(ctx).seesPersonal() }

func (t Token) seesPersonal() bool { return t.Scope >= ScopeRaw }

// guarded has an operation answered to those alone whose token has its scope, and
// each act of an administrator recorded.
func (h *handler) guarded(op *huma.Operation) {
	scope := scopeNeeded(op)
	if scope == ScopeAdmin {
		op.Parameters = append(op.Parameters, onceParameter())
	}
	op.Middlewares = append(op.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		bearer := bearerOf(ctx.Context())
		switch {
		case bearer.Scope < scope:
			_, w := humago.Unwrap(ctx)
			writeProblem(w, forbidden(scope))
		case scope == ScopeAdmin:
			h.once(ctx, bearer, func(ctx huma.Context) { h.record(ctx, bearer, next) })
		default:
			next(ctx)
		}
	})
}
