package otlp

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// ErrHeaders is a text that is no list of headers. Nothing of the text is in it.
var ErrHeaders = errors.New("it is no list of NAME=VALUE with commas between")

var (
	headerName  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	headerValue = regexp.MustCompile(`^[ -~]*$`)
)

// ParseHeaders reads the headers that go with each request: NAME=VALUE with commas between and
// values percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS has them (OpenTelemetry Protocol
// Exporter, "Specifying headers via environment variables"). Its error is [ErrHeaders].
func ParseHeaders(text string) (http.Header, error) {
	headers := http.Header{}
	if strings.TrimSpace(text) == "" {
		return headers, nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		name, encoded, _ := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(encoded))
		if err != nil || !headerName.MatchString(name) || !headerValue.MatchString(value) || !strings.Contains(pair, "=") {
			return nil, ErrHeaders
		}
		headers.Add(name, value)
	}
	return headers, nil
}
