package faults_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// results is what all tests found, for the table at the end.
var results table

// table counts by fault what was tried and found. It is safe for concurrent use.
type table struct {
	mu      sync.Mutex
	faults  map[string]*tally
	skipped []string
}

// tally is what came of one kind of fault.
type tally struct {
	tried, violations int
	control           bool // a violation is what it is for
	caught            int
	by                map[string]bool // the checks that caught it
	unavailable       time.Duration   // at the longest, where that is measured
}

// clean notes one try of a fault that must break nothing.
func (t *table) clean(fault string, found []violation) {
	t.note(fault, false, found)
}

// broken notes one try of a program that is broken on purpose.
func (t *table) broken(fault string, found []violation) {
	t.note(fault, true, found)
}

// unavailable notes for how long nothing was taken in one try of a fault.
func (t *table) unavailable(fault string, longest time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	row := t.row(fault, false)
	row.unavailable = max(row.unavailable, longest)
}

func (t *table) row(fault string, control bool) *tally {
	if t.faults == nil {
		t.faults = map[string]*tally{}
	}
	if t.faults[fault] == nil {
		t.faults[fault] = &tally{control: control, by: map[string]bool{}}
	}
	return t.faults[fault]
}

func (t *table) note(fault string, control bool, found []violation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	row := t.row(fault, control)
	row.tried++
	row.violations += len(found)
	if len(found) > 0 {
		row.caught++
	}
	for _, v := range found {
		row.by[v.check] = true
	}
}

// skip notes what could not be tried here.
func (t *table) skip(fault string, why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.skipped = append(t.skipped, fmt.Sprintf("%s: skipped, %v", fault, why))
}

func (t *table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	for _, control := range []bool{false, true} {
		heading := "FAULT\tTRIED\tVIOLATIONS\tUNAVAILABLE AT THE MOST"
		if control {
			heading = "\t\t\t\nBROKEN ON PURPOSE\tTRIED\tCAUGHT\tBY"
		}
		fmt.Fprintln(columns, heading)
		for _, fault := range slices.Sorted(maps.Keys(t.faults)) {
			switch row := t.faults[fault]; {
			case row.control != control:
			case control:
				fmt.Fprintf(columns, "%s\t%d\t%d\t%s\n", fault, row.tried, row.caught,
					strings.Join(slices.Sorted(maps.Keys(row.by)), "; "))
			case row.unavailable > 0:
				fmt.Fprintf(columns, "%s\t%d\t%d\t%.1f s\n", fault, row.tried, row.violations, row.unavailable.Seconds())
			default:
				fmt.Fprintf(columns, "%s\t%d\t%d\t\n", fault, row.tried, row.violations)
			}
		}
	}
	_ = columns.Flush() // a strings.Builder takes everything
	for _, line := range t.skipped {
		fmt.Fprintln(&text, line)
	}
	return text.String()
}
