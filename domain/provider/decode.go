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
	members, err := split(w.Body)
	switch {
	case errors.Is(err, ErrNotObject):
		return object{}, &domain.Untranslatable{Cause: domain.CauseWrongType}
	case err != nil:
		return object{}, &domain.Untranslatable{Cause: domain.CauseMalformed}
	}
	return object{reading: &reading{digest: w.BodyDigest}, raw: w.Body, members: members}, nil
}

// object gives the object under a name; one without members for no value.
func (o object) object(name string) object {
	v := o.value(name)
	if v != nil && v.Kind() != jsontext.KindBeginObject {
		o.fail(domain.CauseWrongType, name)
		v = nil
	}
	return o.child(name, v)
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
		given := 0
		for element := range elements(v) {
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
			case !yield(o.child(name, element)):
				return
			}
		}
	}
}

// child gives the object that v holds, which is a part of what read has checked.
func (o object) child(name string, v jsontext.Value) object {
	child := object{reading: o.reading, path: o.path + "/" + name, raw: v}
	if v != nil {
		child.members, _ = split(v, jsontext.AllowDuplicateNames(true))
	}
	return child
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
