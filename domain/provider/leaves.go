package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	// maxKey is the longest order key, in bytes; providers send about 40.
	maxKey = 256
	// maxWord is the longest name of an event or a status, in bytes; providers send
	// up to 40. It stands in every line of a timeline.
	maxWord = 256
	// maxText is the longest text of any other fact, in bytes: a reference, an id or
	// a reason is a line. All of an order's are written anew with each webhook of it.
	maxText = 1 << 10
	// maxDetail is how much of a text an anomaly tells, in characters.
	maxDetail = 64
	// firstMillisecond is the number from which on a Unix time counts
	// milliseconds: as seconds it would be in the year 5138.
	firstMillisecond = 100_000_000_000
)

// errUnreadable is for a leaf that holds nothing of its kind.
var errUnreadable = errors.New("unreadable")

// decisive gives a text on which the meaning of the webhook depends. Another type
// fails the reading.
func (o object) decisive(name string) string {
	v := o.value(name)
	if v == nil {
		return ""
	}
	if v.Kind() != jsontext.KindString {
		o.fail(domain.CauseWrongType, name)
		return ""
	}
	return unquote(v)
}

// word gives the decisive name of an event or a status. One that is too long fails
// the reading.
func (o object) word(name string) string {
	word := o.decisive(name)
	if len(word) > maxWord {
		o.fail(domain.CauseTooLong, name)
	}
	return word
}

// key gives a part of the order key, which must be there and be usable.
func (o object) key(name string) string {
	key := o.decisive(name)
	switch {
	case key == "":
		o.fail(domain.CauseKeyMissing, name)
	case len(key) > maxKey || hasControl(key):
		o.fail(domain.CauseKeyUnusable, name)
	}
	return key
}

// hasControl tells whether a text that is UTF-8 has a control character: two have a byte
// of their own, or two that begin with 0xC2.
func hasControl(text string) bool {
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c == 0x7f || c == 0xc2 && text[i+1] < 0xa0 {
			return true
		}
	}
	return false
}

// text gives a string of at most maxText bytes.
func (o object) text(name string) string {
	text := o.longText(name)
	if len(text) > maxText {
		o.unreadable(name)
		return ""
	}
	return string(text)
}

// longText gives a string of any length, shared with the body where possible.
func (o object) longText(name string) []byte {
	v := o.value(name)
	switch {
	case v == nil:
		return nil
	case v.Kind() != jsontext.KindString:
		o.unreadable(name)
		return nil
	}
	return unquoted(v)
}

// currency gives an ISO 4217 code.
func (o object) currency(name string) string {
	code := o.text(name)
	if code != "" && !isCurrency(code) {
		o.unreadable(name)
		return ""
	}
	return code
}

func isCurrency(code string) bool {
	noCapital := func(r rune) bool { return r < 'A' || r > 'Z' }
	return len(code) == 3 && !strings.ContainsFunc(code, noCapital)
}

// amount gives a sum in the major unit, from a string or a number.
func (o object) amount(name string) domain.Amount {
	return leaf(o, name, domain.ParseAmount, domain.ParseAmount)
}

// minorAmount gives a sum that the provider counts in hundredths.
func (o object) minorAmount(name string) domain.Amount {
	return leaf(o, name, hundredths, hundredths)
}

func hundredths(text string) (domain.Amount, error) { return domain.ParseMinorAmount(text, 2) }

// instant gives a time, from RFC 3339 or from a Unix time as a whole number.
func (o object) instant(name string) domain.Instant {
	return leaf(o, name, domain.ParseInstant, parseUnix)
}

// leaf reads a fact that may be written as a string or as a number.
func leaf[T any](o object, name string, parseString, parseNumber func(string) (T, error)) T {
	fact, err := parseLeaf(o.value(name), parseString, parseNumber)
	if err != nil {
		o.unreadable(name)
	}
	return fact
}

// parseLeaf reads a value; the zero one of T for no value.
func parseLeaf[T any](v jsontext.Value, parseString, parseNumber func(string) (T, error)) (fact T, err error) {
	switch v.Kind() {
	case jsontext.KindInvalid: // no value
		return fact, nil
	case jsontext.KindString:
		return parseString(unquote(v))
	case jsontext.KindNumber:
		return parseNumber(string(v))
	}
	return fact, errUnreadable
}

// parseUnix reads a Unix time of seconds, or of milliseconds where it is as great
// as those are.
func parseUnix(text string) (domain.Instant, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return domain.Instant{}, err
	}
	instant := domain.UnixInstant(n)
	if -firstMillisecond < n && n < firstMillisecond {
		instant = domain.InstantOf(time.Unix(n, 0))
	}
	if instant.IsZero() { // before the year 0 or after 9999
		return domain.Instant{}, errUnreadable
	}
	return instant, nil
}

// id gives the id that an element has, or else one made from its content.
func (o object) id() string {
	if id := o.text("id"); id != "" {
		return id
	}
	return contentID(o.raw(o.tree))
}

// contentID is the head of the SHA-256 of what has no id of its own.
func contentID(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}

// clip cuts a text to what an anomaly tells.
func clip(text string) string {
	if len(text) <= maxDetail {
		return text // as nearly always
	}
	if runes := []rune(text); len(runes) > maxDetail {
		return string(runes[:maxDetail])
	}
	return text
}
