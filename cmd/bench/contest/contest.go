// Package contest compares ways to do the same work: it runs them in turn, A B A B,
// and tells how one does against another of the same round. A machine that other work
// slows down slows both, so their ratio means something where a rate does not.
//
// It asserts nothing about time. What came out of a run is its runner's to check: a run
// that did not do the work has no rate.
package contest

import (
	"context"
	"fmt"
	"time"
)

// Sample is what one run came to.
type Sample struct {
	// Rate is how much was done a second; 0 where that was not the question.
	Rate float64
	// P50 and P99 are how long half and ninety-nine hundredths took at the most; 0 where
	// no single ones were timed.
	P50, P99 time.Duration
	// CPU is the processor time that each took on the side that is measured; 0 where it
	// is not known.
	CPU time.Duration
	// Memory is the most that the process had, in bytes; 0 where nobody looked.
	Memory uint64
	// Note is what has to be said of the run beside its figures; mostly empty.
	Note string
}

// Contestant is one way to do the work.
type Contestant struct {
	Name string
	// Run does the work once and checks what came of it. Its error says what was not
	// right.
	Run func(context.Context) (Sample, error)
}

// Comparison is a line of the table: one contestant against another, its yardstick.
type Comparison struct {
	What, Against string
	// Of gives the figure that is compared, [Rate] where it is nil.
	Of func(Sample) float64
}

// Rate is what is compared as a rule: how much was done a second.
func Rate(s Sample) float64 { return s.Rate }

// P50 compares how long half of them took: a ratio above 1 is slower.
func P50(s Sample) float64 { return s.P50.Seconds() }

// Contest is some contestants, and what is to be compared of them.
type Contest struct {
	// Path names what is measured, such as "webhook to 200, 64 connections".
	Path        string
	Contestants []Contestant
	Comparisons []Comparison
}

// Result is a contest that was held.
type Result struct {
	*Contest
	samples map[string][]*Sample // by contestant, then round; nil where it was not right
	// Wrong is what was not right, with the contestant and the round.
	Wrong []error
}

// Hold runs every contestant once in each round, one after the other. A run that
// failed leaves its round without a figure, and the others go on; only the end of ctx
// ends the contest.
func (c *Contest) Hold(ctx context.Context, rounds int) *Result {
	r := &Result{Contest: c, samples: map[string][]*Sample{}}
	for round := range rounds {
		for _, contestant := range c.Contestants {
			if err := ctx.Err(); err != nil {
				r.Wrong = append(r.Wrong, fmt.Errorf("%s: %w", c.Path, err))
				return r
			}
			sample, err := contestant.Run(ctx)
			if err != nil {
				r.Wrong = append(r.Wrong, fmt.Errorf("%s: %s, round %d: %w", c.Path, contestant.Name, round+1, err))
				r.samples[contestant.Name] = append(r.samples[contestant.Name], nil)
				continue
			}
			r.samples[contestant.Name] = append(r.samples[contestant.Name], &sample)
		}
	}
	return r
}

// ratios gives how a comparison came out in each round in which both were right.
func (r *Result) ratios(c Comparison) (ratios []float64) {
	of := c.Of
	if of == nil {
		of = Rate
	}
	against := r.samples[c.Against]
	for round, what := range r.samples[c.What] {
		if what != nil && round < len(against) && against[round] != nil && of(*against[round]) > 0 {
			ratios = append(ratios, of(*what)/of(*against[round]))
		}
	}
	return ratios
}

// figures gives one figure of a contestant's runs that were right.
func (r *Result) figures(name string, of func(Sample) float64) (figures []float64) {
	for _, s := range r.samples[name] {
		if s != nil {
			figures = append(figures, of(*s))
		}
	}
	return figures
}

// notes gives what is to be said of a contestant's runs, each once.
func (r *Result) notes(name string) (notes []string) {
	seen := map[string]bool{"": true}
	for _, s := range r.samples[name] {
		if s != nil && !seen[s.Note] {
			seen[s.Note] = true
			notes = append(notes, s.Note)
		}
	}
	return notes
}
