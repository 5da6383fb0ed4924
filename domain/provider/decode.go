package provider

import (
	"errors"
	"iter"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ticketrail/ticketrail/domain"
)

// translate reads the body strictly and says what it means: say gives the event,
// or nil for a webhook that is about no order. What say could not read is in the
// reading by then, and decides over what it gave.
func translate(w *domain.Webhook, say func(body object) *domain.Event) (*domain.Event, error) {
	body, err := read(w)
	if err != nil {
		return nil, err
	}
	event := say(body)
	switch {
	case body.failure != nil:
		return nil, body.failure
	case event == nil:
		return nil, domain.ErrNotAboutOrder
	}
	event.Anomalies = body.anomalies
	return event, nil
}

// maxElements is how many refunds, payments or entries of a history one webhook may
// list; real ones list a dozen. An order is stored whole with each of its webhooks,
// so whatever it has once been given is paid for with every later one.
const maxElements = 1_000

// reading is what came up while one body was read.
type reading struct {
	members   []member // of the objects that were opened, one after the other
	digest    domain.Digest
	anomalies []domain.Anomaly
	failure   *domain.Untranslatable // the first one
}

// object is a JSON object of the body. It is strict on structure and lenient on
// leaves: a value that decides and is of the wrong type fails the reading, a mere
// fact that cannot be read is an anomaly. The zero object has no members.
type object struct {
	*reading
	path    string // a JSON pointer; positions in arrays are left out
	raw     jsontext.Value
	members []member
}

// read takes only what can be read in one way: valid UTF-8, no name twice in one
// object, nothing behind it.
func read(w *domain.Webhook) (object, error) {
	if nestedTooDeeply(w.Body) {
		return object{}, &domain.Untranslatable{Cause: domain.CauseTooDeep}
	}
	switch err := judge(w.Body); {
	case errors.Is(err, ErrNotObject):
		return object{}, &domain.Untranslatable{Cause: domain.CauseWrongType}
	case err != nil:
		return object{}, &domain.Untranslatable{Cause: domain.CauseMalformed}
	}
	room := min(8+len(w.Body)/128, 64) // as much as is mostly needed
	r := &reading{digest: w.BodyDigest, members: make([]member, 0, room)}
	return r.open("", w.Body), nil
}

// object gives the object under a name; one without members for no value.
func (o object) object(name string) object {
	v := o.value(name)
	if v != nil && v.Kind() != jsontext.KindBeginObject {
		o.fail(domain.CauseWrongType, name)
		v = nil
	}
	return o.open(o.path+"/"+name, v)
}

// each gives the objects of the array under a name, without those of no value. More
// than maxElements of them fail the reading.
func (o object) each(name string) iter.Seq[object] {
	return func(yield func(object) bool) {
		v := o.value(name)
		if v != nil && v.Kind() != jsontext.KindBeginArray {
			o.fail(domain.CauseWrongType, name)
			return
		}
		given, path, opened := 0, o.path+"/"+name, len(o.reading.members)
		for element := range parts(v) {
			if isNoValue(element) {
				continue
			}
			given++
			switch {
			case given > maxElements:
				o.fail(domain.CauseTooManyElements, name)
				return
			case element.Kind() != jsontext.KindBeginObject:
				o.fail(domain.CauseWrongType, name)
				return
			case !yield(o.open(path, element)):
				return
			}
			o.reading.members = o.reading.members[:opened] // the next one takes its place
		}
	}
}

// open gives the object that v holds, which is a part of what read has judged; one
// without members for no value.
func (r *reading) open(path string, v jsontext.Value) object {
	before := len(r.members)
	r.members = appendMembers(r.members, v)
	return object{reading: r, path: path, raw: v, members: r.members[before:]}
}

// value gives what the object has under a name, or nil for no value: the name is
// missing, or it holds null, "" or {}.
func (o object) value(name string) jsontext.Value {
	i := slices.IndexFunc(o.members, func(m member) bool { return string(m.name) == name })
	if i < 0 || isNoValue(o.members[i].value) {
		return nil
	}
	return o.members[i].value
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

// note adds an anomaly once. The details are paths of documented fields and clipped
// texts that stand in one place, so a webhook has few, however much is odd in it.
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
