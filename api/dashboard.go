package api

import (
	"net/http"

	"github.com/ticketrail/ticketrail/api/dashboard"
)

// routeDashboard has the pages answer, and for their scripts and styles. They
// are no part of the document: who reads that wants no page.
func (h *handler) routeDashboard() {
	h.mux.Handle("GET /{$}", h.page)
	h.mux.Handle("GET /docs", h.page)
	h.mux.HandleFunc("GET "+dashboard.Prefix+"{file...}", func(w http.ResponseWriter, r *http.Request) {
		if !h.page.Has(r.URL.Path) {
			writeProblem(w, problemOf(errNoPath))
			return
		}
		h.page.ServeHTTP(w, r)
	})
}
