package faults_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// stage is a data folder with those who send to it and the judge of it, through all
// that is done to the programs on it.
type stage struct {
	t       *testing.T
	binary  string
	bug     string // switched on in every program here
	data    string
	config  string
	senders *senders
	judge   *judge
	random  *rand.Rand

	environment []string // of every program here, besides its own
	cluster     *cluster // of brokers, where it is not the embedded one

	disk    *disk // that the data folder is on, where the power can be cut
	unmount func()
}

// brokenLimit is how long a program that is broken on purpose may take to follow.
// It is one that must not be fast enough to be let off.
const brokenLimit = 10 * time.Second

// failingFor is how long a disk fails at the most before the power is cut.
const failingFor = 10 * time.Second

func newStage(t *testing.T, binary, bug string, random *rand.Rand) *stage {
	t.Helper()
	made, file := sources(t)
	s := &stage{
		t: t, binary: binary, bug: bug, data: filepath.Join(t.TempDir(), "data"), config: file,
		senders: newSenders(made, random.Uint64(), clients), random: random,
	}
	limit := patience
	if bug != "" {
		limit = brokenLimit
	}
	s.judge = newJudge(s.senders.history, limit)
	return s
}

// onDisk puts the data folder on a disk whose power can be cut. Where none can be
// mounted the test is skipped, which the table says; or fails, if that is wanted.
func (s *stage) onDisk() *stage {
	s.t.Helper()
	if err := mountable(); err != nil {
		results.skip(s.t.Name(), err)
		require.NotEqual(s.t, "required", *needFUSE, "%v", err)
		s.t.Skip(err)
	}
	s.mount(newDisk())
	return s
}

func (s *stage) mount(d *disk) {
	s.t.Helper()
	folder, unmount := mount(s.t, d)
	s.disk, s.unmount, s.data = d, unmount, filepath.Join(folder, "data")
}

// start starts a program. One that does not start is a violation, and nil.
func (s *stage) start(environment ...string) *program {
	s.t.Helper()
	p, err := s.tryStart(environment...)
	if err != nil {
		s.judge.find(checkStart, "%v", err)
		return nil
	}
	return p
}

func (s *stage) tryStart(environment ...string) (*program, error) {
	s.t.Helper()
	// Repetitions are to reach the projector too, and not only the broker.
	environment = append(environment, "TICKETRAIL_STREAM_DUPLICATE_WINDOW=100ms", bugVariable+"="+s.bug)
	return start(s.t, s.binary, s.config, s.data, append(environment, s.environment...)...)
}

// under sends and reads until so many more webhooks are acknowledged, or the
// program is gone; then it acts, and ends the sending and the reading.
func (s *stage) under(p *program, acknowledged int, act func()) {
	s.t.Helper()
	endReads := s.judge.reads.watch(p)
	going := s.senders.send(p)
	defer func() {
		going.end()
		endReads()
	}()
	s.more(p, acknowledged)
	act()
}

// more waits until so many more webhooks are acknowledged, or the program is gone.
func (s *stage) more(p *program, acknowledged int) {
	s.t.Helper()
	goal := s.senders.history.acknowledged() + acknowledged
	require.True(s.t, await(patience, func() bool {
		return s.senders.history.acknowledged() >= goal || p.gone()
	}), "the program takes nothing any more")
}

// gone tells whether the process has ended.
func (p *program) gone() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// look compares the read model as it was left with what was read of it, starts a
// program on what there is and has the judge look at it; then the program is stopped.
func (s *stage) look() {
	s.t.Helper()
	s.lookAtRemains()
	if p := s.start(); p != nil {
		s.judged(p)
	}
}

// lookAtRemains reads the checkpoint and the tallies of a copy of the read model in use, before any
// program can go on from there: a start would make a damaged one anew, and say little.
// A log that lost a part of a transaction in a power cut is taken for damage, and may be.
func (s *stage) lookAtRemains() {
	s.t.Helper()
	s.keep("left")
	copied := filepath.Join(s.t.TempDir(), "read-model")
	err := s.copyReadModel(copied)
	var checkpoint domain.Checkpoint
	if err == nil {
		checkpoint, err = s.readRemains(copied)
	}
	if errors.Is(err, domain.ErrDamaged) && !strings.Contains(err.Error(), "write-ahead log") {
		s.judge.find(checkStart, "the read model is left damaged: %v", err)
	}
	if highest := s.judge.reads.highest; err == nil && checkpoint.StreamSequence < highest {
		s.judge.find(checkReads, "checkpoint %d was read, and what is left is at %d", highest, checkpoint.StreamSequence)
	}
}

func (s *stage) copyReadModel(to string) error {
	if s.disk != nil {
		return s.disk.export(filepath.Base(s.data)+"/"+filepath.Base(app.ReadModelFolder(s.data)), to)
	}
	return os.CopyFS(to, os.DirFS(app.ReadModelFolder(s.data)))
}

// keep keeps a copy of the read models, in place of an earlier one of this name, where that is
// asked for.
func (s *stage) keep(name string) {
	s.t.Helper()
	if *keepIn == "" {
		return
	}
	to := filepath.Join(*keepIn, s.t.Name(), name)
	require.NoError(s.t, os.RemoveAll(to))
	if err := s.copyReadModel(to); !errors.Is(err, fs.ErrNotExist) {
		require.NoError(s.t, err)
	}
}

// readRemains gives the checkpoint, and holds the tallies to the orders that they count.
func (s *stage) readRemains(folder string) (checkpoint domain.Checkpoint, err error) {
	path, err := sqlite.CurrentIn(folder)
	if err != nil {
		return checkpoint, err
	}
	db, err := sqlite.Open(context.Background(), path)
	if err != nil {
		return checkpoint, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	wrong, err := wrongTallies(path)
	if err != nil {
		return checkpoint, err
	}
	if len(wrong) > 0 {
		s.judge.find(checkFresh, "tallies are left that are not those of the orders: %v", wrong)
	}
	return db.Checkpoint(context.Background())
}

// wrongTallies gives each tally of a read model that is not the count of its orders: what
// is counted, or what is stored.
func wrongTallies(path string) (wrong []string, err error) {
	db, err := sql.Open("sqlite3", sqlite.DSN(path))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.Query(`
		WITH counted AS (SELECT source, state, count(*) AS orders FROM orders GROUP BY source, state)
		SELECT 'counted', * FROM (SELECT * FROM counted EXCEPT SELECT * FROM order_tallies)
		UNION ALL
		SELECT 'stored', * FROM (SELECT * FROM order_tallies EXCEPT SELECT * FROM counted)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var side, source, state string
		var orders int
		if err := rows.Scan(&side, &source, &state, &orders); err != nil {
			return nil, err
		}
		wrong = append(wrong, fmt.Sprintf("%s %s %s %d", side, source, state, orders))
	}
	return wrong, rows.Err()
}

// judged has the judge look at a running program, and stops it.
func (s *stage) judged(p *program) {
	s.t.Helper()
	s.judge.judge(context.Background(), p)
	if len(s.judge.found) > 0 {
		s.keep("found")
	}
	if err := p.stop(); err != nil && s.bug == "" {
		s.judge.find(checkStart, "it does not stop well: %v", err)
	}
	s.judge.log(p)
}

// cut cuts the power, and with it the program's.
func (s *stage) cut(p *program) {
	s.disk.cut()
	p.kill()
}

// failAndCut has every sync fail, lets senders try again what was refused for that,
// and cuts the power.
func (s *stage) failAndCut(p *program) {
	s.disk.fail(true)
	tried := s.senders.history.refused() + 5*clients
	await(failingFor, func() bool { return s.senders.history.refused() >= tried })
	s.cut(p)
}

// powerOn gives the data folder back as the disk kept it.
func (s *stage) powerOn(torn bool) {
	s.t.Helper()
	s.unmount()
	s.mount(s.disk.survivor(s.random, torn))
}

// found gives what the judge found since the last time.
func (s *stage) found() []violation {
	found := s.judge.found
	s.judge.found = nil
	return found
}
