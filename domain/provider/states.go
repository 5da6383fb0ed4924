package provider

import (
	"slices"

	"github.com/ticketrail/ticketrail/domain"
)

// States gives the states that a provider's webhooks tell of, in rising order; all there
// are for one that is not known here.
func States(provider string) []domain.State {
	switch provider {
	case Ivy{}.Name():
		return []domain.State{domain.StatePlaced, domain.StateAccepted, domain.StateFailed, domain.StateCompleted, domain.StateCanceled}
	case Ordatic{}.Name():
		return []domain.State{
			domain.StatePlaced, domain.StateAccepted, domain.StateInKitchen, domain.StateReady, domain.StateRiderDelivering,
			domain.StateCompleted, domain.StateCanceled,
		}
	case Payway{}.Name():
		return []domain.State{domain.StatePlaced, domain.StateFailed, domain.StateClosed}
	case Runa{}.Name():
		return []domain.State{domain.StatePlaced, domain.StateFailed, domain.StateCompleted}
	}
	return domain.States()
}

// StatesOf is States for a provider that may have a mapping: then they are those that its
// events lead to, each by itself.
func StatesOf(p Provider) []domain.State {
	mapped, is := p.(*Mapped)
	if !is {
		return States(p.Name())
	}
	told := []domain.State{domain.StatePlaced}
	for i := range mapped.mapping.Events {
		if e := &mapped.mapping.Events[i]; !e.Ignored {
			told = append(told, e.axes().State())
		}
	}
	slices.Sort(told)
	return slices.Compact(told)
}
