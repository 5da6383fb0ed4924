package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/projector/rebuild"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// checkAside tells what was kept when it was replaced: nobody else would remove it.
func checkAside(_ context.Context, e *examination) check {
	const name = "set aside"
	var places []string
	var count int
	var bytes int64
	models := app.ReadModelFolder(e.config.Data)
	for _, kept := range []struct{ folder, prefix string }{
		{app.Files(e.config).Aside, ""}, {models, sqlite.Damaged}, {models, sqlite.Outdated},
	} {
		n, size, err := keptIn(kept.folder, kept.prefix)
		if err != nil {
			return failed(name, err)
		}
		if n > 0 {
			places = append(places, filepath.Join(kept.folder, kept.prefix+"*"))
		}
		count, bytes = count+n, bytes+size
	}
	if count == 0 {
		return ok(name, "nothing")
	}
	return warn(name, "look at it, and remove it when it is of no use to you: nothing reads it",
		"%d files and folders of %.1f MiB: %s", count, float64(bytes)/(1<<20), strings.Join(places, ", "))
}

// checkSnapshots tells how many snapshots there are: they are kept until they are deleted.
func checkSnapshots(_ context.Context, e *examination) check {
	const name = "snapshots"
	count, bytes, err := keptIn(rebuild.SnapshotFolder(app.ReadModelFolder(e.config.Data)), "")
	switch {
	case err != nil:
		return failed(name, err)
	case count == 0:
		return ok(name, "none")
	}
	return ok(name, "%s of %.1f MiB, which stay until they are deleted: ticketrail rebuilds list shows them, ticketrail rebuilds delete deletes them",
		counted(count, "file"), float64(bytes)/(1<<20))
}

// keptIn counts what is in a folder under names that begin so, and its bytes.
func keptIn(folder, prefix string) (n int, bytes int64, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, 0, err
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		size, err := sizeOf(filepath.Join(folder, entry.Name()))
		if err != nil {
			return 0, 0, err
		}
		n, bytes = n+1, bytes+size
	}
	return n, bytes, nil
}

// sizeOf gives the bytes of a file, or of all files in a folder.
func sizeOf(path string) (bytes int64, err error) {
	err = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil // it was removed meanwhile
		}
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}
