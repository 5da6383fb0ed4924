package config

import (
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/ticketrail/ticketrail/domain"
)

// Limits say how long an order may be in an open state before it is late; 0 stands for as
// long as it likes.
type Limits map[domain.State]Duration

// String gives the limits in the form that they are written in, by rising states; empty where
// there are none.
func (l Limits) String() string {
	var pairs []string
	for state, limit := range l.rising() {
		pairs = append(pairs, fmt.Sprintf("%s: %s", state, limit))
	}
	if len(pairs) == 0 {
		return ""
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// rising gives the limits by rising states.
func (l Limits) rising() iter.Seq2[domain.State, Duration] {
	return func(yield func(domain.State, Duration) bool) {
		for _, state := range domain.OpenStates() {
			if limit, has := l[state]; has && !yield(state, limit) {
				return
			}
		}
	}
}

// LimitsOf gives the limits of a configuration with these sources, each of which may have
// some of its own.
func (c *Config) LimitsOf(sources []Source) *domain.Limits {
	limits := &domain.Limits{All: c.Limits.times(), Sources: map[string]map[domain.State]time.Duration{}}
	for _, s := range sources {
		limits.Sources[s.Name] = s.Limits.times()
	}
	return limits
}

func (l Limits) times() map[domain.State]time.Duration {
	times := map[domain.State]time.Duration{}
	for state, limit := range l {
		times[state] = time.Duration(limit)
	}
	return times
}

// decodeLimits reads limits into those that there are: a state that is not named keeps its
// own.
func (d *decoder) decodeLimits(node ast.Node, target reflect.Value, key string) error {
	limits := Limits{}
	for state, limit := range target.Interface().(Limits) {
		limits[state] = limit
	}
	target.Set(reflect.ValueOf(limits))
	return d.eachPair(node, key, func(name string, line int, value ast.Node) error {
		var state domain.State
		if err := state.UnmarshalText([]byte(name)); err != nil || state.Ended() {
			return d.fail(line, join(key, name), misfitf("it knows "+openStates(), "no order waits in such a state"))
		}
		limit := limits[state]
		err := d.decode(value, reflect.ValueOf(&limit).Elem(), join(key, name))
		limits[state] = limit
		return err
	})
}

func openStates() string {
	var all fields
	for _, state := range domain.OpenStates() {
		all = append(all, field{name: state.String()})
	}
	return all.list()
}
