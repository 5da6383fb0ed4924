package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

const (
	// askAbove is how many entries are decided about without a question.
	askAbove = 10
	// decideMost is how many the API decides about at a time.
	decideMost = 200
)

// decision is one of the things that can be decided about entries. T is what the
// API answers about one of them.
type decision[T any] struct {
	verb string // in paths and in questions
	// grave decisions are asked about however few entries they are about.
	grave bool
	// one and many give what the API is asked for.
	one  any
	many func(api.QuarantineSelection) any
	// head and row make a table of the answers, and result says what came of it.
	head   []any
	row    func(T) []any
	result func(T) string
}

// decider carries a decision out.
type decider[T any] struct {
	*program
	*deciding
	decision[T]
	client *apiClient
}

// decide asks where that is needed, and does what was decided. Its error says that
// some entries stay.
func decide[T any](ctx context.Context, p *program, c *deciding, what decision[T]) (err error) {
	client, err := p.connect(ctx, c.settings, openQuarantine)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.close()) }()
	d := decider[T]{p, c, what, client}
	most, err := d.agreed(ctx)
	switch {
	case err != nil:
		return err
	case len(c.IDs) > 0:
		return d.named(ctx)
	}
	return d.selected(ctx, most)
}

// agreed gives the most entries that the user agreed to. From then on the decision
// is about what they were shown: what comes meanwhile waits for another one.
func (d decider[T]) agreed(ctx context.Context) (most int, err error) {
	if d.Plan || d.Yes {
		return math.MaxInt, nil
	}
	most = len(d.IDs)
	if most == 0 {
		plan, err := d.sum(ctx, math.MaxInt, true)
		if err != nil {
			return 0, err
		}
		d.Until = plan.Until
		if most = plan.Entries; !d.JSON && (d.grave || most > askAbove) {
			d.printBulk(plan)
		}
	}
	if most == 0 || most <= askAbove && !d.grave {
		return most, nil
	}
	if err := d.possible(d.program); err != nil {
		return 0, err
	}
	if !d.given(d.program, fmt.Sprintf("%s %d entries?", d.verb, most)) {
		return 0, errUnchanged
	}
	return most, nil
}

// named decides about the entries that were named, one after the other.
func (d decider[T]) named(ctx context.Context) error {
	table, results := newTable(d.stdout, d.head...), map[string]int{}
	for _, id := range d.IDs {
		var answer T
		if err := d.client.change(ctx, http.MethodPost, entryPath(id)+"/"+d.verb, d.one, &answer); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		results[d.result(answer)]++
		table.AppendRow(d.row(answer))
		if !d.JSON {
			continue
		}
		if err := printJSONLine(d.stdout, answer); err != nil {
			return err
		}
	}
	if !d.JSON {
		table.Render()
	}
	return d.ended(results)
}

// selected decides about the entries that the filters leave, most of them at the
// most.
func (d decider[T]) selected(ctx context.Context, most int) error {
	sum, err := d.sum(ctx, most, d.Plan)
	switch { // where it broke off, what was done before is told
	case d.JSON:
		err = errors.Join(err, printJSONLine(d.stdout, sum))
	case err == nil || sum.Entries > 0:
		d.printBulk(sum)
	}
	if err != nil {
		return err
	}
	results := map[string]int{}
	for _, r := range sum.Results {
		results[r.Result] = r.Count
	}
	return d.ended(results)
}

// sum decides page after page, or only plans it, and adds up what came of it; with
// an error, of the pages before.
func (d decider[T]) sum(ctx context.Context, most int, plan bool) (sum api.Bulk, err error) {
	results, page, staying := map[string]int{}, api.Bulk{}, map[api.StayCount]int{}
	for more := most > 0; more && err == nil; more = page.NextCursor != nil && sum.Entries < most {
		selection := api.QuarantineSelection{
			Plan: plan, All: d.All, Kind: domain.QuarantineKind(d.Kind), Source: d.Source, Cause: d.Cause,
			Until: d.Until, Limit: min(most-sum.Entries, decideMost), Cursor: orEmpty(page.NextCursor),
		}
		page = api.Bulk{}
		err = d.client.change(ctx, http.MethodPost, quarantinePath+"/"+d.verb, d.many(selection), &page)
		sum.Until = cmp.Or(sum.Until, page.Until)
		sum.Entries += page.Entries
		for _, r := range page.Results {
			results[r.Result] += r.Count
		}
		for _, s := range page.Staying {
			staying[api.StayCount{Result: s.Result, Cause: s.Cause, Hint: s.Hint}] += s.Count
		}
	}
	sum.Plan, sum.Results, sum.Staying = plan, []api.ResultCount{}, []api.StayCount{}
	for s, n := range staying {
		s.Count = n
		sum.Staying = append(sum.Staying, s)
	}
	slices.SortFunc(sum.Staying, func(a, b api.StayCount) int {
		return cmp.Or(cmp.Compare(a.Result, b.Result), cmp.Compare(a.Cause, b.Cause))
	})
	for _, result := range slices.Sorted(maps.Keys(results)) {
		sum.Results = append(sum.Results, api.ResultCount{Result: result, Count: results[result]})
	}
	return sum, err
}

// leaving are the results with which an entry is off the list.
var leaving = []string{string(domain.RetryReleased), string(domain.RetryAlreadyReleased), string(domain.Discarded)}

// ended says how many entries stay, which is no failure of a plan.
func (d decider[T]) ended(results map[string]int) error {
	stay, all := 0, 0
	for result, n := range results {
		all += n
		if !slices.Contains(leaving, result) {
			stay += n
		}
	}
	if d.Plan || stay == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d entries stay in the quarantine", stay, all)
}

func (d decider[T]) printBulk(b api.Bulk) {
	if b.Entries == 0 {
		fmt.Fprintf(d.stdout, "There is nothing to %s: no open entry is selected.\n", d.verb)
		return
	}
	came := "result"
	if b.Plan {
		came = "planned result"
	}
	table := newTable(d.stdout, came, "entries")
	for _, r := range b.Results {
		table.AppendRow(cells(r.Result, r.Count))
	}
	table.AppendRow(cells("in all", b.Entries))
	table.Render()
	printList(d.stdout, "what stays", b.Staying, []any{"result", "cause", "entries", "hint"}, func(s api.StayCount) []any {
		return append(cells(s.Result, s.Cause, s.Count), printable(s.Hint))
	})
}

// number gives a stream sequence as text, empty for none.
func number(n *uint64) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}
