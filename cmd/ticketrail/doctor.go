package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

// doctorCommand looks at everything that serve depends on, and says how to mend
// what is wrong. It does nothing to the data folder that a start would not do.
type doctorCommand struct {
	settings
	listeners
	Ready bool `help:"Only ask the program that serves whether webhooks are taken and orders answered, for health checks."`
	JSON  bool `name:"json" help:"Print JSON."`
}

// verdict is what a check comes to.
type verdict string

const (
	verdictOK   verdict = "ok"
	verdictWarn verdict = "warn" // it works, and somebody should know
	verdictFail verdict = "fail" // serve does not work, or not as it promises
)

// check is one thing that was looked at.
type check struct {
	Name    string  `json:"name"`
	Verdict verdict `json:"verdict"`
	Finding string  `json:"finding"`
	Mend    string  `json:"mend,omitempty"`
}

func ok(name, finding string, args ...any) check {
	return check{Name: name, Verdict: verdictOK, Finding: fmt.Sprintf(finding, args...)}
}

func warn(name, mend, finding string, args ...any) check {
	return check{Name: name, Verdict: verdictWarn, Finding: fmt.Sprintf(finding, args...), Mend: mend}
}

func fail(name, mend, finding string, args ...any) check {
	return check{Name: name, Verdict: verdictFail, Finding: fmt.Sprintf(finding, args...), Mend: mend}
}

// failed makes a check of an error, with the error's own mend where it has one.
func failed(name string, err error) check {
	return fail(name, hintOf(err), "%s", err)
}

// elsewhere is found of what the running program is no part of, see [apart].
const elsewhere = "it is another process's"

// examination is a program that is looked at: the one that runs on the data
// folder, or the folder alone.
type examination struct {
	config *config.Config
	// running is the program that has the folder; nil where it is free.
	running *app.Addresses
	// stream is where the stream stands, nil where that cannot be seen.
	stream *domain.StreamInfo
}

// Run examines and prints. Its error says that a check failed; one of the
// configuration, without which nothing else can be looked at, is bad usage.
func (c *doctorCommand) Run(ctx context.Context, p *program) error {
	load, examine := p.load, c.examine
	if c.Ready {
		load, examine = p.loadToRead, readiness
	}
	loaded, err := load(c.settings)
	if err != nil {
		unusable := &failure{err: errors.New("the configuration cannot be used"), usage: true}
		return errors.Join(c.print(p, []check{failed("configuration", err)}), unusable)
	}
	checks := examine(ctx, loaded)
	if err := c.print(p, checks); err != nil {
		return err
	}
	failures := 0
	for _, check := range checks {
		if check.Verdict == verdictFail {
			failures++
		}
	}
	if failures > 0 {
		return fmt.Errorf("%d of %d checks failed", failures, len(checks))
	}
	return nil
}

// examine makes every check that can be made. The folder stays locked until all
// are, so that what one finds is still true for the next.
func (c *doctorCommand) examine(ctx context.Context, loaded *config.Config) []check {
	e := &examination{config: loaded}
	checks := []check{checkConfiguration(e), checkSources(e), checkFolder(e)}
	lockCheck, unlock := checkLock(e)
	checks = append(checks, lockCheck)
	for _, look := range []func(context.Context, *examination) check{
		checkIngestPort, checkAPIPort, checkDisk, checkSyncTime, checkDurability, checkArchive, checkAge, checkAside, checkSnapshots, checkClock, checkProjector, checkLate, checkSilent,
	} {
		checks = append(checks, look(ctx, e))
	}
	if loaded.Archive.Store != "" {
		checks = append(checks, checkStore(ctx, e))
	}
	if err := unlock(); err != nil {
		checks = append(checks, failed("lock", err))
	}
	return checks
}

func (c *doctorCommand) print(p *program, checks []check) error {
	if c.JSON {
		return printJSON(p.stdout, map[string]any{"checks": checks})
	}
	table := newTable(p.stdout, "check", "verdict", "finding")
	for _, check := range checks {
		table.AppendRow([]any{check.Name, check.Verdict, printable(check.Finding)})
	}
	table.Render()
	for _, check := range checks {
		if check.Mend != "" {
			fmt.Fprintf(p.stdout, "\n%s: %s.\n", check.Name, strings.TrimSuffix(printable(p.alike(check.Mend)), "."))
		}
	}
	return nil
}

// checkLock tells who has the data folder. Where nobody has, the caller has it
// until it unlocks.
func checkLock(e *examination) (found check, unlock func() error) {
	const name = "lock"
	nothing := func() error { return nil }
	if !exists(e.config.Data) {
		return ok(name, "nobody has the folder"), nothing
	}
	lock, err := eventlog.LockFolder(e.config.Data)
	switch {
	case err == nil:
		return ok(name, "nobody has the folder"), lock.Close
	case !errors.Is(err, eventlog.ErrFolderLocked):
		return failed(name, err), nothing
	}
	e.running, err = app.ReadAddresses(e.config.Data)
	if err != nil {
		return warn(name, "wait until it has started, or stopped", "a process that does not say where it is has the folder"), nothing
	}
	return ok(name, "process %d has the folder: ticketrail %s", e.running.PID, e.running.Version), nothing
}
