package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/domain"
)

// ordersTop fills the terminal with how orders stand, and keeps it up.
type ordersTop struct {
	settings
	APIListen string        `name:"api-listen" help:"Address of the API." placeholder:"HOST:PORT" setting:"api.listen"`
	Every     time.Duration `help:"Ask this often." default:"1s" placeholder:"TIME"`
}

// Validate refuses to ask without a pause.
func (c *ordersTop) Validate() error {
	if c.Every < 100*time.Millisecond {
		return fmt.Errorf("--every: %s is below 100ms", c.Every)
	}
	return nil
}

// Run draws until ctx ends.
func (c *ordersTop) Run(ctx context.Context, p *program) (err error) {
	screen := terminalOf(p.stdout)
	if screen == nil {
		return usagef("elsewhere: ticketrail orders list", "stdout is no terminal")
	}
	client, err := p.connect(ctx, c.settings, serverOnly)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.close()) }()
	fmt.Fprint(screen, otherScreen)
	defer fmt.Fprint(screen, firstScreen)
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	for {
		width, height := screenSize(screen)
		if _, err := fmt.Fprint(screen, frame(c.look(ctx, client, height), width, height, p.colored())); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look asks how everything is, and gives it as lines; those that begin a part are its heads.
// Where nobody answers it says so: who watches a restart sees it come back.
func (c *ordersTop) look(ctx context.Context, client *apiClient, height int) (lines []string) {
	var projection api.Projection
	var stats api.Stats
	var latest, troubled, late api.OrderList
	recent := url.Values{"limit": {strconv.Itoa(max(1, height/2))}}
	lines = []string{head + time.Now().Format(time.TimeOnly) + "  " + client.base}
	for _, question := range []struct {
		path   string
		query  url.Values
		answer any
	}{
		{"/v1/projection", nil, &projection},
		{"/v1/stats", url.Values{"minutes": {"1"}}, &stats},
		{"/v1/orders", recent, &latest},
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
	lines = append(lines, progress(&projection), "")
	lines = append(lines, sheetLines(statesSheet(&stats))...)
	for _, part := range []struct {
		title  string
		orders *api.OrderList
	}{{"Somebody should look at", &troubled}, {"Late for longest", &late}, {"Latest changes", &latest}} {
		if len(part.orders.Orders) > 0 {
			lines = append(append(lines, "", head+part.title), sheetLines(ordersSheet(part.orders))...)
		}
	}
	return lines
}

// read reads one answer of the API.
func (a *apiClient) read(ctx context.Context, path string, query url.Values, answer any) error {
	text, err := a.get(ctx, path, query)
	if err != nil {
		return err
	}
	return understand(text, answer)
}

// progress says how far the read model is, how fast it goes, and what holds it up.
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
	line += fmt.Sprintf("   quarantined %d", p.Counts.Quarantined)
	if p.Reason != nil {
		line += "   " + *p.Reason
	}
	return printable(line)
}

// statesSheet has a row for each state and a column for each source.
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
		s.add(append([]any{state, sum}, row...)...)
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
