package provider_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// proofEvent gives the event of a proof that came as the text.
func proofEvent(t *testing.T, text string) *domain.Event {
	return translated(t, provider.Ordatic{}, fmt.Sprintf(
		`{"eventType":"rider-proof-delivery","storeId":"s7","data":{"orderId":"o1","proofDelivery":%q}}`, text))
}

// proofOf gives the proof of those bytes and that type.
func proofOf(content []byte, mediaType string) *domain.Proof {
	sum := sha256.Sum256(content)
	return &domain.Proof{
		ProofInfo: domain.ProofInfo{ID: hex.EncodeToString(sum[:16]), Type: mediaType, Size: len(content)},
		Content:   content,
	}
}

// drawing gives a small picture in one of the three formats.
func drawing(t *testing.T, encode func(*bytes.Buffer, image.Image) error) []byte {
	picture := image.NewPaletted(image.Rect(0, 0, 5, 7), color.Palette{color.Black, color.White})
	var b bytes.Buffer
	require.NoError(t, encode(&b, picture))
	return b.Bytes()
}

// A picture's type is found from its bytes, and a proof moves no axis.
func TestProofTypes(t *testing.T) {
	t.Parallel()
	for mediaType, content := range map[string][]byte{
		"image/png":  drawing(t, func(b *bytes.Buffer, i image.Image) error { return png.Encode(b, i) }),
		"image/jpeg": drawing(t, func(b *bytes.Buffer, i image.Image) error { return jpeg.Encode(b, i, nil) }),
		"image/gif":  drawing(t, func(b *bytes.Buffer, i image.Image) error { return gif.Encode(b, i, nil) }),
	} {
		event := proofEvent(t, base64.StdEncoding.EncodeToString(content))
		require.Equal(t, proofOf(content, mediaType), event.Proof)
		require.Empty(t, event.Anomalies)
		require.Zero(t, event.Standing)
		require.Empty(t, event.ProviderStatus)
	}
}

// The same picture is the same proof, however its base64 was written.
func TestProofSpellings(t *testing.T) {
	t.Parallel()
	content := drawing(t, func(b *bytes.Buffer, i image.Image) error { return png.Encode(b, i) })
	standard := base64.StdEncoding.EncodeToString(content)
	for _, text := range []string{
		standard,
		base64.RawStdEncoding.EncodeToString(content),
		base64.URLEncoding.EncodeToString(content),
		base64.RawURLEncoding.EncodeToString(content),
		standard[:20] + "\r\n" + standard[20:40] + "\n " + standard[40:] + "\n",
		"data:image/png;base64," + standard,
		"data:text/html;charset=utf-8;base64," + standard,
	} {
		require.Equal(t, proofOf(content, "image/png"), proofEvent(t, text).Proof, text)
	}
}

// A proof is kept for what it is, never for what it claims: bytes that only begin
// like a picture are none, and a text is a text.
func TestProofsThatAreNoPicture(t *testing.T) {
	t.Parallel()
	disguised := []byte("\x89PNG\r\n\x1a\n<script>alert(1)</script>")
	event := proofEvent(t, "data:image/png;base64,"+base64.StdEncoding.EncodeToString(disguised))
	want := proofOf(disguised, "application/octet-stream")
	require.Equal(t, want, event.Proof)
	require.Equal(t, []domain.Anomaly{anomaly("proof-not-a-picture", want.ID)}, event.Anomalies)

	for _, text := range []string{"left at the door, 4 pm!", "data:text/plain,hello", "<script>", "A"} {
		event := proofEvent(t, text)
		want := proofOf([]byte(text), "text/plain; charset=utf-8")
		require.Equal(t, want, event.Proof)
		require.Equal(t, []domain.Anomaly{anomaly("proof-not-base64", want.ID)}, event.Anomalies)
	}
}

// The same bytes are one proof of one type, whether they came in base64 or as they
// are: only how they came is told.
func TestProofTypeIsOfTheBytesAlone(t *testing.T) {
	t.Parallel()
	for content, mediaType := range map[string]string{
		"hello! not base64": "text/plain; charset=utf-8",
		"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00": "image/gif",
	} {
		value, err := json.Marshal(content)
		require.NoError(t, err)
		plain := translated(t, provider.Ordatic{},
			`{"eventType":"rider-proof-delivery","storeId":"s7","data":{"orderId":"o1","proofDelivery":`+string(value)+`}}`)
		encoded := proofEvent(t, base64.StdEncoding.EncodeToString([]byte(content)))
		require.Equal(t, proofOf([]byte(content), mediaType), plain.Proof)
		require.Equal(t, plain.Proof, encoded.Proof)
		require.Equal(t, []domain.Anomaly{anomaly("proof-not-base64", plain.Proof.ID)}, plain.Anomalies)
	}
}

// A proof of nothing is no proof, and is told.
func TestEmptyProof(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`""`, `null`, `{}`, `"data:image/png;base64,"`, `"=="`, `7`, `["iVBOR"]`} {
		event := translated(t, provider.Ordatic{},
			`{"eventType":"rider-proof-delivery","storeId":"s7","data":{"orderId":"o1","proofDelivery":`+value+`}}`)
		require.Nil(t, event.Proof, value)
		require.Equal(t, []domain.Anomaly{anomaly("unreadable-value", "/data/proofDelivery")}, event.Anomalies)
	}
}

// A proof of the greatest body that is taken is a proof like any other.
func TestLargeProof(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("proof "), 3<<20/6)
	event := proofEvent(t, base64.StdEncoding.EncodeToString(content))
	require.Equal(t, len(content), event.Proof.Size)
	require.Len(t, event.Anomalies, 1)

	text := strings.Repeat("!", 4<<20)
	require.Equal(t, "text/plain; charset=utf-8", proofEvent(t, text).Proof.Type)
}
