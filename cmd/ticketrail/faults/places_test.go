package faults_test

// place is where the seeded program can be killed.
type place struct {
	name  string
	when  string // what makes the program pass it: load, rebuild or snapshot
	until int    // it is killed at any of so many passings
}

// places are all of them: around each promise that is made, and at every step of
// the change from one read model to another.
var places = []place{
	{"publish.before", byLoad, 60},
	{"publish.after", byLoad, 60},
	{"answer.before", byLoad, 60},
	{"commit.before", byLoad, 30},
	{"commit.middle", byLoad, 30},
	{"commit.after", byLoad, 30},
	{"record.written", byRebuild, 3},
	{"record.renamed", byRebuild, 3},
	{"pointer.begun", byRebuild, 2},
	{"pointer.written", byRebuild, 2},
	{"pointer.synced", byRebuild, 2},
	{"pointer.renamed", byRebuild, 2},
	{"pointer.committed", byRebuild, 2},
	{"switch.begun", byRebuild, 1},
	{"switch.synced", byRebuild, 1},
	{"switch.pointed", byRebuild, 1},
	{"switch.replaced", byRebuild, 1},
	{"switch.recorded", byRebuild, 1},
	{"switch.cleaned", byRebuild, 1},
	{"snapshot.begun", bySnapshot, 1},
	{"snapshot.written", bySnapshot, 1},
	{"snapshot.synced", bySnapshot, 1},
	{"snapshot.renamed", bySnapshot, 1},
}

// What makes a program pass a place.
const (
	byLoad     = "load"
	byRebuild  = "rebuild"
	bySnapshot = "snapshot"
)

// placePatches put the places that no bug shares its text with into the program.
var placePatches = []patch{
	{
		"ingest/webhook.go",
		"	answerReceipt(w, receipt)\n",
		"	fault.At(\"answer.before\")\n	answerReceipt(w, receipt)\n",
	},
	{
		"projector/sqlite/commit.go",
		"	w = batchWriter{ctx: ctx, tx: conn}\n",
		"	fault.At(\"commit.before\")\n	w = batchWriter{ctx: ctx, tx: conn}\n",
	},
	{
		"projector/sqlite/commit.go",
		"	w.tallies(&b.Tallies)\n",
		"	fault.At(\"commit.middle\")\n	w.tallies(&b.Tallies)\n",
	},
	{
		"projector/rebuild/records.go",
		"	return os.Rename(path+\".tmp\", path)",
		"	fault.At(\"record.written\")\n	return fault.Then(\"record.renamed\", os.Rename(path+\".tmp\", path))",
	},
	{
		"projector/sqlite/folder.go",
		"	if err := os.WriteFile(temporary,",
		"	fault.At(\"pointer.begun\")\n	if err := os.WriteFile(temporary,",
	},
	{
		"projector/sqlite/folder.go",
		"	if err := os.Rename(temporary, f.path(pointerName)); err != nil {\n",
		"	fault.At(\"pointer.synced\")\n	if err := os.Rename(temporary, f.path(pointerName)); err != nil {\n",
	},
	{
		"projector/sqlite/folder.go",
		"	f.pointer = p\n	return syncFile(f.dir)\n",
		"	f.pointer = p\n	fault.At(\"pointer.renamed\")\n	return fault.Then(\"pointer.committed\", syncFile(f.dir))\n",
	},
	{
		"projector/sqlite/folder.go",
		"	p.Current, p.Previous = filepath.Base(path), p.Current\n",
		"	fault.At(\"switch.begun\")\n	p.Current, p.Previous = filepath.Base(path), p.Current\n",
	},
	{
		"projector/sqlite/folder.go",
		"	if err == nil {\n		err = f.point(p)\n	}\n",
		"	fault.At(\"switch.synced\")\n	if err == nil {\n		err = fault.Then(\"switch.pointed\", f.point(p))\n	}\n",
	},
	{
		"projector/rebuild/run.go",
		"		b.complain(b.config.Model.Replace(b.db))\n",
		"		b.complain(fault.Then(\"switch.replaced\", b.config.Model.Replace(b.db)))\n",
	},
	{
		"projector/rebuild/run.go",
		"errors.Join(b.end(domain.RebuildSwitched), b.config.Folder.Clean())",
		"errors.Join(fault.Then(\"switch.recorded\", b.end(domain.RebuildSwitched)), fault.Then(\"switch.cleaned\", b.config.Folder.Clean()))",
	},
	{
		"projector/sqlite/db.go",
		"		_, err = db.writer.ExecContext(ctx, \"VACUUM INTO ?\", temporary)\n",
		"		fault.At(\"snapshot.begun\")\n		_, err = db.writer.ExecContext(ctx, \"VACUUM INTO ?\", temporary)\n",
	},
	{
		"projector/sqlite/db.go",
		"errors.Join(syncFile(temporary), os.Rename(temporary, path), syncFile(filepath.Dir(path)))",
		"errors.Join(fault.Then(\"snapshot.written\", nil), fault.Then(\"snapshot.synced\", syncFile(temporary)), " +
			"fault.Then(\"snapshot.renamed\", os.Rename(temporary, path)), syncFile(filepath.Dir(path)))",
	},
}
