package main

import (
	"context"
	"errors"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// deciding are the flags of a decision: about entries by their ids, or about all
// that the filters leave.
type deciding struct {
	settings
	agreement
	choosing
	APIListen string   `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	JSON      bool     `name:"json" help:"Print JSON, a line for each entry that is named, or one for all."`
	Plan      bool     `help:"Tell what would come of it, and change nothing."`
	Until     string   `help:"Nothing that came after a plan: the until that its JSON gives." placeholder:"UNTIL"`
	All       bool     `help:"Everything there is, where no filter narrows it."`
	IDs       []string `arg:"" name:"id" optional:"" help:"Ids of entries, such as r-12 or w-812. Without one, say which by filters, or --all."`
}

// which refuses a decision about nothing, or about two things.
func (c *deciding) which() error {
	filtered := c.All || c.choosing != choosing{}
	switch {
	case len(c.IDs) == 0 && !filtered:
		return errors.New("say which: ids, filters or --all")
	case len(c.IDs) > 0 && (filtered || c.Until != ""):
		return errors.New("ids and filters do not go together")
	}
	return nil
}

// quarantineRetry tries entries again.
type quarantineRetry struct {
	deciding
	Trust  bool   `help:"Release requests without verifying them: nothing but your word says who sent them. It needs --reason, and --source unless they are named. For Ordatic and Payway it is the only way: their requests bear a secret, which is never kept."`
	Reason string `help:"Why; it is recorded." placeholder:"TEXT"`
}

// Validate refuses trust that would not be recorded, or that is in everybody.
func (c *quarantineRetry) Validate() error {
	switch {
	case c.Trust && c.Reason == "":
		return errors.New("--trust needs --reason: nothing but your word says who sent it, and that is recorded")
	case c.Trust && len(c.IDs) == 0 && c.Source == "":
		return errors.New("--trust needs --source: nobody can vouch for every sender at once")
	}
	return c.which()
}

// Run tries the entries again. Its error says that some of them stay.
func (c *quarantineRetry) Run(ctx context.Context, p *program) error {
	return decide[api.Retried](ctx, p, &c.deciding, decision[api.Retried]{
		verb:  "retry",
		grave: c.Trust,
		one:   api.RetryRequest{Plan: c.Plan, Trust: c.Trust, Reason: c.Reason},
		many: func(s api.QuarantineSelection) any {
			return api.RetryAllRequest{QuarantineSelection: s, Trust: c.Trust, Reason: c.Reason}
		},
		head: []any{"id", "result", "cause", "stream sequence", "order", "hint"},
		row: func(r api.Retried) []any {
			result := string(r.Result)
			if r.Duplicate {
				result += ", a duplicate"
			}
			facts := cells(r.ID, result, r.Cause, number(r.StreamSequence), r.OrderKey)
			return append(facts, printable(orEmpty(r.Hint)))
		},
		result: func(r api.Retried) string { return string(r.Result) },
	})
}

// quarantineDiscard discards entries.
type quarantineDiscard struct {
	deciding
	Reason string `help:"Why; it is recorded." placeholder:"TEXT" required:""`
}

// Validate refuses a decision about nothing.
func (c *quarantineDiscard) Validate() error { return c.which() }

// Run discards the entries.
func (c *quarantineDiscard) Run(ctx context.Context, p *program) error {
	return decide[api.Discarded](ctx, p, &c.deciding, decision[api.Discarded]{
		verb: "discard",
		one:  api.DiscardRequest{Plan: c.Plan, Reason: c.Reason},
		many: func(s api.QuarantineSelection) any {
			return api.DiscardAllRequest{QuarantineSelection: s, Reason: c.Reason}
		},
		head: []any{"id", "received", "source", "cause", "decision", "before"},
		row: func(d api.Discarded) []any {
			return append(cells(d.ID, d.ReceivedAt, d.Source, d.Cause), printable(decisionText(d.Decision)), printable(decisionText(d.Before)))
		},
		result: func(api.Discarded) string { return string(domain.Discarded) },
	})
}
