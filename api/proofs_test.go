package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
)

// A proof comes byte for byte with the type found from its bytes, and no browser
// can take it for a page: not sniffed, not scripted, not read from elsewhere.
func TestProofIsServedSafely(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	answer := l.serve().get("/v1/orders/ordatic/store-7:o-1/proofs/" + proofID)
	require.Equal(t, http.StatusOK, answer.Status)
	require.Equal(t, picture, answer.Body)
	for name, want := range map[string]string{
		"Content-Type":                 "image/png",
		"Content-Disposition":          "inline",
		"X-Content-Type-Options":       "nosniff",
		"Content-Security-Policy":      "default-src 'none'; sandbox",
		"Cross-Origin-Resource-Policy": "same-origin",
		"ETag":                         `"` + proofID + `"`,
	} {
		require.Equal(t, []string{want}, answer.Header.Values(name), name)
	}
}

// What is not a plain picture is for saving, whatever it claims to be.
func TestProofThatIsNoPictureIsAttached(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	for _, mediaType := range []string{"text/plain", "application/octet-stream", "image/svg+xml", "text/html"} {
		e := accepted(mediaType)
		e.Proof = &domain.Proof{ProofInfo: domain.ProofInfo{ID: "p", Type: mediaType}, Content: []byte("<svg/>")}
		l.apply("ordatic", "ordatic", e)
	}
	c := l.serve()
	for _, path := range []string{"text%2Fplain", "application%2Foctet-stream", "image%2Fsvg+xml", "text%2Fhtml"} {
		answer := c.get("/v1/orders/ordatic/" + path + "/proofs/p")
		require.Equal(t, http.StatusOK, answer.Status)
		require.Equal(t, "attachment", answer.Header.Get("Content-Disposition"), path)
	}
}

// A proof never changes: its ETag answers 304, without the bytes.
func TestProofNotModified(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	c := l.serve()
	path := "/v1/orders/ordatic/store-7:o-1/proofs/" + proofID
	answer := c.get(path, "If-None-Match: "+c.get(path).Header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, answer.Status)
	require.Empty(t, answer.Body)
}

// A proof belongs to its order: no other order shows it.
func TestProofOfAnotherOrder(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.pizza()
	l.apply("ordatic", "ordatic", accepted("other"))
	l.serve().get("/v1/orders/ordatic/other/proofs/"+proofID).refused(http.StatusNotFound, "proof-not-found")
}
