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
	"unicode/utf8"

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

// readProof takes the proof of delivery under a name. It may matter in court, so it
// is never thrown away for its form: what is not base64 is kept as it stands there.
func readProof(o object, name string) *domain.Proof {
	text := o.longText(name)
	content, isBase64 := decodeBase64(text)
	if !isBase64 {
		content = bytes.Clone(text)
	}
	if len(content) == 0 {
		o.unreadable(name)
		return nil
	}
	proof := &domain.Proof{
		ProofInfo: domain.ProofInfo{ID: contentID(content), Type: mediaType(content), Size: len(content)},
		Content:   content,
	}
	switch {
	case !isBase64:
		o.note(domain.AnomalyProofNotBase64, proof.ID)
	case !strings.HasPrefix(proof.Type, "image/"):
		o.note(domain.AnomalyProofNotPicture, proof.ID)
	}
	return proof
}

// decodeBase64 takes base64 of either alphabet, padded or not, in one line or
// many, and behind the head of a data: URI.
func decodeBase64(text []byte) (content []byte, ok bool) {
	encoded := text
	if bytes.HasPrefix(text, []byte("data:")) {
		head, tail, _ := bytes.Cut(text, []byte(","))
		if !bytes.HasSuffix(head, []byte(";base64")) {
			return nil, false
		}
		encoded = tail
	}
	content, err := decodeUnpadded(encoded)
	if err != nil { // for most it is not, and they need not be copied
		content, err = decodeUnpadded([]byte(oneAlphabet.Replace(string(encoded))))
	}
	return content, err == nil
}

func decodeUnpadded(encoded []byte) ([]byte, error) {
	return base64.RawStdEncoding.AppendDecode(nil, bytes.TrimRight(encoded, "="))
}

// oneAlphabet turns URL-safe base64 into the standard one, without white space.
var oneAlphabet = strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "", "\t", "", " ", "")

// mediaType gives the type of the picture whose header the bytes have, else that of
// a text or of mere bytes. A file's first bytes alone would not do: they can stand
// before anything. Nor would how the bytes came: the same ones are one proof, which
// has one type.
func mediaType(content []byte) string {
	for _, picture := range pictures {
		if _, err := picture.config(bytes.NewReader(content)); err == nil {
			return picture.mediaType
		}
	}
	if utf8.Valid(content) {
		return typeText
	}
	return typeBinary
}
