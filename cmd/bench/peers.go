package main

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // to look into the file that Bento writes
	"github.com/nats-io/nats.go"

	"github.com/ticketrail/ticketrail/cmd/bench/contest"
	"github.com/ticketrail/ticketrail/cmd/bench/load"
	"github.com/ticketrail/ticketrail/eventlog"
)

// peerConnections is how many senders there are at once where Bento takes webhooks too.
const peerConnections = 64

// The contestants beside Bento.
const (
	bentoTakes   = "Bento http_server to nats_jetstream"
	bentoReplays = "Bento nats_jetstream to SQLite"
	bentoInC     = "the same, with ticketrail's SQLite"
)

//go:embed peers/*.yaml
var peerConfigurations embed.FS

// peerContests hold ticketrail against Bento, which does as much of the same work as it
// can, with the same durability.
func (b *bench) peerContests() []*contest.Contest {
	r := &replays{bench: b, name: "peers"}
	return []*contest.Contest{{
		Path: fmt.Sprintf("webhook to 200, %d connections", peerConnections),
		Contestants: []contest.Contestant{
			b.taker(bentoTakes, peerConnections, b.takenByBento),
			b.taker(wholeProgram, peerConnections, b.takenByProgram),
			b.taker(withArchive, peerConnections, b.takenBy("ingest", "stream", "group", "archive")),
		},
		Comparisons: []contest.Comparison{
			{What: bentoTakes, Against: bentoTakes},
			{What: wholeProgram, Against: bentoTakes},
			{What: withArchive, Against: bentoTakes},
		},
	}, {
		Path: fmt.Sprintf("stream to read model, %d orders", b.orders),
		Contestants: []contest.Contestant{
			{Name: "rebuild", Run: r.rebuild},
			{Name: bentoReplays, Run: func(ctx context.Context) (contest.Sample, error) { return r.byBento(ctx, b.bento) }},
			{Name: bentoInC, Run: func(ctx context.Context) (contest.Sample, error) { return r.byBento(ctx, b.bento+"-csqlite") }},
		},
		Comparisons: []contest.Comparison{
			{What: bentoReplays, Against: bentoReplays},
			{What: bentoInC, Against: bentoReplays},
			{What: "rebuild", Against: bentoReplays},
			{What: "rebuild", Against: bentoInC},
		},
	}}
}

// takenByBento sends to Bento, and counts what the server has when it has ended.
func (b *bench) takenByBento(ctx context.Context, dir string, order loadOrder) (sample contest.Sample, err error) {
	order.places = "" // it does not say where it stored a webhook
	n, err := b.startNATS(ctx, dir, filepath.Join(dir, "stream"))
	if err != nil {
		return sample, err
	}
	defer func() { err = errors.Join(err, n.stop()) }()
	if order.Address, err = freeAddress(); err != nil {
		return sample, err
	}
	p, err := startBento(ctx, b.bento, dir, "ingest.yaml", "BENCH_NATS="+n.url, "BENCH_ADDRESS="+order.Address)
	if err != nil {
		return sample, err
	}
	if err := awaitListener(ctx, order.Address); err != nil {
		return sample, errors.Join(err, p.terminate())
	}
	report, sample, err := send(ctx, order, p, n)
	if err := errors.Join(err, p.terminate()); err != nil {
		return sample, err
	}
	return sample, n.has(ctx, report)
}

// natsServer is a NATS server of the version that the program has inside, as an operator
// would run it beside the program: it syncs each message.
type natsServer struct {
	*process
	url  string
	conn *nats.Conn
	log  *eventlog.Log
}

func (b *bench) startNATS(ctx context.Context, dir, store string) (*natsServer, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "nats.conf")
	text := fmt.Sprintf("listen: %s\njetstream { store_dir: %q, sync_interval: always, max_file_store: %d }\nmax_payload: 8MB\n",
		address, store, roomForStreams)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, b.nats, "--config", file, "--log", filepath.Join(dir, "nats.log"))
	p, err := start(command)
	if err != nil {
		return nil, err
	}
	n := &natsServer{process: p, url: "nats://" + address}
	if err := awaitListener(ctx, address); err != nil {
		return nil, errors.Join(err, n.stop())
	}
	if n.conn, err = nats.Connect(n.url); err == nil {
		n.log, err = openStreams(ctx, n.conn)
	}
	if err != nil {
		return nil, errors.Join(err, n.stop())
	}
	return n, nil
}

func (n *natsServer) stop() error {
	if n.conn != nil {
		n.conn.Close()
	}
	_ = n.terminate() // it ends with the signal's own exit code
	return nil
}

// has checks that the stream has as many webhooks as were answered.
func (n *natsServer) has(ctx context.Context, report load.Report) error {
	info, err := n.log.Info(ctx)
	if err == nil && info.Messages != uint64(report.Answered) {
		err = fmt.Errorf("%d webhooks were answered with 200, and the stream has %d", report.Answered, info.Messages)
	}
	return err
}

func startBento(ctx context.Context, binary, dir, configuration string, environment ...string) (*process, error) {
	text, err := peerConfigurations.ReadFile("peers/" + configuration)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, configuration)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, binary, "-c", file)
	command.Env = append(os.Environ(), environment...)
	return start(command)
}

// byBento has a Bento put each webhook into a row of a new file.
func (r *replays) byBento(ctx context.Context, binary string) (sample contest.Sample, err error) {
	dir, err := os.MkdirTemp(r.dir, "bento-")
	if err != nil {
		return sample, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	n, err := r.startNATS(ctx, dir, filepath.Join(r.stream.dir, "stream"))
	if err != nil {
		return sample, err
	}
	defer func() { err = errors.Join(err, n.stop()) }()
	file := filepath.Join(dir, "webhooks.sqlite")
	p, err := startBento(ctx, binary, dir, "replay.yaml", "BENCH_NATS="+n.url, "BENCH_FILE="+file)
	if err != nil {
		return sample, err
	}
	defer func() { err = errors.Join(err, p.terminate()) }()
	db, err := sql.Open("sqlite3", "file:"+file+"?mode=ro&_busy_timeout=5000")
	if err != nil {
		return sample, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return r.watchRows(ctx, db, p, n)
}

// watchRows takes the time from the first rows to the last, so that the start of the
// process does not count, and checks that each webhook has its row.
func (r *replays) watchRows(ctx context.Context, db *sql.DB, servers ...measured) (sample contest.Sample, err error) {
	var first, last uint64
	begun := time.Now()
	var used time.Duration
	for last < r.stream.Webhooks {
		if err := ctx.Err(); err != nil || first == 0 && time.Since(begun) > patience {
			return sample, errors.Join(errors.New("no row appears"), err)
		}
		// There is no table at first, and may be no file.
		_ = db.QueryRowContext(ctx, "SELECT ifnull(max(stream_sequence), 0) FROM webhooks").Scan(&last)
		if first == 0 && last > 0 {
			first, begun, used = last, time.Now(), cpuOf(servers)
		}
		time.Sleep(5 * time.Millisecond)
	}
	took, used := time.Since(begun), cpuOf(servers)-used
	var rows uint64
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM webhooks").Scan(&rows); err != nil {
		return sample, err
	}
	if rows != r.stream.Webhooks {
		return sample, fmt.Errorf("%d webhooks became %d rows", r.stream.Webhooks, rows)
	}
	seen := last - first
	return contest.Sample{Rate: float64(seen) / took.Seconds(), CPU: used / time.Duration(max(1, seen))}, nil
}

// freeAddress gives an address that nobody listens on just now.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// awaitListener returns when somebody listens.
func awaitListener(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		if ctx.Err() != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}
