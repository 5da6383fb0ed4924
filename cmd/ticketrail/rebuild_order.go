package main

import (
	"context"
	"fmt"

	"github.com/ticketrail/ticketrail/api"
)

// ordersRebuild has one order folded anew from its webhooks.
type ordersRebuild struct{ changing }

// Run compares, asks, and replaces. Its error says that the order differs from what
// its webhooks make and was left as it is, or that it could not be rebuilt.
func (c *ordersRebuild) Run(ctx context.Context, p *program) error {
	found, err := changeOrder(ctx, p, &c.changing, orderChange[api.OrderRebuild]{
		verb:     "rebuild",
		request:  func(plan bool) any { return api.OrderRebuildRequest{Plan: plan} },
		print:    printOrderRebuild,
		needless: func(r *api.OrderRebuild) bool { return !r.Differs },
		question: "Replace it?",
		done:     func(r *api.OrderRebuild) string { return fmt.Sprintf("replaced: it is %s", r.Order.State) },
	})
	if err == nil && c.Plan && found.Differs {
		err = failf("replace it: the same without --plan"+c.beforehand(p), "the order differs; nothing was changed")
	}
	return err
}

func printOrderRebuild(p *program, r *api.OrderRebuild) {
	if !r.Differs {
		fmt.Fprintf(p.stdout, "nothing differs: it is %s, of %s\n", r.Order.State, counted(r.Order.Version, "webhook"))
		return
	}
	printTables(p.stdout, r.Tables)
	if len(r.Fields) > 0 {
		fmt.Fprintln(p.stdout)
		printFields(p.stdout, r.Fields)
	}
}
