package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ticketrail/ticketrail/domain"
)

// orderPattern is the mux's pattern of one order.
const orderPattern = http.MethodGet + " " + orderPath

// straight answers what is asked most, as the operation would: for one order as it is, by
// its path and nothing else. It goes around the mux, huma and their contexts, which
// together take nearly as long as the order does.
func (h *handler) straight(a *answer, r *http.Request) bool {
	of, plain := plainOrder(r)
	if !plain || a.bearer.Scope < ScopeRead || !h.complete.Load() {
		return false
	}
	r.Pattern = orderPattern
	holds := h.model.WatchOrder(of.Source, of.Key)
	found, err := operation[OrderPath, domain.Order](h.orderNow).bounded(readWithin)(r.Context(), &of)
	if err != nil {
		writeProblem(a, h.fail(r.Context(), orderPath, err))
		return true
	}
	answer := h.present(a.bearer, found, h.config.Now(), holds)
	answer.pattern = orderPattern
	a.tell(r, answer)
	h.answers.keep(a.question, answer)
	return true
}

// plainOrder gives the order that a request names, if it says no more. Segments that the
// mux would take for another path are the mux's to judge.
func plainOrder(r *http.Request) (of OrderPath, plain bool) {
	path, isOrder := strings.CutPrefix(r.URL.EscapedPath(), ordersPath+"/")
	if r.Method != http.MethodGet || r.URL.RawQuery != "" || !isOrder {
		return of, false
	}
	source, key, _ := strings.Cut(path, "/")
	if !isSegment(source) || !isSegment(key) {
		return of, false
	}
	var errs [2]error
	of.Source, errs[0] = url.PathUnescape(source)
	of.Key, errs[1] = url.PathUnescape(key)
	const end = "/" // what the mux takes for the end of a path, escaped too
	return of, errs == [2]error{} && of.Source != end && of.Key != end
}

func isSegment(text string) bool {
	return text != "" && text != "." && text != ".." && !strings.Contains(text, "/")
}
