package app

import (
	"os"
	"runtime/debug"

	"github.com/ticketrail/ticketrail/projector/sqlite"
)

const (
	// memoryGoal is what Go's part of the memory is kept under, in bytes, where that can
	// be done by collecting garbage more often.
	memoryGoal = 144 << 20
	// garbage is how much of it may lie about, in percent of what is in use: bodies of
	// megabytes are garbage soon, and more of it than there is of anything else.
	garbage = 50
	// ballast counts as in use, and is no memory, since nobody touches it: of the few
	// megabytes that are in use where little happens, half as much garbage is there forty
	// times a second, and to look for it takes a sixth of what answers take.
	ballast = 32 << 20
)

// LimitMemory sets all three, and gives the ballast to keep, unless the variables of Go's
// runtime, GOMEMLIMIT and GOGC, say otherwise. A rebuild that may take more than by
// default has half of it in Go's part.
func LimitMemory(rebuild int64) []byte {
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(memoryGoal + ballast + max(0, rebuild-sqlite.LoadMemory)/2)
	}
	if _, set := os.LookupEnv("GOGC"); set {
		return nil
	}
	debug.SetGCPercent(garbage)
	return make([]byte, ballast)
}
