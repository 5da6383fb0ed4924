package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tmaxmax/go-sse"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
)

// topBeat is how often it is asked where no change is told: a lag, a pace and a lateness
// change by the clock alone.
const topBeat = 5 * time.Second

// ordersTop fills the terminal with how orders stand, and keeps it up.
type ordersTop struct {
	settings
	APIListen string        `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	Every     time.Duration `help:"While orders change, ask this often at the most." default:"1s" placeholder:"TIME"`
}

// Validate refuses to ask without a pause.
func (c *ordersTop) Validate() error {
	if c.Every < 100*time.Millisecond {
		return fmt.Errorf("--every: %s is below 100ms", c.Every)
	}
	return nil
}

// Run draws until ctx ends: when the feed tells of changes, and when the terminal has got
// another size.
func (c *ordersTop) Run(ctx context.Context, p *program) (err error) {
	screen := terminalOf(p.stdout)
	if screen == nil {
		return usagef("elsewhere: ticketrail orders list", "stdout is no terminal")
	}
	loaded, err := p.loadToRead(c.settings)
	if err != nil {
		return err
	}
	first, err := connect(ctx, loaded, p.namesFolder("api.listen"), serverOnly)
	if err != nil {
		return err
	}
	t := &top{changed: make(chan struct{}, 1)}
	t.client.Store(first)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- t.follow(ctx, p, loaded) }()
	resized, stop := resizes()
	defer stop()
	fmt.Fprint(screen, otherScreen)
	defer fmt.Fprint(screen, firstScreen)
	for lines := t.look(ctx, screen); ; {
		if _, err := fmt.Fprint(screen, frame(lines, screen, p.colored())); err != nil {
			return err
		}
		select {
		case err := <-ended:
			return err
		case <-resized:
		case <-t.changed:
			rest(ctx, c.Every)
		case <-time.After(topBeat):
		}
		lines = t.look(ctx, screen)
	}
}

// top is what is looked at: the program that the feed was last opened of.
type top struct {
	client  atomic.Pointer[apiClient]
	changed chan struct{}
}

// tell has it looked at again.
func (t *top) tell() {
	select {
	case t.changed <- struct{}{}:
	default: // that is to come already
	}
}

// follow tells that orders change, or that nobody knows any more whether they do.
func (t *top) follow(ctx context.Context, p *program, c *config.Config) error {
	changes := &feed{
		path: changesPath, query: func() url.Values { return nil }, lost: t.tell, opened: true,
		begun: func(_ context.Context, client *apiClient) error {
			t.client.Store(client)
			t.tell()
			return nil
		},
		heard: func(_ context.Context, _ *apiClient, e sse.Event) error {
			if e.Type != "" { // else it is the heart-beat
				t.tell()
			}
			return nil
		},
	}
	return changes.follow(ctx, p, c)
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}

// look asks how everything is, and gives it as the lines of a screen; those that begin a part
// are its heads. Where nobody answers it says so: who watches a restart sees it come back.
func (t *top) look(ctx context.Context, screen *os.File) (lines []string) {
	client := t.client.Load()
	width, height := screenSize(screen)
	var projection api.Projection
	var stats api.Stats
	var latest, troubled, late api.OrderList
	lines = []string{head + time.Now().Format(time.TimeOnly) + "  " + client.base}
	for _, question := range []struct {
		path   string
		query  url.Values
		answer any
	}{
		{"/v1/projection", nil, &projection},
		{"/v1/stats", url.Values{"minutes": {"1"}}, &stats},
		{"/v1/orders", url.Values{"limit": {strconv.Itoa(min(height, mostListed))}}, &latest},
		{"/v1/orders", url.Values{"problem": {"true"}, "limit": {"5"}}, &troubled},
		{"/v1/orders", url.Values{"late": {"true"}, "sort": {"since"}, "limit": {"5"}}, &late},
	} {
		if err := client.read(ctx, question.path, question.query, question.answer); err != nil {
			if unanswered, ok := errors.AsType[*url.Error](err); ok {
				err = unanswered.Err // the address is in the line above
			}
			return append(lines, printable(err.Error()))
		}
	}
	lines = append(lines, progress(&projection))
	if projection.Reason != nil {
		lines = append(lines, printable(*projection.Reason))
	}
	lines = append(append(lines, ""), sheetLines(statesSheet(&stats))...)
	return append(lines, orderLines(width, height-len(lines), []topPart{
		{"Somebody should look at", troubled.Orders}, {"Late for longest", late.Orders}, {"Latest changes", latest.Orders},
	})...)
}

// mostListed is how many orders the API gives at once.
const mostListed = 200

// topPart are some orders under a title.
type topPart struct {
	title  string
	orders []api.Order
}

// orderLines puts the parts that there are under one another, in the same columns. The last
// one gets what is left of the height, those before it no more than some quarter of it each.
func orderLines(width, height int, parts []topPart) (lines []string) {
	s := newSheet("source", "key", "state", "seen", "note")
	for i, part := range parts {
		if few := max(2, height/4-1); i < len(parts)-1 {
			parts[i].orders = part.orders[:min(len(part.orders), few)]
		}
		for _, o := range parts[i].orders {
			s.add(clip(o.Source, 12), clip(o.Key, max(12, width-topColumns)), o.State, clockTime(o.LastSeenAt), topNote(&o))
		}
	}
	rows := sheetLines(s)[1:]
	for _, part := range parts {
		if n := len(part.orders); n > 0 {
			lines = append(append(lines, "", head+part.title), rows[:n]...)
			rows = rows[n:]
		}
	}
	return lines
}

// topColumns is what the columns beside the key take as a rule: on a screen of 80 columns
// the key has 20.
const topColumns = 60

// topNote says what somebody should know of an order at first sight.
func topNote(o *api.Order) string {
	switch {
	case o.Problem != nil:
		return o.Problem.Reason
	case o.Late != nil:
		return "late " + clockTime(o.Late.Since)
	}
	return ""
}

func clockTime(at domain.Instant) string { return at.Time().Local().Format(time.TimeOnly) }

// read reads one answer of the API.
func (a *apiClient) read(ctx context.Context, path string, query url.Values, answer any) error {
	text, err := a.get(ctx, path, query)
	if err != nil {
		return err
	}
	return understand(text, answer)
}

// progress says how far the read model is, and how fast it goes.
func progress(p *api.Projection) string {
	line := fmt.Sprintf("stream sequence %d", p.Checkpoint)
	if p.WebhooksPerSecond != nil {
		line += fmt.Sprintf("   %.1f webhooks/s", *p.WebhooksPerSecond)
	}
	switch {
	case p.Lag == nil:
		line += "   lag unknown: the stream does not answer"
	case p.Lag.OldestSeconds != nil:
		line += fmt.Sprintf("   lag %d, the oldest for %.1f s", p.Lag.Webhooks, *p.Lag.OldestSeconds)
	default:
		line += fmt.Sprintf("   lag %d", p.Lag.Webhooks)
	}
	return line + fmt.Sprintf("   quarantined %d", p.Counts.Quarantined)
}

// statesSheet has a row for each state that there are orders in, and a column for each source.
func statesSheet(stats *api.Stats) *sheet {
	tally := map[domain.State]map[string]uint64{}
	sources := map[string]struct{}{}
	for _, c := range stats.Orders {
		if tally[c.State] == nil {
			tally[c.State] = map[string]uint64{}
		}
		tally[c.State][c.Source] += c.Orders
		sources[c.Source] = struct{}{}
	}
	names := slices.Sorted(maps.Keys(sources))
	s := newSheet("state", "orders")
	for _, name := range names {
		s.head = append(s.head, name)
	}
	for state := domain.State(0); state <= domain.StateCanceled; state++ {
		sum, row := uint64(0), []any{}
		for _, name := range names {
			sum += tally[state][name]
			row = append(row, tally[state][name])
		}
		if sum > 0 {
			s.add(append([]any{state, sum}, row...)...)
		}
	}
	return s
}

// sheetLines gives the lines of a table, of which the first is its head.
func sheetLines(s *sheet) []string {
	var text strings.Builder
	s.table(&text)
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	lines[0] = head + lines[0]
	return lines
}
