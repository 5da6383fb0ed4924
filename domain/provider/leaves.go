package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	// maxKey is the longest order key, in bytes; providers send about 40.
	maxKey = 256
	// maxDetail is how much of a text an anomaly tells, in characters.
	maxDetail = 64
	// firstMillisecond is the number from which on a Unix time counts
	// milliseconds: as seconds it would be in the year 5138.
	firstMillisecond = 100_000_000_000
)

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// value gives what an object has under a name, or nil for no value: the name is
// missing, or holds null, "" or {}.
func (o object) value(name string) jsontext.Value {
	i := slices.IndexFunc(o.members, func(m member) bool { return string(m.name) == name })
	if i < 0 || isNoValue(o.members[i].value) {
		return nil
	}
	return o.members[i].value
}

func isNoValue(v jsontext.Value) bool {
	switch v.Kind() {
	case jsontext.KindNull:
		return true
	case jsontext.KindString:
		return len(v) == len(`""`)
	case jsontext.KindBeginObject:
		return strings.TrimLeft(string(v[1:min(len(v), 64)]), " \t\r\n") == "}"
	}
	return false
}

// object gives the object under a name, one without members for no value.
func (o object) object(name string) object {
	child := object{reading: o.reading, path: o.path + "/" + name}
	v := o.value(name)
	if v == nil {
		return child
	}
	if v.Kind() != jsontext.KindBeginObject {
		o.fail(domain.CauseWrongType, name)
		return child
	}
	return child.filled(v)
}

// filled gives the object with the members of v, which read has checked.
func (o object) filled(v jsontext.Value) object {
	o.raw = v
	o.members, _ = split(v)
	return o
}

// each gives the objects of the array under a name; elements that are no value
// are passed over.
func (o object) each(name string) iter.Seq[object] {
	return func(yield func(object) bool) {
		_ = yield
	}
}

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

// key gives a part of the order key, which must be there and be usable.
func (o object) key(name string) string {
	key := o.decisive(name)
	switch {
	case key == "":
		o.fail(domain.CauseKeyMissing, name)
	case len(key) > maxKey || strings.ContainsFunc(key, unicode.IsControl):
		o.fail(domain.CauseKeyUnusable, name)
	}
	return key
}

// text gives a string.
func (o object) text(name string) string {
	v := o.value(name)
	switch {
	case v == nil:
		return ""
	case v.Kind() != jsontext.KindString:
		o.unreadable(name)
		return ""
	}
	return unquote(v)
}

// currency gives an ISO 4217 code.
func (o object) currency(name string) string {
	code := o.text(name)
	if code != "" && !currencyForm.MatchString(code) {
		o.unreadable(name)
		return ""
	}
	return code
}

// amount gives a sum in the major unit, from a string or a number.
func (o object) amount(name string) domain.Amount {
	return leaf(o, name, domain.ParseAmount, domain.ParseAmount)
}

// minorAmount gives a sum that the provider counts in hundredths.
func (o object) minorAmount(name string) domain.Amount {
	return leaf(o, name, domain.ParseMinorAmount, domain.ParseMinorAmount)
}

// instant gives a time, from RFC 3339 or from a Unix time as a whole number.
func (o object) instant(name string) domain.Instant {
	return leaf(o, name, domain.ParseInstant, parseUnix)
}

// leaf reads a fact that is written as a string or as a number.
func leaf[T any](o object, name string, parseString, parseNumber func(string) (T, error)) (fact T) {
	v := o.value(name)
	if v == nil {
		return fact
	}
	fact, err := fact, domain.ErrNotFound
	switch v.Kind() {
	case jsontext.KindString:
		fact, err = parseString(unquote(v))
	case jsontext.KindNumber:
		fact, err = parseNumber(string(v))
	}
	if err != nil {
		o.unreadable(name)
	}
	return fact
}

// parseUnix reads a Unix time of seconds, or of milliseconds where it is as great
// as those are. It goes through the text form, which bounds the years.
func parseUnix(text string) (domain.Instant, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return domain.Instant{}, err
	}
	if -firstMillisecond < n && n < firstMillisecond {
		return domain.ParseInstant(time.Unix(n, 0).UTC().Format("2006-01-02T15:04:05Z"))
	}
	return domain.ParseInstant(time.UnixMilli(n).UTC().Format("2006-01-02T15:04:05.000Z"))
}

// id gives the id that an element has, or else one made from its content.
func (o object) id() string {
	if id := o.text("id"); id != "" {
		return id
	}
	return contentID(o.raw)
}

// contentID is the head of the SHA-256 of what has no id of its own.
func contentID(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}

// fail keeps the first reason for which no event can be made.
func (o object) fail(cause, name string) {
	if o.failure == nil {
		o.failure = &domain.Untranslatable{Cause: cause, Where: o.path + "/" + name}
	}
}

// unreadable notes that a documented field holds what it should not.
func (o object) unreadable(name string) {
	o.note(domain.AnomalyUnreadableValue, o.path+"/"+name)
}

// note adds an anomaly once.
func (r *reading) note(code, detail string) {
	anomaly := domain.Anomaly{Code: code, Detail: detail}
	if !slices.Contains(r.anomalies, anomaly) {
		r.anomalies = append(r.anomalies, anomaly)
	}
}

// stamp gives the stamp of what the webhook says.
func (r *reading) stamp(clock domain.Instant, history int, rank uint8) domain.Stamp {
	return domain.NewStamp(clock, history, rank, r.digest)
}

// clip cuts a text to what an anomaly tells.
func clip(text string) string {
	if runes := []rune(text); len(runes) > maxDetail {
		return string(runes[:maxDetail])
	}
	return text
}
