package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/eventlog"
)

// copyAgain is the wait before a program that gives another one a copy, or is not ready, is
// asked again.
const copyAgain = 2 * time.Second

// replica are the flags of a part that has a read model.
type replica struct {
	apart
	From string `help:"Where there is no read model yet, begin with a copy: from the API of another replica, asked with api.token, or from a backup." placeholder:"URL|DIR"`
}

func (r *replica) replicate(ctx context.Context, p *program, loaded *config.Config, parts app.Parts) error {
	logger := r.logger(p.stderr)
	from, err := r.copier(loaded, logger)
	if err != nil {
		return err
	}
	return r.run(ctx, p, loaded, app.Options{Parts: parts, From: from, Logger: logger})
}

// copier gives what puts a copy into a file; nil where none is wanted.
func (r *replica) copier(c *config.Config, logger *slog.Logger) (func(context.Context, string) error, error) {
	switch {
	case r.From == "":
		return nil, nil
	case !isHTTP(r.From):
		return func(_ context.Context, path string) error { return copyBackedUp(r.From, path) }, nil
	}
	transport, err := trusting("", c.API.CA)
	if err != nil {
		return nil, err
	}
	client := &apiClient{base: strings.TrimSuffix(r.From, "/"), token: c.API.Token.Reveal(), http: &http.Client{Transport: transport}}
	return func(ctx context.Context, path string) error { return client.copyReadModel(ctx, logger, path) }, nil
}

// copyBackedUp copies the read model of a backup.
func copyBackedUp(dir, path string) error {
	backup, err := readBackup(dir)
	if err != nil {
		return err
	}
	if backup.ReadModel == nil {
		return fmt.Errorf("the backup %s has no read model", dir)
	}
	return eventlog.CopyFile(filepath.Join(dir, backup.ReadModel.File), path)
}

// copyReadModel fetches a copy of the read model, and waits for its turn.
func (a *apiClient) copyReadModel(ctx context.Context, logger *slog.Logger, path string) error {
	for told := false; ; told = true {
		err := a.tryCopy(ctx, path)
		refused, ok := errors.AsType[*refusedError](err)
		if !ok || refused.status != http.StatusServiceUnavailable {
			return err
		}
		if !told {
			logger.Info("waiting for a copy of the read model", "from", a.base, "reason", err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(copyAgain):
		}
	}
}

func (a *apiClient) tryCopy(ctx context.Context, path string) error {
	response, err := a.do(ctx, a.http, http.MethodGet, api.CopyPath, nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was read, or is of no use
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(file, sum), response.Body)
	if err != nil {
		err = fmt.Errorf("%w: %w", errCutOff, err)
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if told := response.Header.Get(api.DigestHeader); told != api.CopyDigest(sum.Sum(nil)) {
		return errors.New("what came is not what was sent: its digest is another one")
	}
	return nil
}
