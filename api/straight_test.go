package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/api"
)

// An order that is asked for by nothing but its path is told as the operation tells it
// that takes parameters too: whatever the path is made of, whoever asks and what the
// client holds, to the header.
func TestThePlainAnswerIsThatOfTheOperation(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.gift()
	for _, key := range []string{"a", "a/b", ".", "..", "a..", "%2F", "ä", "a b", "a+b", ":", "a?b", "a;b"} {
		l.apply("ordatic", "ordatic", secretive(key, 1))
	}
	config := api.Config{Now: now, Sources: []api.Source{{Name: "ordatic", Currency: "SEK"}}}
	guardedBy(newKeyring())(&config)
	handler := api.New(unwatched{l.Model}, l, config) // keeps nothing
	told := map[int]bool{}
	pieces := rapid.SampledFrom([]string{"a", "b", "/", "%2F", "%2f", ".", "%2e", "..", "%", "%25", "%2", "ä", "%C3%A4", "%20", "+", ":", "%3A", ";", "%3F"})
	rapid.Check(t, func(r *rapid.T) {
		segment := rapid.SliceOfN(pieces, 0, 4)
		segments := rapid.OneOf(rapid.Just([]string{"ordatic/a"}), segment, rapid.Map(segment, func(s []string) []string { return append([]string{"ordatic/"}, s...) })).Draw(r, "path")
		target := "/v1/orders/" + strings.Join(segments, "")
		if _, err := url.ParseRequestURI(target); err != nil {
			r.Skip("no request")
		}
		method := rapid.SampledFrom([]string{http.MethodGet, http.MethodGet, http.MethodHead, http.MethodPost}).Draw(r, "method")
		token := rapid.SampledFrom([]string{"read", "raw", "admin", "nobody"}).Draw(r, "token")
		plain := askAs(t, handler, method, target, token, "")
		held := rapid.SampledFrom([]string{"", "*", `"other"`, plain.Header.Get("ETag")}).Draw(r, "held")
		plain = askAs(t, handler, method, target, token, held)
		operation := askAs(t, handler, method, target+"?min_stream_sequence=0", token, held)
		require.Equal(t, operation, plain, "%s %s", method, target)
		told[plain.Status] = true
	})
	for _, status := range []int{http.StatusOK, http.StatusNotModified, http.StatusNotFound} {
		require.True(t, told[status], "nothing is answered with %d", status)
	}
}

// askAs asks a handler with a token, and with an ETag that is held.
func askAs(t *testing.T, handler http.Handler, method, target, token, held string) reply {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, "http://localhost"+target, http.NoBody)
	request.Header.Set("Authorization", "Bearer "+token)
	if held != "" {
		request.Header.Set("If-None-Match", held)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return reply{Status: recorder.Code, Header: recorder.Header(), Body: recorder.Body.String()}
}
