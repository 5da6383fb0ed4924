package otlp_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/otlp"
)

// A collector that lets in whom it knows gets what it knows them by, and nobody else does: not
// one that it leads to, and not who reads the log.
func TestHeadersGoToTheCollectorAlone(t *testing.T) {
	t.Parallel()
	elsewhere := make(chan *http.Request, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { elsewhere <- r }))
	defer other.Close()
	got := make(chan *http.Request, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}))
	defer collector.Close()
	headers, err := otlp.ParseHeaders("authorization=Bearer%20hush, x-tenant=shop")
	require.NoError(t, err)
	var log strings.Builder
	exporter := otlp.New(collector.URL, headers, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, exporter.ExportSpans(t.Context(), spans()))
	request := <-got
	require.Equal(t, "Bearer hush", request.Header.Get("Authorization"))
	require.Equal(t, "shop", request.Header.Get("X-Tenant"))
	require.Equal(t, "application/json", request.Header.Get("Content-Type"))
	require.Empty(t, elsewhere)
	require.Contains(t, log.String(), "the answer is 307")
	require.NotContains(t, log.String(), "hush")
}

// Headers are read as OpenTelemetry writes them, and what is no header is refused without being
// told.
func TestParseHeaders(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]http.Header{
		"":                       {},
		" ":                      {},
		"api-key=hush":           {"Api-Key": {"hush"}},
		"a=1,b=2=3":              {"A": {"1"}, "B": {"2=3"}},
		" a = x%2Cy+z , b= ":     {"A": {"x,y+z"}, "B": {""}},
		"hush":                   nil,
		"=hush":                  nil,
		"a b=hush":               nil,
		"a=%zz":                  nil,
		"a=hush%0d%0aX-Other: 1": nil,
		"a=hush,":                nil,
	} {
		headers, err := otlp.ParseHeaders(text)
		require.Equal(t, want, headers, text)
		if want == nil {
			require.Equal(t, otlp.ErrHeaders, err, text)
		}
	}
}

// Whatever stands in the variable, it is headers that can be sent, or an error.
func FuzzParseHeaders(f *testing.F) {
	for _, text := range []string{"", "a=b", "a=b,c=d%20e", "a", "a=\x00", "é=1", "a=%ff", ",,"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		headers, err := otlp.ParseHeaders(text)
		if err != nil {
			return
		}
		var sent strings.Builder
		require.NoError(t, headers.Write(&sent))
		for name, values := range headers {
			for _, value := range values {
				require.Contains(t, sent.String(), name+": "+strings.TrimSpace(value))
			}
		}
	})
}
