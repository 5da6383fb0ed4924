package provider

import (
	"slices"

	"github.com/ticketrail/ticketrail/domain"
)

// orderStatus is one value of a provider's order status, and what it says.
type orderStatus struct {
	name            string
	axes            domain.Axes
	problem         string
	fulfillmentKind string
}

func (s orderStatus) standing() domain.Standing {
	return domain.Standing{Axes: s.axes, Problem: s.problem}
}

// lifecycle lists a provider's statuses in rising rank: what may follow another
// stands behind it. The rank decides only between statements that no clock tells
// apart.
type lifecycle []orderStatus

// find gives the status of that name with its rank, from 1. An unknown one ranks
// 0 and says nothing.
func (l lifecycle) find(name string) (s orderStatus, rank uint8, known bool) {
	i := slices.IndexFunc(l, func(s orderStatus) bool { return s.name == name })
	if i < 0 {
		return orderStatus{}, 0, false
	}
	return l[i], uint8(i + 1), true
}

// rankIn gives the place of a name, from 1, and 0 for one that is not there.
func rankIn(names []string, name string) uint8 {
	return uint8(slices.Index(names, name) + 1)
}
