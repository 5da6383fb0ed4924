package eventlog

import (
	"fmt"
	"reflect"

	"github.com/nats-io/nats.go/jetstream"
)

// setting is one field of a stream's configuration on which the stream's
// promises stand.
type setting struct {
	name string
	of   func(*jetstream.StreamConfig) any // a pointer to the field
	// mends tells whether the field may be changed from what a stream has to what
	// is wanted: only where that cannot lose a message or weaken the stream. It is
	// nil where it never may.
	mends func(want, have *jetstream.StreamConfig) bool
	hint  string
}

const (
	hintForeign = "the stream was changed or made by another program: set it back with the nats command line, " +
		"or move its messages to a new stream"
	hintLower = "a limit of an existing stream is only ever raised: configure at least what the stream has"
)

// settings holds every field that is compared. Those it lacks have no bearing on
// what is stored: description, metadata, placement, consumer limits.
var settings = []setting{
	{"subjects", func(c *jetstream.StreamConfig) any { return &c.Subjects }, nil, hintForeign},
	{"storage", func(c *jetstream.StreamConfig) any { return &c.Storage }, nil, hintForeign},
	{"retention", func(c *jetstream.StreamConfig) any { return &c.Retention }, nil, hintForeign},
	{"discard", func(c *jetstream.StreamConfig) any { return &c.Discard }, nil, hintForeign},
	{"discard_new_per_subject", func(c *jetstream.StreamConfig) any { return &c.DiscardNewPerSubject }, nil, hintForeign},
	{"max_msgs", func(c *jetstream.StreamConfig) any { return &c.MaxMsgs }, nil, hintForeign},
	{"max_msgs_per_subject", func(c *jetstream.StreamConfig) any { return &c.MaxMsgsPerSubject }, nil, hintForeign},
	{"max_msg_size", func(c *jetstream.StreamConfig) any { return &c.MaxMsgSize }, nil, hintForeign},
	{"max_consumers", func(c *jetstream.StreamConfig) any { return &c.MaxConsumers }, nil, hintForeign},
	{"no_ack", func(c *jetstream.StreamConfig) any { return &c.NoAck }, nil, hintForeign},
	{"sealed", func(c *jetstream.StreamConfig) any { return &c.Sealed }, nil, hintForeign},
	{"allow_rollup_hdrs", func(c *jetstream.StreamConfig) any { return &c.AllowRollup }, nil, hintForeign},
	{"allow_msg_ttl", func(c *jetstream.StreamConfig) any { return &c.AllowMsgTTL }, nil, hintForeign},
	{"subject_delete_marker_ttl", func(c *jetstream.StreamConfig) any { return &c.SubjectDeleteMarkerTTL }, nil, hintForeign},
	{"allow_msg_counter", func(c *jetstream.StreamConfig) any { return &c.AllowMsgCounter }, nil, hintForeign},
	{"allow_msg_schedules", func(c *jetstream.StreamConfig) any { return &c.AllowMsgSchedules }, nil, hintForeign},
	{"compression", func(c *jetstream.StreamConfig) any { return &c.Compression }, nil, hintForeign},
	{"persist_mode", func(c *jetstream.StreamConfig) any { return &c.PersistMode }, nil, hintForeign},
	{"subject_transform", func(c *jetstream.StreamConfig) any { return &c.SubjectTransform }, nil, hintForeign},
	{"republish", func(c *jetstream.StreamConfig) any { return &c.RePublish }, nil, hintForeign},
	{"mirror", func(c *jetstream.StreamConfig) any { return &c.Mirror }, nil, hintForeign},
	{"sources", func(c *jetstream.StreamConfig) any { return &c.Sources }, nil, hintForeign},

	{"max_bytes", func(c *jetstream.StreamConfig) any { return &c.MaxBytes }, raisesMaxBytes, hintLower},
	{"max_age", func(c *jetstream.StreamConfig) any { return &c.MaxAge }, raisesMaxAge, hintLower},
	{"num_replicas", func(c *jetstream.StreamConfig) any { return &c.Replicas }, raisesReplicas, hintLower},
	{"duplicate_window", func(c *jetstream.StreamConfig) any { return &c.Duplicates }, always, ""},
	{"deny_delete", func(c *jetstream.StreamConfig) any { return &c.DenyDelete }, deniesDelete, hintForeign},
	{"deny_purge", func(c *jetstream.StreamConfig) any { return &c.DenyPurge }, deniesPurge, hintForeign},
	{"allow_direct", func(c *jetstream.StreamConfig) any { return &c.AllowDirect }, always, ""},
	{"allow_atomic", func(c *jetstream.StreamConfig) any { return &c.AllowAtomicPublish }, always, ""},
}

// raisesMaxBytes takes a first limit for a raise: a stream that refuses what is
// new drops nothing for it.
func raisesMaxBytes(want, have *jetstream.StreamConfig) bool {
	if have.MaxBytes <= 0 {
		return have.Discard == jetstream.DiscardNew
	}
	return want.MaxBytes > have.MaxBytes
}

func raisesMaxAge(want, have *jetstream.StreamConfig) bool {
	return want.MaxAge == 0 || have.MaxAge > 0 && want.MaxAge > have.MaxAge
}

func raisesReplicas(want, have *jetstream.StreamConfig) bool { return want.Replicas > have.Replicas }

func deniesDelete(want, _ *jetstream.StreamConfig) bool { return want.DenyDelete }

func deniesPurge(want, _ *jetstream.StreamConfig) bool { return want.DenyPurge }

func always(_, _ *jetstream.StreamConfig) bool { return true }

// reconcile gives the configuration that a stream should come to have: what it
// has, with what may be mended taken from want. It tells whether the two differ,
// and returns a SettingError for the first difference that may not be mended.
func reconcile(want *jetstream.StreamConfig, have jetstream.StreamConfig) (mended jetstream.StreamConfig, changed bool, err error) {
	mended = have
	for _, s := range settings {
		wanted, found := field(s, want), field(s, &have)
		if equal(wanted, found) {
			continue
		}
		if s.mends == nil || !s.mends(want, &have) {
			return have, false, &SettingError{
				Setting: want.Name + " " + s.name,
				Want:    fmt.Sprint(wanted),
				Have:    fmt.Sprint(found),
				Hint:    s.hint,
			}
		}
		field(s, &mended).Set(wanted)
		changed = true
	}
	return mended, changed, nil
}

func field(s setting, config *jetstream.StreamConfig) reflect.Value {
	return reflect.ValueOf(s.of(config)).Elem()
}

// equal takes an absent list or object and an empty one as the same.
func equal(a, b reflect.Value) bool {
	if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
