package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// profilesVariable is by what processes of ours learn that they are to be profiled. The
// program that is measured inherits it, and refuses variables that look like its own.
const profilesVariable = "BENCH_PROFILES"

// play plays a role, and keeps what took the processors where that is wanted.
func play(role string, arguments []string) (err error) {
	dir := os.Getenv(profilesVariable)
	if dir == "" {
		return roles[role](arguments)
	}
	name := role
	if role == "replay" || role == "publishing" {
		name += "-" + arguments[0] // the way
	}
	file, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d.pprof", name, os.Getpid())))
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return errors.Join(err, file.Close())
	}
	defer func() {
		pprof.StopCPUProfile()
		err = errors.Join(err, file.Close())
	}()
	return roles[role](arguments)
}
