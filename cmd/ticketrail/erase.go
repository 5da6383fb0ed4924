package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ticketrail/ticketrail/api"
)

// eraseCommand takes what is personal of an order out of everything that is kept.
type eraseCommand struct {
	changing
	Reason string `help:"Why; it is recorded, and stays in the stream." placeholder:"TEXT"`
}

// Validate refuses an erasure that nobody could account for.
func (c *eraseCommand) Validate() error {
	if !c.Plan && c.Reason == "" {
		return errors.New("--reason is missing: an erasure is recorded with it; --plan does without")
	}
	return nil
}

// Run tells what there is, asks, and erases.
func (c *eraseCommand) Run(ctx context.Context, p *program) error {
	_, err := changeOrder(ctx, p, &c.changing, orderChange[api.Erasure]{
		verb:     "erase",
		request:  func(plan bool) any { return api.ErasureRequest{Plan: plan, Reason: c.Reason} },
		print:    printErasure,
		needless: func(*api.Erasure) bool { return false },
		question: "Erase it? It cannot be undone.",
		done: func(e *api.Erasure) string {
			return fmt.Sprintf("erased: the order is %s, and takes no webhook any more. Backups that were made before, and what was set aside, still hold it.", e.Order.State)
		},
	})
	return err
}

func printErasure(p *program, e *api.Erasure) {
	if e.Order.ErasedAt != nil {
		fmt.Fprintf(p.stdout, "erased before, at %s; what is left since:\n", e.Order.ErasedAt)
	}
	fmt.Fprintf(p.stdout, "the bodies of %s, with %s of delivery\n", counted(len(e.Webhooks), "webhook"), counted(e.Proofs, "proof"))
	fmt.Fprintln(p.stdout, counted(e.RejectedRequests, "rejected request"))
	fmt.Fprintf(p.stdout, "%s, and what %s told of the order\n", counted(e.Snapshots, "snapshot"), counted(e.Records, "rebuild"))
	if e.Previous {
		fmt.Fprintln(p.stdout, "the previous read model, so that there is nothing to roll back to")
	}
}
