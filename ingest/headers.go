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
	if values := header["Content-Type"]; len(values) == 1 && values[0] == "application/json" {
		return ""
	}
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
