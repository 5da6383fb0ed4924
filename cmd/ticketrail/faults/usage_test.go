package faults_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// spare is how much more of each a program may have after a load than before it:
// connections that idle, and what is there from the first use on.
const spare = 100

// held are the metrics of what a program holds.
var held = []string{"go_goroutines", "process_open_fds"}

// uses tells how much a program holds.
func (p *program) uses() (map[string]float64, error) {
	text, _, err := p.raw(context.Background(), "GET", "/metrics", "")
	if err != nil {
		return nil, err
	}
	found := map[string]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		found[name], _ = strconv.ParseFloat(value, 64) // of the others nothing is asked
	}
	for _, name := range held {
		if found[name] == 0 {
			return nil, fmt.Errorf("the metrics do not tell %s", name)
		}
	}
	return found, nil
}

// givesBack requires that a program comes back to what it held before.
func (j *judge) givesBack(p *program, before map[string]float64) {
	var now map[string]float64
	back := await(j.limit, func() bool {
		now, _ = p.uses()
		for _, name := range held {
			if now[name] == 0 || now[name] > before[name]+spare {
				return false
			}
		}
		return true
	})
	if !back {
		j.find(checkBaseline, "before it were %v goroutines and %v files, and after it are %v and %v",
			before[held[0]], before[held[1]], now[held[0]], now[held[1]])
	}
}
