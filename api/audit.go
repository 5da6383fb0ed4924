package api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Audit keeps what administrators do. It must be safe for concurrent use.
type Audit interface {
	// Record keeps an act for good, or gives an error.
	Record(act Act) error
}

// Act is something that an administrator does or has done. It is recorded twice:
// before it is done, and with its status afterwards.
type Act struct {
	At time.Time `json:"at"`
	// By is the name of the token, or "local" where none was needed, and Token its
	// fingerprint.
	By    string `json:"by"`
	Token string `json:"token,omitempty"`
	// Method and Route say what it is: POST and /v1/rebuilds/{id}/cancel.
	Method string `json:"method"`
	Route  string `json:"route"`
	// Parameters are those of the route. What a sender may have written is in them
	// as the head of its SHA-256.
	Parameters map[string]string `json:"parameters,omitempty"`
	// Status is that of the answer; 0 before it was done.
	Status int `json:"status,omitempty"`
}

// plainID is the id of a rebuild, or of an entry of the quarantine.
var plainID = regexp.MustCompile(`^([rw]-)?[0-9]{1,20}$`)

// record has an act done between its two records. One that cannot be recorded is
// not done; one that was done and whose end cannot be recorded is told in the log.
func (h *handler) record(ctx huma.Context, bearer Token, next func(huma.Context)) {
	if h.config.Audit == nil {
		next(ctx)
		return
	}
	op := ctx.Operation()
	request, w := humago.Unwrap(ctx)
	act := Act{
		At: h.config.Now().UTC(), By: bearer.Name, Token: bearer.Fingerprint(),
		Method: op.Method, Route: op.Path, Parameters: h.recorded(request, op),
	}
	if err := h.config.Audit.Record(act); err != nil {
		writeProblem(w, h.fail(ctx.Context(), op.Path, fmt.Errorf("%w: %w", errNoAudit, err)))
		return
	}
	defer func() {
		act.At, act.Status = h.config.Now().UTC(), ctx.Status()
		if act.Status == 0 { // it panicked, which is answered with this
			act.Status = http.StatusInternalServerError
		}
		if err := h.config.Audit.Record(act); err != nil {
			h.log.Error("the end of an act is not in the audit log", "route", op.Path, "status", act.Status, "error", err)
		}
	}()
	next(ctx)
}

// recorded gives the parameters of the route. Only what names something of ours stands
// there as it is: a key is a sender's text, and what else there is may be anything,
// even a secret that somebody pasted.
func (h *handler) recorded(r *http.Request, op *huma.Operation) map[string]string {
	parameters := map[string]string{}
	for _, p := range op.Parameters {
		if p.In != "path" {
			continue
		}
		value := r.PathValue(p.Name)
		source := p.Name == "source" && slices.ContainsFunc(h.config.Sources, func(s Source) bool { return s.Name == value })
		id := p.Name == "id" && plainID.MatchString(value)
		if !source && !id {
			sum := sha256.Sum256([]byte(value))
			value = "sha256:" + hex.EncodeToString(sum[:8])
		}
		parameters[p.Name] = value
	}
	return parameters
}
