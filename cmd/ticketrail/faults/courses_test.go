package faults_test

import (
	"context"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// course is what is done to a program. What it breaks the stage's judge has found
// afterwards.
type course func(*stage)

// some is how many webhooks a course takes, as a rule.
const some = 150

// courseCalm does nothing to the program but start it again: what comes once more
// then is long forgotten by the broker.
func courseCalm(s *stage) {
	s.t.Helper()
	for range 2 {
		p := s.start()
		if p == nil {
			return
		}
		before, err := p.uses()
		require.NoError(s.t, err)
		s.under(p, 2*some, func() {})
		s.judge.givesBack(p, before)
		s.judged(p)
	}
}

// courseKill kills it under load.
func courseKill(s *stage) {
	s.t.Helper()
	p := s.start()
	if p == nil {
		return
	}
	s.under(p, some, p.kill)
	s.look()
}

// courseApart kills it between the effects and their checkpoint, where these are
// committed apart, and anyway.
func courseApart(s *stage) {
	s.t.Helper()
	p := s.start(placeVariable+"=commit.apart", passVariable+"=9")
	if p == nil {
		return
	}
	s.under(p, some, p.kill)
	s.look()
}

// courseCut cuts the power under load.
func courseCut(s *stage) {
	s.t.Helper()
	p := s.onDisk().start()
	if p == nil {
		return
	}
	s.under(p, some, func() { s.cut(p) })
	s.powerOn(false)
	s.look()
}

// courseCutSwitch cuts the power right after another read model has come into use.
// Nobody sends meanwhile, since a commit would sync what the switch should have.
func courseCutSwitch(s *stage) {
	s.t.Helper()
	p := s.onDisk().start()
	if p == nil {
		return
	}
	s.under(p, some, func() {})
	s.catchUp(p)
	s.switchModel(p)
	s.cut(p)
	s.powerOn(false)
	s.look()
}

// courseKillSwitch kills the program some commits after another read model has come
// into use: too few for SQLite to write its log back, but for the first, which does so
// after every opening. All of them are read before.
func courseKillSwitch(s *stage) {
	s.t.Helper()
	p := s.start()
	if p == nil {
		return
	}
	s.under(p, some, func() { s.switchModel(p) })
	for range 4 {
		s.under(p, 2*clients, func() {})
		s.catchUp(p)
	}
	p.kill()
	s.look()
}

func (s *stage) switchModel(p *program) {
	s.t.Helper()
	ended, err := rebuild(context.Background(), p, `{}`)
	require.NoError(s.t, err)
	require.Equal(s.t, domain.RebuildSwitched, ended.State)
}

// streamFolders are what a stream is kept in, in a data folder.
var streamFolders = []string{"stream", "archive"}

// courseReplaced puts another stream in the place of the one that the read model
// is made from: one that has the same beginning, and then went another way.
func courseReplaced(s *stage) {
	s.t.Helper()
	s.some(some)
	other := newStage(s.t, s.binary, s.bug, s.random)
	other.senders.sources, other.config = s.senders.sources, s.config
	for _, folder := range streamFolders {
		require.NoError(s.t, os.CopyFS(filepath.Join(other.data, folder), os.DirFS(filepath.Join(s.data, folder))))
	}
	s.some(some)
	other.some(4 * some)
	for _, folder := range streamFolders {
		require.NoError(s.t, os.RemoveAll(filepath.Join(s.data, folder)))
		require.NoError(s.t, os.Rename(filepath.Join(other.data, folder), filepath.Join(s.data, folder)))
	}
	if p := s.start(); p != nil {
		s.mustStandStill(p)
	}
}

// some has a program take so many webhooks, apply them, and stop.
func (s *stage) some(acknowledged int) {
	s.t.Helper()
	p := s.start()
	require.NotNil(s.t, p)
	s.under(p, acknowledged, func() {})
	s.catchUp(p)
	require.NoError(s.t, p.stop())
}

// catchUp reads until a program that nobody sends to has applied all that it took.
func (s *stage) catchUp(p *program) {
	s.t.Helper()
	var projection api.Projection
	require.True(s.t, await(patience, func() bool {
		projection = api.Projection{}
		return p.get(context.Background(), "/v1/projection", &projection) == nil && projection.Lag != nil && projection.Lag.Webhooks == 0
	}))
	s.judge.reads.highest = max(s.judge.reads.highest, projection.Checkpoint)
}

// mustStandStill requires that the projector says why it goes on no more.
func (s *stage) mustStandStill(p *program) {
	var projection api.Projection
	stands := await(s.judge.limit, func() bool {
		projection = api.Projection{}
		return p.get(context.Background(), "/v1/projection", &projection) == nil &&
			projection.Running != nil && !*projection.Running && projection.Hint != nil
	})
	_, status, err := p.raw(context.Background(), "GET", "/readyz", "")
	if !stands || err != nil || status != 503 {
		s.judge.find(checkClosed, "it is at %d and answers %d", projection.Checkpoint, status)
	}
	p.kill()
}
