package provider

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"github.com/ticketrail/ticketrail/domain"
)

// The media types of proofs that are no picture.
const (
	typeText   = "text/plain; charset=utf-8"
	typeBinary = "application/octet-stream"
)

// pictures are the types that a proof may have, by what reads their headers.
var pictures = []struct {
	mediaType string
	config    func(io.Reader) (image.Config, error)
}{
	{"image/png", png.DecodeConfig},
	{"image/jpeg", jpeg.DecodeConfig},
	{"image/gif", gif.DecodeConfig},
}

// readProof takes the proof of delivery under a name. What is not base64 is kept
// as the text that it is, and what is no picture as bytes: a proof may matter in
// court, so it is never thrown away for its form.
func readProof(o object, name string) *domain.Proof {
	text := o.text(name)
	content, isBase64 := decodeBase64(text)
	if !isBase64 {
		content = []byte(text)
	}
	if len(content) == 0 {
		o.unreadable(name)
		return nil
	}
	proof := &domain.Proof{
		ProofInfo: domain.ProofInfo{ID: contentID(content), Type: pictureType(content), Size: len(content)},
		Content:   content,
	}
	switch {
	case !isBase64:
		proof.Type = typeText
		o.note(domain.AnomalyProofNotBase64, proof.ID)
	case proof.Type == "":
		proof.Type = typeBinary
		o.note(domain.AnomalyProofNotPicture, proof.ID)
	}
	return proof
}

// decodeBase64 takes base64 of either alphabet, padded or not, in one line or
// many, and behind the head of a data: URI.
func decodeBase64(text string) (content []byte, ok bool) {
	encoded := text
	if strings.HasPrefix(text, "data:") {
		head, tail, _ := strings.Cut(text, ",")
		if !strings.HasSuffix(head, ";base64") {
			return nil, false
		}
		encoded = tail
	}
	encoded = strings.TrimRight(oneAlphabet.Replace(encoded), "=")
	content, err := base64.RawStdEncoding.DecodeString(encoded)
	return content, err == nil
}

// oneAlphabet turns URL-safe base64 into the standard one, without white space.
var oneAlphabet = strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "", "\t", "", " ", "")

// pictureType gives the media type whose header the bytes have, empty for none.
// A file's first bytes alone would not do: they can stand before anything.
func pictureType(content []byte) string {
	for _, picture := range pictures {
		if _, err := picture.config(bytes.NewReader(content)); err == nil {
			return picture.mediaType
		}
	}
	return ""
}
