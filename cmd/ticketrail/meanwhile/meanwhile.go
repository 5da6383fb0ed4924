// Package meanwhile tells who waits for a command what it is at.
package meanwhile

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// patience is how long everybody waits without a word.
	patience = 2 * time.Second
	// redrawEvery is how often the line on a terminal is drawn anew, and lineEvery how
	// often there is another line elsewhere.
	redrawEvery = time.Second
	lineEvery   = 5 * time.Second
)

// Tell tells w, from two seconds on, what is done and for how long it has been: on a
// terminal in a line that is drawn anew, elsewhere in a line every five seconds. When end
// returns nothing more is written, and nothing is left of the line on a terminal.
func Tell(w io.Writer, terminal bool, what string) (end func()) {
	over := make(chan struct{})
	var told sync.WaitGroup
	told.Go(func() { tell(w, terminal, what, over) })
	return func() {
		close(over)
		told.Wait()
	}
}

func tell(w io.Writer, terminal bool, what string, over <-chan struct{}) {
	const toTheLeft, clear = "\r", "\x1b[K"
	began, pause := time.Now(), patience
	for said := false; ; said = true {
		select {
		case <-over:
			if said && terminal {
				fmt.Fprint(w, toTheLeft+clear)
			}
			return
		case <-time.After(pause):
		}
		line := fmt.Sprintf("%s … %s", what, time.Since(began).Round(time.Second))
		if pause = lineEvery; terminal {
			pause = redrawEvery
			fmt.Fprint(w, toTheLeft+line+clear)
			continue
		}
		fmt.Fprintln(w, line)
	}
}
