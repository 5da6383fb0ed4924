package faults_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// lives is how many faults one data folder goes through before the next one is
// taken: long enough for one to meet the remains of others.
const lives = 6

// A webhook that was answered with 200 survives a power cut at any moment, under
// load and while a read model is rebuilt, and so does all that was read.
func TestPowerCutsLoseNothing(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 1))
	var s *stage
	for n := range *powerCuts {
		way := syncing[n/lives%len(syncing)]
		if n%lives == 0 {
			s = newStage(t, plainBinary, "", random).onDisk()
			s.environment = way.environment
		}
		fault, act, torn := "power cut, the rest is lost", s.cut, false
		switch n % 3 {
		case 1:
			fault, torn = "power cut, the rest is torn", true
		case 2:
			fault, act = "syncs fail, then power cut", s.failAndCut
		}
		s.disturb(n%2 == 1, act)
		s.powerOn(torn)
		s.look()
		s.require(fault + way.name)
	}
}

// syncing are the ways in which webhooks come to be on disk before they are answered.
var syncing = []struct {
	name        string
	environment []string
}{
	{"", nil},
	{", a sync for each", []string{"TICKETRAIL_STREAM_DURABILITY=each"}},
	{", no archive", []string{"TICKETRAIL_ARCHIVE_DIR=off"}},
}

// Without the sync before the answer the same cuts lose webhooks, and that is seen: by
// the judge, or by the program itself, which refuses files that were torn.
func TestPowerCutsOfAProgramThatDoesNotSyncAreSeen(t *testing.T) {
	t.Parallel()
	caught := 0
	for n := range *controls {
		random := rand.New(rand.NewPCG(*seed+uint64(n), 2))
		s := newStage(t, seededBinary, "sync-off", random).onDisk()
		s.disturb(false, s.cut)
		s.powerOn(n%2 == 1)
		s.look()
		found := s.found()
		results.broken("power cut without sync", found)
		if has(found, checkLoss) || has(found, checkStart) {
			caught++
		}
	}
	require.GreaterOrEqual(t, caught*100, *controls*95, "%d of %d", caught, *controls)
}

// kill -9 breaks nothing, whenever and wherever it comes.
func TestKillsBreakNothing(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 3))
	turns := random.Perm(len(places))
	var s *stage
	for n := range *kills {
		if n%lives == 0 {
			s = newStage(t, seededBinary, "", random)
		}
		fault := "kill -9 at random"
		if n%2 == 0 {
			s.disturb(n%4 == 2, (*program).kill)
		} else {
			at := places[turns[n/2%len(turns)]]
			fault = "kill -9 at " + at.name
			s.killAt(at)
		}
		s.look()
		s.require(fault)
	}
}

// Each bug that is put into the program is caught by the check that is there for it,
// and the very same course without the bug finds nothing.
func TestSeededBugsAreCaught(t *testing.T) {
	t.Parallel()
	for i, b := range bugs[:min(*seeded, len(bugs))] {
		t.Run(b.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(*seed, uint64(i)))
			control := newStage(t, seededBinary, "", random)
			b.course(control)
			control.require("course of " + b.name)
			s := newStage(t, seededBinary, b.name, random)
			b.course(s)
			found := s.found()
			results.broken(b.name, found)
			require.True(t, has(found, b.check), "not caught by %q, but by %v", b.check, found)
		})
	}
}

func has(found []violation, check string) bool {
	for _, v := range found {
		if v.check == check {
			return true
		}
	}
	return false
}

// require fails the test where the judge found something.
func (s *stage) require(fault string) {
	s.t.Helper()
	found := s.found()
	results.clean(fault, found)
	require.Empty(s.t, found, "%s (seed %d)", fault, *seed)
}

// disturb starts a program and does something to it at any moment under load, with
// a rebuild going on if that is wanted.
func (s *stage) disturb(rebuilding bool, act func(*program)) {
	s.t.Helper()
	p := s.start()
	if p == nil {
		return
	}
	s.under(p, 1+s.random.IntN(some), func() {
		if rebuilding {
			var begun api.Rebuild
			require.NoError(s.t, p.ask(context.Background(), "POST", "/v1/rebuilds", `{}`, &begun))
			s.more(p, s.random.IntN(some/2))
		}
		act(p)
	})
}

// killAt has a program kill itself at a place.
func (s *stage) killAt(at place) {
	s.t.Helper()
	pass := 1 + s.random.IntN(at.until)
	p := s.start(placeVariable+"="+at.name, passVariable+"="+strconv.Itoa(pass))
	if p == nil {
		return
	}
	s.under(p, some/3, func() {
		switch at.when {
		case byRebuild:
			_, _ = rebuild(context.Background(), p, `{}`)
		case bySnapshot:
			_, _ = rebuild(context.Background(), p, fmt.Sprintf(`{"until":%d}`, 1+s.random.IntN(some/4)))
		}
		require.True(s.t, await(patience, p.gone), "it never came to %s for the %d. time", at.name, pass)
	})
}
