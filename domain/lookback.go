package domain

// ExplainedWebhook is one webhook of an order with what it said and did. Those of
// an order in the order of the stream explain why it is as it is.
type ExplainedWebhook struct {
	*Webhook
	// Verified says in words how its sender was checked before it was stored; empty
	// for a tombstone, which ticketrail itself put there.
	Verified string
	// Event is what it said.
	Event *Event
	// Change is what it did, and Reason by which rule.
	Change Change
	Reason string
}

// OrderRows are the rows of one order in a read model: the folded order and its
// timeline.
type OrderRows struct {
	Order    *Order
	Timeline []TimelineEntry
}

// Erase does to the timeline so far what a tombstone does to it.
func (r *OrderRows) Erase() {
	for i, entry := range r.Timeline {
		r.Timeline[i] = entry.Redacted()
	}
}

// OrderRebuild is what came of folding one order anew from its webhooks.
type OrderRebuild struct {
	// Order is the order as its webhooks make it.
	Order *Order
	// Fields are the places of the stored order that differ from it, and Tables
	// tells of the order's rows in each table.
	Fields []FieldDifference
	Tables []TableDifference
	// Replaced tells that the rows were replaced.
	Replaced bool
}

// Differs tells whether what was stored is not what the webhooks make.
func (r *OrderRebuild) Differs() bool {
	difference := Difference{Tables: r.Tables}
	return !difference.None()
}
