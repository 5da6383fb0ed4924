package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/recovery"
)

// archiveCommand is about the second copy of the webhooks.
type archiveCommand struct {
	Verify  archiveVerify  `cmd:"" help:"Read every webhook of the archive, and compare it with the stream and the read model."`
	Rebuild archiveRebuild `cmd:"" help:"Make the archive anew from the stream; the present one is kept aside."`
}

// archiveVerify compares, and changes nothing.
type archiveVerify struct {
	settings
	JSON bool `name:"json" help:"Print the result as JSON."`
}

// Run compares and tells. Its error says that something is not as it should be.
func (c *archiveVerify) Run(ctx context.Context, p *program) error {
	loaded, files, err := p.loadArchive(c.settings)
	if err != nil {
		return err
	}
	v := &verification{config: loaded, files: files}
	if err := p.during("reading the archive and the stream", func() error { return v.all(ctx) }); err != nil {
		return fmt.Errorf("verify the archive: %w", err)
	}
	if err := c.print(p, v.report(), loaded.NATS.Embedded()); err != nil {
		return err
	}
	return v.judge()
}

// loadArchive reads the configuration for a command that reads the archive, and finds
// that there is one.
func (p *program) loadArchive(s settings) (*config.Config, recovery.Files, error) {
	loaded, err := p.loadToRead(s)
	if err != nil {
		return nil, recovery.Files{}, err
	}
	files := app.Files(loaded)
	switch {
	case files.Archive == "":
		err = errNoArchive
	case recovery.Unfinished(files):
		err = errUnfinished
	case !exists(files.Archive):
		err = errNotStarted(files.Archive)
	case !exists(loaded.Data):
		err = errNoFolder(loaded.Data)
	}
	return loaded, files, err
}

// verification is a comparison of an archive with all that there is.
type verification struct {
	config     *config.Config
	files      recovery.Files
	running    bool              // a program serves in the folder
	checkpoint domain.Checkpoint // of the read model; zero where it moves or there is none
	found      recovery.Comparison
	store      *archive.StoreCheck // nil where there is none
}

// all compares with all that can be compared with now.
func (v *verification) all(ctx context.Context) error {
	err := locked(v.config.Data, func() error { return v.compareAtRest(ctx) })
	if errors.Is(err, eventlog.ErrFolderLocked) {
		v.running = true
		err = v.compare()
	}
	if err == nil {
		err = v.checkStore(ctx)
	}
	return err
}

// compareAtRest compares in a folder that no program serves.
func (v *verification) compareAtRest(ctx context.Context) (err error) {
	if v.config.NATS.Embedded() {
		if _, err := recovery.Sound(v.files); err != nil {
			return err
		}
	}
	if v.checkpoint, err = readCheckpoint(ctx, v.config.Data); err != nil {
		return err
	}
	return v.compare()
}

func (v *verification) compare() (err error) {
	v.found, err = recovery.Compare(v.files, v.checkpoint.StreamSequence)
	return err
}

// checkStore reads every object of the archive's store.
func (v *verification) checkStore(ctx context.Context) error {
	stored, err := app.OpenStored(v.config)
	if err != nil || stored == nil {
		return err
	}
	found, err := stored.Check(ctx)
	if damage, ok := errors.AsType[*archive.DamageError](err); ok {
		return &failure{err: err, hint: "put back " + damage.File + " as the store had it, from its versions or a copy; or remove it: where archive.dir " +
			"still has the segment, the next start puts it there again"}
	}
	v.store = &found
	return err
}

// judge tells what is not as it should be, though every webhook that was read is. While
// a program runs the two ends move, and the archive may be in the middle of a group.
func (v *verification) judge() error {
	f := v.found
	if f.At.StreamSequence > 0 && !f.At.Made(v.checkpoint) {
		hint := "rebuild it: ticketrail rebuild --accept"
		if f.At.Late {
			hint = "webhooks have expired (stream.max_age), so that it cannot be made anew: bring one back with ticketrail restore --from BACKUP"
		}
		return failf(hint, "the read model was not made from these webhooks: its digest at stream sequence %d is another one", v.checkpoint.StreamSequence)
	}
	var wrong []string
	if f.Torn > 0 {
		wrong = append(wrong, fmt.Sprintf("the archive's last %d bytes are no whole group of webhooks: what a crash left of one, or damage", f.Torn))
	}
	if f.Behind > 0 {
		wrong = append(wrong, fmt.Sprintf("the archive lacks the last %d webhooks, which the stream has", f.Behind))
	}
	if f.Ahead > 0 {
		wrong = append(wrong, fmt.Sprintf("the stream has lost its last %d webhooks, which the archive has", f.Ahead))
	}
	if v.store != nil && len(v.store.Strays) > 0 {
		hint := "remove them, where no other data folder has this store: what is erased is not erased in them"
		if v.store.Newer > 0 {
			hint = "keep them until you know what they are: where the archive was put back from a backup, or has lost its " + archive.LedgerFile + ", they may be the only copy of webhooks"
		}
		return failf(hint, "the store has %d objects that the archive knows nothing of, such as %s", len(v.store.Strays), v.store.Strays[0])
	}
	if v.running || len(wrong) == 0 {
		return nil
	}
	return failf("the next start cuts off what is torn, and gives each what the other one has: ticketrail serve", "the end is not whole: %s", strings.Join(wrong, "; "))
}

var errNoArchive = &failure{err: errors.New("no archive is kept"), hint: "name a folder with archive.dir"}

var errUnfinished = &failure{
	err:  errors.New("folders were being replaced when the program that did it ended"),
	hint: "the next start does the rest: ticketrail serve",
}

func errNoFolder(data string) error {
	return failf("name the folder with --data", "there is no data folder %s", data)
}

func errNotStarted(dir string) error {
	return failf("start it: ticketrail serve", "there is no archive in %s", dir)
}

// archiveReport is what archive verify prints.
type archiveReport struct {
	Segments int    `json:"segments"`
	First    uint64 `json:"first"`
	Last     uint64 `json:"last"`
	Chain    string `json:"chain"`
	// Compared is how many webhooks were compared with the stream's own files.
	Compared uint64 `json:"compared_with_stream"`
	// Behind is how many of the stream's last webhooks the archive does not have.
	Behind uint64 `json:"behind_stream"`
	// Torn is how many bytes at the archive's end are no whole group.
	Torn int64 `json:"torn_bytes"`
	// ReadModel is the checkpoint at which the read model's digest was compared; null
	// where it was not: a program runs that moves it, or there is none.
	ReadModel *uint64 `json:"compared_with_read_model_at"`
	// Store is what is in the archive's store; null where it has none.
	Store *storeReport `json:"store"`
}

// storeReport is what archive verify prints of a store.
type storeReport struct {
	Objects int    `json:"objects"`
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"`
	// Trimmed is up to which webhook the stream has been trimmed; 0 where it was not.
	Trimmed uint64   `json:"trimmed"`
	Strays  []string `json:"strays"`
}

func (v *verification) report() archiveReport {
	f := v.found
	r := archiveReport{
		Segments: f.Segments, First: f.First, Last: f.Mark.StreamSequence, Chain: hex.EncodeToString(f.Mark.Chain[:]),
		Compared: f.Compared, Behind: f.Behind, Torn: f.Torn,
	}
	if s := v.store; s != nil {
		r.Store = &storeReport{Objects: s.Objects, First: s.First, Last: s.Last, Trimmed: f.Trimmed, Strays: s.Strays}
	}
	if f.At.StreamSequence > 0 {
		r.ReadModel = &v.checkpoint.StreamSequence
	}
	return r
}

func (c *archiveVerify) print(p *program, r archiveReport, embedded bool) error {
	if c.JSON {
		return printJSON(p.stdout, r)
	}
	fmt.Fprintf(p.stdout, "archive: %s in %s, every one whole\n", stretch(r.First, r.Last), counted(r.Segments, "segment"))
	if embedded {
		fmt.Fprintf(p.stdout, "stream: %s compared, the same in both\n", counted(r.Compared, "webhook"))
	} else {
		fmt.Fprintln(p.stdout, "stream: not compared; its files are on external servers")
	}
	if s := r.Store; s != nil {
		fmt.Fprintf(p.stdout, "store: %s in %s, every one whole\n", stretch(s.First, s.Last), counted(s.Objects, "object"))
	}
	if r.Store != nil && r.Store.Trimmed > 0 {
		fmt.Fprintf(p.stdout, "stream: trimmed up to %d\n", r.Store.Trimmed)
	}
	if r.Behind > 0 {
		fmt.Fprintf(p.stdout, "stream: its last %d webhooks are not in the archive yet\n", r.Behind)
	}
	if r.ReadModel == nil {
		_, err := fmt.Fprintln(p.stdout, "read model: not compared; it is where no program runs")
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "read model: compared by its digest at stream sequence %d\n", *r.ReadModel)
	return err
}

// readCheckpoint gives the checkpoint of the read model in a data folder that is locked;
// the zero one where there is none.
func readCheckpoint(ctx context.Context, data string) (c domain.Checkpoint, err error) {
	if !hasReadModel(data) {
		return c, nil
	}
	model, err := openReadModel(ctx, data)
	if err != nil {
		return c, err
	}
	c, err = model.Checkpoint(ctx)
	return c, errors.Join(err, model.Close())
}

// locked does something under the lock of a data folder.
func locked(data string, do func() error) (err error) {
	lock, err := eventlog.LockFolder(data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return do()
}

// archiveRebuild makes the archive of a data folder that no program serves anew.
type archiveRebuild struct {
	settings
	agreement
	Plan   bool `help:"Say what would be done and lost, and change nothing."`
	Accept bool `help:"Do it although the archive has webhooks that the stream does not have; it is kept aside."`
}

// Run looks whether the stream is whole, and makes an archive that takes the place of
// the present one.
func (c *archiveRebuild) Run(p *program) error {
	if err := c.possible(p); err != nil && !c.Plan {
		return err
	}
	loaded, err := p.loadToRead(c.settings)
	switch {
	case err != nil:
		return err
	case !loaded.NATS.Embedded() || app.ArchiveFolder(loaded) == "":
		return failf("name a folder with archive.dir, and use the embedded broker", "there is no archive that belongs to the stream in %s", loaded.Data)
	case !exists(loaded.Data):
		return errNoFolder(loaded.Data)
	}
	err = locked(loaded.Data, func() error { return c.rebuild(p, loaded) })
	if err != nil {
		return fmt.Errorf("rebuild the archive: %w", err)
	}
	return nil
}

// rebuild rebuilds in a folder that is locked.
func (c *archiveRebuild) rebuild(p *program, loaded *config.Config) error {
	files := app.Files(loaded)
	if recovery.Unfinished(files) && c.Plan {
		return errUnfinished
	}
	var plan recovery.Rebuilt
	err := p.during("reading the stream and the archive", func() (err error) {
		plan, err = recovery.PlanArchive(files)
		return err
	})
	if err != nil {
		return err
	}
	if c.Plan || !c.Yes {
		fmt.Fprintf(p.stdout, "archive: made anew with %s, from the stream\n", stretch(plan.First, plan.Last))
		if plan.Loss.Any() {
			fmt.Fprintf(p.stdout, "lost: %s\n", printable(plan.Loss.String()))
		}
	}
	switch {
	case c.Plan:
		return nil
	case plan.Loss.Webhooks > 0 && !c.Accept:
		return failf("bring them back with: ticketrail restore --plan; or, if the stream is the truth: ticketrail archive rebuild --accept; the archive is kept aside",
			"webhooks would be lost: %s", plan.Loss)
	case !c.given(p, "Set the archive aside, and make it anew from the stream?"):
		return errUnchanged
	}
	var made recovery.Rebuilt
	err = p.during("making the archive", func() error {
		return audited(loaded.Data, "archive rebuild", nil, func() (err error) {
			made, err = recovery.RebuildArchive(files)
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, aside := range made.Aside {
		fmt.Fprintf(p.stdout, "the former archive is in %s\n", aside)
	}
	_, err = fmt.Fprintf(p.stdout, "the archive has %s, the same as the stream\n", stretch(made.First, made.Last))
	return err
}

// stretch says which webhooks something has.
func stretch(first, last uint64) string {
	if first > last || last == 0 {
		return "no webhook"
	}
	return fmt.Sprintf("stream sequences %d to %d", first, last)
}
