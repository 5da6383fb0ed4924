package faults_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	// leastRoom is what a full disk has left at the most, in bytes: what some dozens of
	// webhooks take, in the stream, in the archive or in the read model.
	leastRoom = 256 << 10
	// noArchive has a program keep none.
	noArchive = "TICKETRAIL_ARCHIVE_DIR=off"
	// someSlow is how many webhooks a slow disk takes.
	someSlow = 6
)

// Wherever the disk is full to the last byte, in the middle of whichever file, senders are
// refused at once, the program goes on by itself when there is room again, and nothing
// that was answered with 200 is lost: also not by a power cut thereafter.
func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 5))
	var s *stage
	for n := range *diskFills {
		if n%lives == 0 {
			s = newStage(t, plainBinary, "", random).onDisk()
		}
		fault, told := "disk full, by a quota", false
		if n%3 == 2 {
			fault, told = "disk full", true
		}
		s.outlive(n%2 == 1, func() { s.disk.fill(random.IntN(leastRoom), told) }, s.disk.free)
		s.require(fault)
	}
}

// What a disk failed to sync is made up for before anything is built on it: it is never
// taken for kept because it can be read, neither by the broker that is started again nor by
// a program that is. The power cut afterwards would show it.
func TestSyncsThatFailedAreMadeUpFor(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 6))
	var s *stage
	for n := range *badSyncs {
		if n%lives == 0 {
			s = newStage(t, plainBinary, "", random).onDisk()
		}
		fault := "syncs fail for a while, then power cut"
		if s.environment = nil; n%4 >= 2 {
			fault, s.environment = fault+"; no archive", []string{noArchive}
		}
		if n%2 == 0 {
			s.outlive(true, func() { s.disk.fail(true) }, func() { s.disk.fail(false) })
		} else {
			fault = "kill -9 while " + fault
			courseFailedSync(s)
		}
		s.require(fault)
	}
}

// A disk that takes seconds to sync makes answers late or 503, and nothing else: no
// webhook is lost, and the broker is left to its work.
func TestASlowDiskIsWaitedFor(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 7))
	for range *slowDisks {
		s := newStage(t, plainBinary, "", random)
		courseSlow(s)
		s.require("disk slow")
	}
}

// slowSyncs gives how long syncs take on a slow disk.
func slowSyncs(random *rand.Rand) []time.Duration {
	delays := make([]time.Duration, 100)
	for i := range delays {
		delays[i] = 300*time.Millisecond + time.Duration(random.Int64N(int64(1700*time.Millisecond)))
	}
	return delays
}

// outlive has trouble with the disk come and go under a program that must go on by
// itself; then the judge looks at that very program, or at what a power cut leaves.
func (s *stage) outlive(cut bool, begin, end func()) {
	s.t.Helper()
	p := s.start()
	if p == nil {
		return
	}
	s.under(p, 1+s.random.IntN(some), func() {
		begin()
		s.mustRefuse(p)
		end()
		if s.mustMend(p) {
			s.more(p, some/3)
		}
		if cut {
			s.cut(p)
		}
	})
	s.politely()
	if !cut {
		s.judged(p)
		return
	}
	s.powerOn(false)
	s.look()
}

// mustRefuse requires that senders are refused now, and that the program says so.
func (s *stage) mustRefuse(p *program) {
	s.t.Helper()
	tried := s.senders.history.refused() + 5*clients
	refused := await(patience, func() bool { return s.senders.history.refused() >= tried && p.ready() == http.StatusServiceUnavailable })
	if !refused {
		s.judge.find(checkRefused, "%d requests were refused, and /readyz of ingest answers %d", s.senders.history.refused(), p.ready())
	}
}

// mustMend requires that the program takes webhooks again, and tells whether it does.
func (s *stage) mustMend(p *program) bool {
	s.t.Helper()
	began, limit := time.Now(), min(*mending, s.judge.limit)
	goal := s.senders.history.acknowledged() + clients
	mended := await(limit, func() bool { return p.ready() == http.StatusOK && s.senders.history.acknowledged() >= goal })
	if !mended {
		s.judge.find(checkMended, "it takes no webhook after %s", limit)
	}
	s.t.Logf("webhooks are taken %s after the disk works again", time.Since(began).Round(time.Millisecond))
	return mended
}

// politely requires that every refusal came soon and said when to come again.
func (s *stage) politely() {
	slowest, curt := s.senders.history.manners()
	if slowest > *refusal || curt > 0 {
		s.judge.find(checkRefused, "the slowest refusal took %s, and %d do not say when to come again", slowest, curt)
	}
	s.t.Logf("the slowest refusal took %s", slowest.Round(time.Millisecond))
}

// courseFull fills the disk for a while. There is no archive, whose trouble would be found
// out before the broker meets its own.
func courseFull(s *stage) {
	s.environment = []string{noArchive}
	s.onDisk().outlive(false, func() { s.disk.fill(0, false) }, s.disk.free)
}

// courseFailedSync kills a program whose syncs fail, has the next one go on from what it
// can read, and cuts the power.
func courseFailedSync(s *stage) {
	s.t.Helper()
	if s.disk == nil {
		s.onDisk()
	}
	p := s.start()
	if p == nil {
		return
	}
	s.under(p, 1+s.random.IntN(some), func() {
		s.disk.fail(true)
		s.mustRefuse(p)
		p.kill()
		s.disk.fail(false)
	})
	if p = s.start(); p == nil {
		return
	}
	s.under(p, some/3, func() { s.cut(p) })
	s.powerOn(false)
	s.look()
}

// courseCutAlone cuts the power where there is no archive to give back what the stream has
// lost.
func courseCutAlone(s *stage) {
	s.environment = []string{noArchive}
	courseCut(s)
}

// courseFailAndCut has syncs fail and then cuts the power, where there is no archive.
func courseFailAndCut(s *stage) {
	s.t.Helper()
	s.environment = []string{noArchive}
	s.onDisk().disturb(false, s.failAndCut)
	s.powerOn(false)
	s.look()
}

// courseSlow has the disk take its time for a while.
func courseSlow(s *stage) {
	s.t.Helper()
	p := s.onDisk().start()
	if p == nil {
		return
	}
	s.under(p, some/3, func() {
		goal := s.senders.history.acknowledged() + someSlow
		s.disk.slow(slowSyncs(s.random)...)
		if !await(s.judge.limit, func() bool { return s.senders.history.acknowledged() >= goal }) {
			s.judge.find(checkPatient, "it takes nothing any more")
		}
		s.disk.slow()
	})
	s.judged(p)
	if strings.Contains(p.logged.String(), "embedded broker") {
		s.judge.find(checkPatient, "the log tells of a broken broker")
	}
}
