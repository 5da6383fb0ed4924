package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

const (
	// leastDisk is what serve needs to start; below wantedDisk somebody should
	// know. In bytes.
	leastDisk  = 256 << 20
	wantedDisk = 2 << 30
	// slowSync is where a webhook is answered notably later for the disk's sake:
	// each waits for one sync at least.
	slowSync = 20 * time.Millisecond
	// syncProbes is how many syncs are measured, of syncBytes each.
	syncProbes = 15
	syncBytes  = 1 << 10
	// othersMay are the permissions of everybody but the owner.
	othersMay = 0o077
)

func checkConfiguration(e *examination) check {
	const name = "configuration"
	path := e.config.File
	if path == "" {
		return ok(name, "no file; defaults, environment and flags")
	}
	info, err := os.Stat(path)
	if err == nil && info.Mode()&othersMay != 0 && e.config.PlainSecrets {
		return warn(name, "chmod 600 "+path, "%s holds secrets, and others may read it", path)
	}
	return ok(name, "%s", path)
}

func checkSources(e *examination) check {
	const name = "sources"
	place := e.config.File
	sources := e.config.Sources
	if len(sources) == 0 {
		place = config.SourcesFile(e.config.Data)
		kept, err := config.KeptSources(e.config.Data)
		if errors.Is(err, fs.ErrNotExist) {
			return ok(name, "none yet: the first serve makes one for each provider")
		}
		if err != nil {
			return failed(name, err)
		}
		sources = kept
	}
	var names []string
	for _, source := range sources {
		names = append(names, source.Name)
	}
	return ok(name, "%s, from %s", strings.Join(names, ", "), place)
}

func checkFolder(e *examination) check {
	const name = "data folder"
	folder := e.config.Data
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if parent := standing(folder); unix.Access(parent, unix.W_OK|unix.X_OK) != nil {
			return fail(name, "make it, or choose another with --data", "%s cannot be made: %s is not writable", folder, parent)
		}
		return ok(name, "%s will be made", folder)
	case err != nil:
		return failed(name, err)
	case !info.IsDir():
		return fail(name, hintFolder, "%s is not a folder", folder)
	case unix.Access(folder, unix.W_OK|unix.X_OK) != nil:
		return fail(name, hintOwner, "%s is not writable", folder)
	case info.Mode()&othersMay != 0:
		return warn(name, "chmod 700 "+folder, "others may look into %s, which holds personal data", folder)
	}
	return ok(name, "%s", folder)
}

// standing gives the folder, or the nearest one above it that exists.
func standing(folder string) string {
	folder, err := filepath.Abs(folder)
	for err == nil && !exists(folder) && folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
	}
	return folder
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func checkIngestPort(ctx context.Context, e *examination) check {
	return e.checkPort(ctx, "ingest.listen", e.config.Ingest.Listen, func() string { return e.running.Ingest })
}

func checkAPIPort(ctx context.Context, e *examination) check {
	return e.checkPort(ctx, "api.listen", e.config.API.Listen, func() string { return e.running.API })
}

// checkPort tells whether serve can listen on an address, or whether the running
// program answers there already.
func (e *examination) checkPort(ctx context.Context, name, address string, ours func() string) check {
	if e.running != nil && ours() == "" {
		return ok(name, elsewhere)
	}
	if e.running != nil {
		if _, err := e.ask(ctx, ours()+"/healthz", &struct{}{}); err != nil {
			return fail(name, "see its log, and start it anew", "the running ticketrail does not answer at %s", ours())
		}
		return ok(name, "the running ticketrail answers at %s", ours())
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		mend := fmt.Sprintf("end what listens there, or choose another address with %s or %s", config.FlagName(name), config.Variable(name))
		return fail(name, mend, "%s", err)
	}
	_ = listener.Close() // it took no connection
	return ok(name, "%s is free", address)
}

func checkDisk(_ context.Context, e *examination) check {
	const name = "disk"
	free, err := freeBytes(e.config.Data)
	if err != nil {
		return failed(name, err)
	}
	finding := fmt.Sprintf("%.2f GiB are free", float64(free)/(1<<30))
	const mend = "make room, or choose a folder on another disk with --data"
	switch {
	case free < leastDisk:
		return fail(name, mend, "%s", finding)
	case free < wantedDisk:
		return warn(name, mend, "%s", finding)
	}
	return ok(name, "%s", finding)
}

// freeBytes gives the room on the disk where a folder is, or will be.
func freeBytes(folder string) (uint64, error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(standing(folder), &disk); err != nil {
		return 0, fmt.Errorf("look at the disk: %w", err)
	}
	return disk.Bavail * uint64(disk.Bsize), nil
}

// checkSyncTime measures what every webhook waits for at least.
func checkSyncTime(_ context.Context, e *examination) check {
	const name = "sync"
	took, err := syncTime(standing(e.config.Data))
	switch {
	case err != nil:
		return failed(name, fmt.Errorf("write to the disk: %w", err))
	case took > slowSync:
		return warn(name, "use a local disk, best one whose cache survives a power cut", "the disk takes %s to sync, and each webhook waits for that", took)
	}
	return ok(name, "the disk takes %s to sync", took)
}

// syncTime gives the median time that a small write takes to be on disk.
func syncTime(folder string) (median time.Duration, err error) {
	file, err := os.CreateTemp(folder, ".doctor-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	took := make([]time.Duration, syncProbes)
	for i := range took {
		began := time.Now()
		if _, err := file.Write(make([]byte, syncBytes)); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[syncProbes/2].Round(time.Microsecond), nil
}
