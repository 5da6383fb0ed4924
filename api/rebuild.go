package api

import (
	"context"

	"github.com/ticketrail/ticketrail/domain"
)

// RebuildRequest says what a rebuild is for.
type RebuildRequest struct {
	Plan      bool           `json:"plan,omitempty" example:"true" doc:"Compare only, and put nothing in the place of anything."`
	Accept    bool           `json:"accept,omitempty" doc:"Take the rebuilt read model into use although it differs."`
	Until     uint64         `json:"until,omitempty" minimum:"1" example:"3" doc:"Make a snapshot instead: the read model as it was at this stream sequence."`
	UntilTime domain.Instant `json:"until_time,omitzero" format:"date-time" doc:"The same at a time, RFC 3339: after the last webhook that the stream had taken by then."`
}

// Rebuild is what there is to tell of one rebuild.
type Rebuild struct {
	ID             int                 `json:"id" example:"2" doc:"From 1, never used twice."`
	State          domain.RebuildState `json:"state" enum:"building,comparing,switching,switched,equal,differs,kept,canceled,failed" example:"switched" doc:"building, comparing and switching go on; the others are ends. equal: a plan that found no difference. differs: a difference was found, or nothing could be compared, and that was not accepted. kept: a snapshot."`
	Error          *string             `json:"error" doc:"Why it failed, or while it goes on what it is trying again; null where all is well."`
	Hint           *string             `json:"hint" doc:"What an operator can do about that."`
	StartedOver    *string             `json:"started_over" example:"its schema is not the one of this program: an older program made it: it has number 3, this one 4" doc:"Why a start of the program put the read model in use aside and began it anew; null for every other rebuild. Until it has come to the target, reads are answered with 503; /v1/projection tells how far it is."`
	Plan           bool                `json:"plan" doc:"Whether it only compares."`
	Accept         bool                `json:"accept" doc:"Whether a difference is accepted."`
	Until          *uint64             `json:"until" example:"3" doc:"The stream sequence of the snapshot; null where it is none."`
	FromVersion    int                 `json:"from_version" example:"1" doc:"The version of the projection that built the read model in use; 0 for none."`
	ToVersion      int                 `json:"to_version" example:"1" doc:"The version of the projection that builds this one."`
	StreamSequence uint64              `json:"stream_sequence" example:"812" doc:"How far it is."`
	Target         uint64              `json:"target" example:"812" doc:"How far it must come, as known by now."`
	Progress       float64             `json:"progress" minimum:"0" maximum:"1" example:"1" doc:"The first as a share of the second."`
	RatePerSecond  float64             `json:"rate_per_second" example:"52000.5" doc:"Webhooks a second while the stream was read, without the time of comparing and switching."`
	ETASeconds     *float64            `json:"eta_seconds" example:"3.5" doc:"How long the reading of the rest takes at that rate; null where it cannot be said."`
	StartedAt      domain.Instant      `json:"started_at" format:"date-time" doc:"When it began."`
	EndedAt        *domain.Instant     `json:"ended_at" format:"date-time" doc:"When it ended; null while it goes on."`
	Difference     *Difference         `json:"difference" doc:"What sets the two read models apart; null before the comparison, and where nothing is compared."`
	Uncompared     *Uncompared         `json:"uncompared" doc:"Why the two read models could not be compared row by row, and what each of them holds; null where they could."`
	File           *string             `json:"file" format:"uri-reference" example:"/v1/rebuilds/2/file" doc:"Where the snapshot is; null where there is none."`
}

// RebuildList is a page of the rebuilds.
type RebuildList struct {
	Rebuilds   []Rebuild `json:"rebuilds" nullable:"false" doc:"The newest first."`
	NextCursor *string   `json:"next_cursor" doc:"The cursor of the next page; null on the last."`
}

// rebuild gives a rebuild in JSON, as whoever asks may see it.
func (h *handler) rebuild(ctx context.Context, r domain.Rebuild) Rebuild {
	now := h.config.Now()
	told := Rebuild{
		ID:             r.ID,
		State:          r.State,
		Error:          orNull(r.Error),
		Hint:           orNull(r.Hint),
		StartedOver:    orNull(r.StartedOver),
		Plan:           r.Options.Plan,
		Accept:         r.Options.Accept,
		Until:          orNull(r.Options.Until),
		FromVersion:    r.FromVersion,
		ToVersion:      r.ToVersion,
		StreamSequence: r.StreamSequence,
		Target:         r.Target,
		Progress:       progress(r),
		RatePerSecond:  r.Rate(now),
		StartedAt:      domain.InstantOf(r.StartedAt),
		Difference:     difference(ctx, r.Difference),
		Uncompared:     uncompared(r.Uncompared),
	}
	switch {
	case r.State == domain.RebuildKept:
		told.File = new(rebuildPath(r.ID) + "/file")
	case !r.State.Ended():
		told.ETASeconds = orNull(r.Remaining(now).Seconds())
	}
	if r.State.Ended() {
		told.EndedAt = orNull(domain.InstantOf(r.EndedAt))
	}
	return told
}

// progress is how far a rebuild is, from 0 to 1. One that came to its end has
// nothing left, of an empty stream too.
func progress(r domain.Rebuild) float64 {
	interrupted := r.State == domain.RebuildCanceled || r.State == domain.RebuildFailed
	switch {
	case r.State.Ended() && !interrupted:
		return 1
	case r.Target == 0:
		return 0
	}
	return min(1, float64(r.StreamSequence)/float64(r.Target))
}

// UnderWay is the rebuild that goes on.
type UnderWay struct {
	_        struct{}            `nullable:"true"`
	ID       int                 `json:"id" example:"2" doc:"Its id."`
	State    domain.RebuildState `json:"state" enum:"building,comparing,switching" example:"building" doc:"Where it is."`
	Progress float64             `json:"progress" example:"0.5" doc:"How far it is, from 0 to 1."`
	URL      string              `json:"url" format:"uri-reference" example:"/v1/rebuilds/2" doc:"Where more is told of it."`
}

// underWay gives the rebuild that goes on, nil where none does.
func (h *handler) underWay() *UnderWay {
	all := h.config.Rebuilds.Rebuilds()
	if len(all) == 0 || all[0].State.Ended() {
		return nil
	}
	newest := all[0]
	return &UnderWay{ID: newest.ID, State: newest.State, Progress: progress(newest), URL: rebuildPath(newest.ID)}
}
