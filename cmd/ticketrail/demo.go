package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
)

// catchUp bounds the wait for the projector once nothing is sent any more.
const catchUp = time.Minute

// demoCommand serves on a throw-away folder while simulated shops send to it.
type demoCommand struct {
	IngestListen string        `help:"Address that takes webhooks; a free one where it is not given and the usual one is taken." placeholder:"HOST:PORT" setting:"ingest.listen"`
	APIListen    string        `name:"api-listen" help:"Address of the API and the dashboard, likewise." placeholder:"HOST:PORT" setting:"api.listen"`
	For          time.Duration `help:"Stop after this time; 0: at Ctrl-C." default:"0" placeholder:"DURATION"`
	Rate         float64       `help:"Webhooks a second." default:"100" placeholder:"R"`
	Seed         uint64        `help:"Seed of the orders and of the disorder." default:"1" placeholder:"N"`
	LogLevel     string        `help:"Least level that is logged: ${enum}." enum:"debug,info,warn,error" default:"warn" env:"TICKETRAIL_LOG_LEVEL"`
	LogFormat    string        `help:"Form of the log: ${enum}." enum:"text,json" default:"text" env:"TICKETRAIL_LOG_FORMAT"`
}

// Validate refuses what no traffic can be made of.
func (c *demoCommand) Validate() error {
	if c.For < 0 {
		return fmt.Errorf("--for: %s is below zero", c.For)
	}
	if !(c.Rate >= 1 && c.Rate <= maxRate) {
		return fmt.Errorf("--rate: %v is not from 1 to %.0f", c.Rate, maxRate)
	}
	return nil
}

// Run shows ticketrail at work, and ends with the arithmetic of the checkpoint.
// Its error says that the arithmetic does not add up, or that nothing ran.
func (c *demoCommand) Run(ctx context.Context, p *program) (err error) {
	signal.Ignore(syscall.SIGPIPE) // whose output is cut ends as well, and leaves nothing behind
	folder, err := os.MkdirTemp("", "ticketrail-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	settings, err := p.demoSettings(folder)
	if err != nil {
		return err
	}
	logger := logging{LogLevel: c.LogLevel, LogFormat: c.LogFormat}.logger(p.stderr)
	running, err := app.Start(ctx, settings, app.Options{Version: readVersions(ctx).Version, Logger: logger})
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer func() { err = errors.Join(err, running.Stop()) }()
	printAddresses(p.stdout, running, settings)
	client, err := connect(ctx, settings, true, openOffline)
	if err != nil {
		return err
	}
	return c.show(ctx, p, running, client)
}

// demoSettings are the defaults on a folder, and of what is configured only where to listen and
// who may ask: nothing that is kept is touched.
func (p *program) demoSettings(folder string) (*config.Config, error) {
	inputs := config.Inputs{File: os.DevNull, Flags: append(slices.Clone(p.flags), config.Flag{Key: "data", Name: "--data", Text: folder})}
	for _, key := range []string{"ingest.listen", "api.listen", "api.token"} {
		inputs.Environ = append(inputs.Environ, p.variable(config.Variable(key))...)
	}
	settings, err := config.Load(inputs)
	if err != nil {
		return nil, err
	}
	usual := config.Default()
	if settings.Ingest.Listen == usual.Ingest.Listen {
		settings.Ingest.Listen = freeAddress(usual.Ingest.Listen)
	}
	if settings.API.Listen == usual.API.Listen {
		settings.API.Listen = freeAddress(usual.API.Listen)
	}
	return settings, nil
}

// variable gives the entries of the environment for one name.
func (p *program) variable(name string) (entries []string) {
	return slices.DeleteFunc(slices.Clone(p.environ), func(entry string) bool { return !strings.HasPrefix(entry, name+"=") })
}

// show sends until the time is over, and then waits until all is projected.
func (c *demoCommand) show(ctx context.Context, p *program, running *app.App, client *apiClient) error {
	sources, _ := running.Sources()
	shops := newTraffic(c.Seed, running.Addresses().Ingest, sources)
	fmt.Fprintf(p.stdout, "\nShops send %v webhooks a second, out of order and some of them twice. Stop them with Ctrl-C.\n\n", c.Rate)

	sending, stop := context.WithCancel(ctx)
	if c.For > 0 {
		sending, stop = context.WithTimeout(ctx, c.For)
	}
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		shops.run(sending, c.Rate)
	}()
	if err := watchDemo(p, running, client, shops, ended); err != nil {
		stop()
		<-ended
		return err
	}
	return settle(p, client, &shops.tally)
}

// watchDemo prints a line a second until the traffic has ended.
func watchDemo(p *program, running *app.App, client *apiClient, shops *traffic, ended <-chan struct{}) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return nil
		case err := <-running.Failed():
			return err
		case <-tick.C:
		}
		line, err := statusLine(client, shops)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(p.stdout, line); err != nil {
			return err
		}
	}
}

func statusLine(client *apiClient, shops *traffic) (string, error) {
	projection, err := fetch[api.Projection](client, "/v1/projection", nil)
	if err != nil {
		return "", err
	}
	stats, err := fetch[api.Stats](client, "/v1/stats", nil)
	if err != nil {
		return "", err
	}
	lag := "unknown"
	if projection.Lag != nil {
		lag = strconv.FormatUint(projection.Lag.Webhooks, 10)
	}
	elapsed := time.Since(shops.began).Round(time.Second)
	return fmt.Sprintf("%4s  %s; %s; lag %s", elapsed, &shops.tally, ordersByState(stats), lag), nil
}

// ordersByState counts orders over all sources, in the order of the states.
func ordersByState(stats api.Stats) string {
	sums := map[domain.State]uint64{}
	var all uint64
	for _, count := range stats.Orders {
		sums[count.State] += count.Orders
		all += count.Orders
	}
	var parts []string
	for _, state := range domain.States() {
		if sums[state] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", state, sums[state]))
		}
	}
	return fmt.Sprintf("%d orders (%s)", all, strings.Join(parts, ", "))
}

// settle waits for the projector and prints what became of every webhook.
func settle(p *program, client *apiClient, t *tally) error {
	projection, err := caughtUp(client)
	if err != nil {
		return err
	}
	counts, last := projection.Counts, projection.Stream.Last
	fmt.Fprintf(p.stdout, "\n%s, of which %d were known to the broker: the stream ends at stream sequence %d.\n", t, t.known.Load(), last)
	fmt.Fprintf(p.stdout, "applied %d + duplicate %d + not about an order %d + quarantined %d = %d; the checkpoint is %d.\n",
		counts.Applied, counts.Duplicate, counts.NotAboutOrder, counts.Quarantined, counts.Sum, projection.Checkpoint)
	if counts.Sum != projection.Checkpoint || projection.Checkpoint != last || !t.explains(last) {
		return errors.New("the arithmetic does not add up")
	}
	return nil
}

// caughtUp waits until the read model has all of the stream.
func caughtUp(client *apiClient) (projection api.Projection, err error) {
	for deadline := time.Now().Add(catchUp); time.Now().Before(deadline); {
		projection, err = fetch[api.Projection](client, "/v1/projection", nil)
		switch {
		case err != nil:
			return projection, err
		case projection.Stream == nil:
			return projection, errors.New("the stream does not answer")
		case projection.Checkpoint >= projection.Stream.Last:
			return projection, nil
		}
		last := strconv.FormatUint(projection.Stream.Last, 10)
		_, _ = fetch[api.Projection](client, "/v1/projection", url.Values{"min_stream_sequence": {last}}) // to wait; it is asked again
	}
	return projection, fmt.Errorf("the projector did not catch up within %s", catchUp)
}

// fetch asks the API one thing, beyond the end of the traffic.
func fetch[T any](client *apiClient, path string, query url.Values) (answer T, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), catchUp)
	defer cancel()
	text, err := client.get(ctx, path, query)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return answer, fmt.Errorf("read the answer of the api: %w", err)
	}
	return answer, nil
}

// freeAddress gives the preferred address if nobody listens there, else one with
// a free port.
func freeAddress(preferred string) string {
	listener, err := net.Listen("tcp", preferred)
	if err != nil {
		host, _, _ := strings.Cut(preferred, ":")
		return host + ":0"
	}
	_ = listener.Close() // it took no connection
	return preferred
}
