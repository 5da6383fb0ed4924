package provider

import (
	"bytes"
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

// reading is one body, and what came up while it was read.
type reading struct {
	body      jsontext.Value
	escapes   bool // whether the body has any
	digest    domain.Digest
	anomalies []domain.Anomaly
	failure   *domain.Untranslatable // the first one
	room      [12]node               // for the tree of a small body, as most are
}

// object is a JSON object of the body. It is strict on structure and lenient on
// leaves: a value that decides and is of the wrong type fails the reading, a mere
// fact that cannot be read is an anomaly. One without a tree has no members.
type object struct {
	*reading
	path string // a JSON pointer; positions in arrays are left out
	tree tree
}

// read takes only what can be read in one way: valid UTF-8, no name twice in one
// object, nothing behind it.
func read(w *domain.Webhook) (object, error) {
	r := &reading{body: w.Body, escapes: bytes.IndexByte(w.Body, '\\') >= 0, digest: w.BodyDigest}
	tree, cause := survey(w.Body, r.room[:0])
	switch {
	case cause != "":
		return object{}, &domain.Untranslatable{Cause: cause}
	case r.kind(tree) != jsontext.KindBeginObject:
		return object{}, &domain.Untranslatable{Cause: domain.CauseWrongType}
	}
	return object{reading: r, tree: tree}, nil
}

// object gives the object under a name; one without members for no value.
func (o object) object(name string) object {
	found := o.find(name)
	if found != nil && o.kind(found) != jsontext.KindBeginObject {
		o.fail(domain.CauseWrongType, name)
		found = nil
	}
	return object{reading: o.reading, path: o.path + "/" + name, tree: found}
}

// each gives the objects of the array under a name, without those of no value. More
// than maxElements of them fail the reading.
func (o object) each(name string) iter.Seq[object] {
	return func(yield func(object) bool) {
		found := o.find(name)
		if found != nil && o.kind(found) != jsontext.KindBeginArray {
			o.fail(domain.CauseWrongType, name)
			return
		}
		element, given := object{reading: o.reading, path: o.path + "/" + name}, 0
		for rest := found.inside(); len(rest) > 0; {
			element.tree, rest = rest.cut()
			if o.isNoValue(element.tree) {
				continue
			}
			given++
			switch {
			case given > maxElements:
				o.fail(domain.CauseTooManyElements, name)
				return
			case o.kind(element.tree) != jsontext.KindBeginObject:
				o.fail(domain.CauseWrongType, name)
				return
			case !yield(element):
				return
			}
		}
	}
}

// find gives the tree of what the object has under a name, or nil for no value: the
// name is missing, or it holds null, "" or {}.
func (o object) find(name string) tree {
	for rest := o.tree.inside(); len(rest) > 0; {
		key, behind := rest.cut()
		value, others := behind.cut()
		if o.isNamed(key, name) {
			if o.isNoValue(value) {
				return nil
			}
			return value
		}
		rest = others
	}
	return nil
}

// value gives what find finds, as it stands in the body.
func (o object) value(name string) jsontext.Value { return o.raw(o.find(name)) }

// raw gives a value as it stands in the body; nil for no value.
func (r *reading) raw(t tree) jsontext.Value {
	if t == nil {
		return nil
	}
	return r.body[t[0].start:t[0].end:t[0].end]
}

func (r *reading) kind(t tree) jsontext.Kind { return r.raw(t).Kind() }

// isNamed tells whether a name of an object is the one given.
func (r *reading) isNamed(t tree, name string) bool {
	quoted := r.raw(t)
	return string(quoted[1:len(quoted)-1]) == name || r.escapes && spells(quoted, name)
}

// spells tells whether a JSON string has escapes and stands for the text.
func spells(quoted jsontext.Value, text string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return false
	}
	var room [64]byte
	content, _ := jsontext.AppendUnquote(room[:0], quoted) // which read has found right
	return string(content) == text
}

// isNoValue tells whether a value is null, "" or {}: providers write all three where
// they have nothing to say.
func (r *reading) isNoValue(t tree) bool {
	switch r.kind(t) {
	case jsontext.KindNull:
		return true
	case jsontext.KindString:
		return len(r.raw(t)) == len(`""`)
	case jsontext.KindBeginObject:
		return len(t) == 1
	}
	return false
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
