package domain

import (
	"math/bits"
	"time"
)

// DurationClass gives the class that a duration is counted in: exact up to 16 ms,
// and then eight classes for each doubling, so that a class is never wider than
// an eighth of its lower bound. It takes integers only, so every machine gives
// the same class. A negative duration counts as none.
func DurationClass(d time.Duration) int {
	ms := uint64(max(d, 0) / time.Millisecond)
	if ms < 16 {
		return int(ms)
	}
	doublings := bits.Len64(ms) - 4 // beyond the first 16
	return doublings*8 + int(ms>>doublings)
}

// ClassDuration gives the lower bound of a class.
func ClassDuration(class int) time.Duration {
	if class < 16 {
		return time.Duration(class) * time.Millisecond
	}
	doublings := class/8 - 1
	return time.Duration(8+class%8) << doublings * time.Millisecond
}
