package ingest

import (
	"mime"
	"net/http"
	"strings"
)

// maxContentType bounds a stored media type, in bytes: every header of a stored
// webhook costs each of its readers.
const maxContentType = 128

// encoded tells whether the body is compressed or otherwise encoded. The bytes
// that are verified and stored must be the ones that the sender wrote.
func encoded(header http.Header) bool {
	for _, line := range header.Values("Content-Encoding") {
		for coding := range strings.SplitSeq(line, ",") {
			coding = strings.TrimSpace(coding)
			if coding != "" && !strings.EqualFold(coding, "identity") {
				return true
			}
		}
	}
	return false
}

// contentType gives the media type of a body in our own writing, so that no
// header text of the sender is stored as it came. It is empty for JSON, which
// nearly every webhook is, and where there is none that can be read.
func contentType(header http.Header) string {
	mediaType, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || mediaType == "application/json" {
		return ""
	}
	for _, text := range []string{mime.FormatMediaType(mediaType, parameters), mediaType} {
		if text != "" && len(text) <= maxContentType {
			return text
		}
	}
	return ""
}

// keptHeaderNames are the headers that a refused request keeps: what its
// signature can be verified from again, once a wrong secret on this side is
// mended. Authorization is not among them, since it would be the secret itself.
var keptHeaderNames = []string{
	"Content-Type",
	"Svix-Id", "Svix-Timestamp", "Svix-Signature",
	"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature",
	"X-Ivy-Signature",
}

// A kept header has at most keptValues values of at most maxKeptValue bytes;
// what is more shows only as missing.
const (
	keptValues   = 2 // enough to see that a header was repeated
	maxKeptValue = 1 << 10
)

func keptHeaders(header http.Header) map[string][]string {
	kept := make(map[string][]string)
	for _, name := range keptHeaderNames {
		for _, value := range header[name] {
			if len(value) <= maxKeptValue && len(kept[name]) < keptValues {
				kept[name] = append(kept[name], value)
			}
		}
	}
	return kept
}
