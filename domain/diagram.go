package domain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Diagram draws the machine of an order's headline as a Mermaid state diagram,
// made from the axes by trying them: every combination of values has each axis
// raised by one value, and where [Axes.State] then gives a higher headline there
// is an edge, named after the value that was raised to. Outcomes leave the open
// states as a whole. It shows what steps do; a snapshot may go anywhere.
func Diagram() string {
	var d strings.Builder
	d.WriteString("stateDiagram-v2\n")
	for _, state := range States() {
		if id := diagramID(state); id != state.String() {
			fmt.Fprintf(&d, "    state %q as %s\n", state, id)
		}
	}
	d.WriteString("    [*] --> open\n    state open {\n        [*] --> " + diagramID(StatePlaced) + "\n")
	for _, e := range openEdges() {
		fmt.Fprintf(&d, "        %s --> %s: %s\n", diagramID(e.from), diagramID(e.to), e.label)
	}
	d.WriteString("    }\n")
	for _, e := range outcomeEdges() {
		fmt.Fprintf(&d, "    %s --> %s: %s\n", cmp.Or(e.within, diagramID(e.from)), diagramID(e.to), e.label)
	}
	return d.String()
}

// edge is one arrow of the diagram; within stands for from where it leaves a
// group of states.
type edge struct {
	within   string
	from, to State
	label    string
}

// openEdges gives the edges between the headlines of orders that have not ended,
// by rising headlines.
func openEdges() []edge {
	var edges []edge
	for _, axes := range openAxes() {
		for _, e := range axes.raises() {
			if e.from < e.to && !slices.Contains(edges, e) {
				edges = append(edges, e)
			}
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	return edges
}

// openAxes gives every combination of the axes of an order that has not ended.
func openAxes() []Axes {
	var all []Axes
	for f := range fulfillmentNames {
		for d := range deliveryNames {
			for p := range paymentNames {
				all = append(all, Axes{Fulfillment: Fulfillment(f), Delivery: Delivery(d), Payment: Payment(p)})
			}
		}
	}
	return all
}

// raises gives an edge for each axis that can be raised by one value, named after
// that value.
func (a Axes) raises() []edge {
	var edges []edge
	raise := func(axis string, to fmt.Stringer, raised Axes) {
		edges = append(edges, edge{from: a.State(), to: a.Join(raised).State(), label: axis + " " + to.String()})
	}
	if f := a.Fulfillment + 1; int(f) < len(fulfillmentNames) {
		raise("fulfillment", f, Axes{Fulfillment: f})
	}
	if d := a.Delivery + 1; int(d) < len(deliveryNames) {
		raise("delivery", d, Axes{Delivery: d})
	}
	if p := a.Payment + 1; int(p) < len(paymentNames) {
		raise("payment", p, Axes{Payment: p})
	}
	return edges
}

// outcomeEdges gives the edges from the open states to each outcome, and from
// each outcome to those that outrank it.
func outcomeEdges() []edge {
	var edges []edge
	for _, from := range Outcomes() {
		for _, to := range Outcomes() {
			if to <= from {
				continue
			}
			e := edge{from: Axes{Outcome: from}.State(), to: Axes{Outcome: to}.State(), label: "outcome " + to.String()}
			if from == OutcomeOpen {
				e.within = from.String()
			}
			if from.contradicts(to) {
				e.label += ", a contradiction"
			}
			edges = append(edges, e)
		}
	}
	return edges
}

// diagramID gives the name of a state in Mermaid, whose names know no hyphen.
func diagramID(s State) string { return strings.ReplaceAll(s.String(), "-", "_") }
