package domain

import "time"

// RebuildOptions say what a rebuild is for.
type RebuildOptions struct {
	// Plan compares and puts nothing in the place of anything.
	Plan bool `json:"plan,omitzero"`
	// Accept takes the rebuilt read model into use although it differs.
	Accept bool `json:"accept,omitzero"`
	// Until makes a snapshot: the read model as it was at that stream sequence,
	// kept beside the one in use and compared with nothing. 0 for none.
	Until uint64 `json:"until,omitzero"`
}

// RebuildState is where a rebuild is.
type RebuildState string

// The states of a rebuild: the first three follow on each other, one of the
// others ends it.
const (
	RebuildBuilding  RebuildState = "building"  // reading the stream from its start
	RebuildComparing RebuildState = "comparing" // with the read model in use, at one stream sequence
	RebuildSwitching RebuildState = "switching" // catching up and taking its place
	RebuildSwitched  RebuildState = "switched"  // in use
	RebuildEqual     RebuildState = "equal"     // a plan that found no difference
	RebuildDiffers   RebuildState = "differs"   // a difference was found, or nothing could be compared, and it was not accepted
	RebuildKept      RebuildState = "kept"      // a snapshot, ready to be read
	RebuildCanceled  RebuildState = "canceled"
	RebuildFailed    RebuildState = "failed"
)

// Ended tells whether nothing more comes.
func (s RebuildState) Ended() bool {
	return s != RebuildBuilding && s != RebuildComparing && s != RebuildSwitching
}

// Rebuild is what there is to tell of one rebuild, while it goes on and after.
type Rebuild struct {
	ID      int            `json:"id"` // from 1, never used twice
	Options RebuildOptions `json:"options"`
	State   RebuildState   `json:"state"`
	// Error says why it failed, or while it goes on what it is trying again; empty where
	// all is well.
	Error string `json:"error,omitzero"`
	// Hint says what can be done about that; empty where nobody knows.
	Hint string `json:"hint,omitzero"`
	// StartedOver says why a start of the program began the read model in use anew, in place
	// of one that it could not use; empty for every other rebuild. It has ended where that
	// was done: the projector makes what is to be in it.
	StartedOver string `json:"started_over,omitzero"`
	// FromVersion and ToVersion are the versions of the projection that built the
	// read model in use and that builds this one.
	FromVersion int `json:"from_version"`
	ToVersion   int `json:"to_version"`
	// StreamSequence is how far it is, and Target how far it must come for now.
	StreamSequence uint64 `json:"stream_sequence"`
	Target         uint64 `json:"target"`
	// StartedAt and EndedAt are by this machine's clock; EndedAt is zero before.
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	// BuiltAt is when the building was over, and BuiltTo how far it had come: what is
	// read while comparing and switching comes on top. Both are zero before.
	BuiltAt time.Time `json:"built_at,omitzero"`
	BuiltTo uint64    `json:"built_to,omitzero"`
	// Difference is nil before the comparison, and where nothing was compared.
	Difference *Difference `json:"difference,omitempty"`
	// Uncompared says why nothing could be compared; nil where it could, or where
	// it was not to be.
	Uncompared *Uncompared `json:"uncompared,omitempty"`
}

// Uncompared is what there is to tell of a rebuilt read model and the one in use
// where these cannot be compared row by row: they are not of one stream, or the one in
// use cannot be read.
type Uncompared struct {
	Reason         string  `json:"reason"`
	InUse, Rebuilt Content // as far as each could be read
}

// Content is what a read model holds, in numbers.
type Content struct {
	Stream StreamIdentity `json:"stream"`
	// StreamSequence is its checkpoint; 0 for an empty one, and for one that cannot
	// be read.
	StreamSequence uint64      `json:"stream_sequence"`
	Tables         []TableSize `json:"tables"`
}

// TableSize is how many rows a table has.
type TableSize struct {
	Table string `json:"table"`
	Rows  uint64 `json:"rows"`
}

// Rate is the number of webhooks a second over the building so far, at now. How long
// comparing and switching take is not in it.
func (r *Rebuild) Rate(now time.Time) float64 {
	until, read := now, r.StreamSequence
	switch {
	case !r.BuiltAt.IsZero():
		until, read = r.BuiltAt, r.BuiltTo
	case !r.EndedAt.IsZero():
		until = r.EndedAt
	}
	elapsed := until.Sub(r.StartedAt).Seconds()
	if elapsed <= 0 {
		return 0
	}
	return float64(read) / elapsed
}

// Remaining is how long the rest takes to read at that rate; 0 where it cannot be
// said, as while comparing.
func (r *Rebuild) Remaining(now time.Time) time.Duration {
	rate := r.Rate(now)
	if rate == 0 || r.State == RebuildComparing || r.StreamSequence >= r.Target {
		return 0
	}
	return time.Duration(float64(r.Target-r.StreamSequence) / rate * float64(time.Second))
}
