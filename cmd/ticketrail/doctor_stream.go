package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
)

const (
	// askTimeout bounds one question to the running program.
	askTimeout = 5 * time.Second
	// clockSlack is how far the last webhook may lie ahead of this clock: another
	// machine may have given its time.
	clockSlack = time.Minute
	// programAge is before any release: a clock that shows less was never set.
	programAge = "2026-01-01T00:00:00Z"
)

// checkDurability tells what an answer of 200 means: by the running program's own
// word, else on the very broker that serve would start.
func checkDurability(ctx context.Context, e *examination) check {
	const name = "durability"
	switch {
	case e.running != nil:
		return e.runningDurability(ctx, name)
	case !e.config.NATS.Embedded():
		return e.externalDurability(name)
	}
	durability, err := e.embeddedDurability(ctx)
	if err != nil {
		return failed(name, err)
	}
	return judgeDurability(name, durability)
}

func (e *examination) runningDurability(ctx context.Context, name string) check {
	var ready struct {
		Ready      bool                `json:"ready"`
		Durability eventlog.Durability `json:"durability"`
		Reason     string              `json:"reason"`
	}
	if e.running.Ingest == "" {
		return ok(name, elsewhere)
	}
	if _, err := e.ask(ctx, e.running.Ingest+"/readyz", &ready); err != nil {
		return failed(name, err)
	}
	if !ready.Ready {
		mend := "see its log, and whether the broker runs"
		if ready.Reason == "stream-full" {
			mend = e.makeRoom()
		}
		return fail(name, mend, "webhooks are refused: %s", ready.Reason)
	}
	return judgeDurability(name, ready.Durability)
}

// makeRoom tells what a full stream wants: where its disk has room, it is at its own limit,
// or the archive's disk is full.
func (e *examination) makeRoom() string {
	free, err := freeBytes(e.config.Data)
	if err != nil || free < leastDisk {
		return "make room on the disk, and it goes on by itself"
	}
	mend := fmt.Sprintf("its disk has %.2f GiB free, so the stream is at its limit: raise stream.max_bytes, and restart it",
		float64(free)/(1<<30))
	if e.config.Archive.Dir != "" && e.config.Archive.Dir != config.ArchiveOff {
		mend += "; or make room on the disk of archive.dir, and it goes on by itself"
	}
	return mend
}

// judgeDurability warns of every durability but the one that promises.
func judgeDurability(name string, durability eventlog.Durability) check {
	if durability != eventlog.Synced {
		return warn(name, durability.Note(), "an answer of 200 means %s", durability)
	}
	return ok(name, "an answer of 200 means %s", durability)
}

func (e *examination) externalDurability(name string) check {
	conn, err := eventlog.Connect(app.Servers(e.config), nil)
	if err != nil {
		return failed(name, err)
	}
	conn.Close()
	return judgeDurability(name, eventlog.Unknown)
}

// embeddedDurability starts the broker on the stream's own folder, or on a
// throw-away one beside where it will be, so that its settings are asserted.
func (e *examination) embeddedDurability(ctx context.Context) (durability eventlog.Durability, err error) {
	folder := app.StreamFolder(e.config.Data)
	if !exists(folder) {
		if folder, err = os.MkdirTemp(standing(e.config.Data), ".doctor-"); err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	if err := app.CheckFiles(e.config, nil); err != nil {
		return "", err
	}
	server, err := eventlog.StartEmbedded(eventlog.EmbeddedConfig{
		Dir: folder, MaxBody: int64(e.config.Ingest.MaxBody),
		Sync: eventlog.Sync(e.config.Stream.Durability), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	settings := app.StreamConfig(e.config)
	settings.Dir = folder
	log, err := eventlog.Open(ctx, server.Conn(), settings)
	if err != nil {
		return "", err
	}
	stored, err := app.OpenStored(e.config)
	if err != nil {
		return "", err
	}
	info, err := app.NewHistory(log, stored).Info(ctx)
	if err != nil {
		return "", err
	}
	e.stream = &info
	return log.Durability(), nil
}

// checkAge tells whether a read model can be made anew. Of a running program's stream it
// knows the configuration alone.
func checkAge(_ context.Context, e *examination) check {
	const name = "expiry"
	if forgets := app.Forgets(e.config, e.stream); forgets != "" {
		return warn(name, app.KeepBackups, "%s", forgets)
	}
	return ok(name, "webhooks are kept for ever")
}

// checkStore tells whether the archive's store answers, and how far it is.
func checkStore(ctx context.Context, e *examination) check {
	const name = "store"
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	stored, err := app.OpenStored(e.config)
	if err == nil {
		err = stored.Answers(ctx)
	}
	if err != nil {
		return fail(name, "mend it, or archive.store and archive.s3: until then nothing is trimmed, and what was cannot be read", "%s", err)
	}
	return ok(name, "it has the webhooks up to stream sequence %d; the stream was trimmed up to %d", stored.Last(), stored.Trimmed())
}

// checkClock compares this clock with the last webhook's time: timestamps of
// senders are judged by it.
func checkClock(_ context.Context, e *examination) check {
	const name, mend = "clock", "set the clock, and keep it with NTP"
	now := time.Now()
	if earliest, _ := time.Parse(time.RFC3339, programAge); now.Before(earliest) {
		return fail(name, mend, "it is not %s", now.Format(time.DateOnly))
	}
	if e.stream == nil || e.stream.LastAt.IsZero() {
		return ok(name, "%s", now.UTC().Format(time.RFC3339))
	}
	last := e.stream.LastAt.Time()
	if last.Sub(now) > clockSlack {
		return fail(name, mend, "the last webhook came %s in the future", last.Sub(now).Round(time.Second))
	}
	return ok(name, "%s; the last webhook came %s ago", now.UTC().Format(time.RFC3339), max(now.Sub(last), 0).Round(time.Second))
}

// checkProjector tells how far the read model is.
func checkProjector(ctx context.Context, e *examination) check {
	const name = "projector"
	switch {
	case e.running != nil:
		return e.runningProjector(ctx, name)
	case !hasReadModel(e.config.Data):
		return ok(name, "there is no read model yet: serve makes it of the stream")
	}
	checkpoint, err := checkpointAtRest(ctx, e.config.Data)
	if err != nil {
		return failed(name, err)
	}
	if e.stream != nil && checkpoint.StreamSequence > e.stream.Last {
		return fail(name, "restore the stream, or rebuild from what it holds: ticketrail rebuild --accept",
			"the read model is at stream sequence %d, the stream ends at %d", checkpoint.StreamSequence, e.stream.Last)
	}
	return ok(name, "the read model is at stream sequence %d; nothing runs", checkpoint.StreamSequence)
}

// checkpointAtRest gives how far the read model in a data folder is.
func checkpointAtRest(ctx context.Context, data string) (checkpoint domain.Checkpoint, err error) {
	model, err := openReadModel(ctx, data)
	if err != nil {
		return checkpoint, err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	return model.Checkpoint(ctx)
}

func (e *examination) runningProjector(ctx context.Context, name string) check {
	var ready struct {
		Checkpoint   uint64
		Lag          *api.Lag
		Detail, Hint string // of the problem, where it is not ready
	}
	status, err := e.ask(ctx, e.running.API+"/readyz", &ready)
	switch {
	case err != nil:
		return failed(name, err)
	case status == http.StatusNotImplemented:
		return ok(name, elsewhere)
	case status != http.StatusOK:
		return fail(name, cmp.Or(ready.Hint, "see its log"), "%s", ready.Detail)
	case ready.Lag == nil:
		return warn(name, "see whether the broker runs", "it is at stream sequence %d; the stream does not answer", ready.Checkpoint)
	}
	return ok(name, "it is at stream sequence %d, %d webhooks behind", ready.Checkpoint, ready.Lag.Webhooks)
}

// ask reads an answer of the running program, whatever its status. Its API gets the token.
func (e *examination) ask(ctx context.Context, address string, answer any) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	certificate, ca := e.config.API.Certificate, e.config.API.CA
	if strings.HasPrefix(address, e.running.Ingest+"/") {
		certificate, ca = e.config.Ingest.Certificate, e.config.Ingest.CA
	} else if token := e.config.API.Token.Reveal(); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	transport, err := trusting(certificate, ca)
	if err != nil {
		return 0, err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxRead))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return 0, err
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return 0, fmt.Errorf("%s answers %s, and no JSON", address, response.Status)
	}
	return response.StatusCode, nil
}
