package app

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/eventlog"
	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/archive/s3"
)

// OpenStored gives the archive with its store; nil where it has none. The store is not
// asked for anything yet. It returns a [StoreGoneError] where there was one.
func OpenStored(c *config.Config) (*archive.Stored, error) {
	if c.Archive.Store == "" {
		return nil, checkNoStore(ArchiveFolder(c))
	}
	store, err := openStore(&c.Archive)
	if err != nil {
		return nil, err
	}
	return archive.OpenStored(ArchiveFolder(c), store)
}

// checkNoStore refuses to go on without the store of an archive that has one: what is erased
// would stay there, and nobody would ever erase it.
func checkNoStore(dir string) error {
	if dir == "" {
		return nil
	}
	stored, err := archive.OpenStored(dir, nil)
	if err == nil && stored.Last() > 0 {
		err = &StoreGoneError{Dir: dir, Last: stored.Last(), Trimmed: stored.Trimmed()}
	}
	return err
}

// StoreGoneError says that an archive has a store, and none is configured.
type StoreGoneError struct {
	Dir           string // of the archive
	Last, Trimmed uint64 // up to where webhooks are in the store, and not in the stream any more
}

func (e *StoreGoneError) Error() string {
	return fmt.Sprintf("the archive in %s has a store with the webhooks up to stream sequence %d, and none is configured", e.Dir, e.Last)
}

// Hint gives the mend.
func (e *StoreGoneError) Hint() string {
	hint := "name it with archive.store (" + config.Variable("archive.store") + "): what is erased has to be erased there too"
	if e.Trimmed == 0 {
		hint += "; or, to give it up, remove all that is in it, and " + filepath.Join(e.Dir, archive.LedgerFile)
	}
	return hint
}

func openStore(a *config.Archive) (archive.Store, error) {
	bucket, prefix, remote := a.Bucket()
	if !remote {
		return archive.Folder(a.Store), nil
	}
	return s3.Open(s3.Config{
		Bucket: bucket, Prefix: prefix, Endpoint: a.S3.Endpoint, Region: a.S3.Region,
		AccessKey: a.S3.AccessKey.Reveal(), SecretKey: a.S3.SecretKey.Reveal(),
	})
}

// History is the stream with what was trimmed of it, which is read in the archive's store.
type History struct {
	*eventlog.Log
	joined *archive.Joined // nil where there is no store
}

// NewHistory gives the whole history of a stream; stored may be nil.
func NewHistory(log *eventlog.Log, stored *archive.Stored) History {
	if stored == nil {
		return History{Log: log}
	}
	return History{log, archive.Join(stored, log)}
}

// Info tells where the stream stands, as eventlog.Log does.
func (h History) Info(ctx context.Context) (domain.StreamInfo, error) {
	if h.joined == nil {
		return h.Log.Info(ctx)
	}
	return h.joined.Info(ctx)
}

// Webhook reads one webhook, as eventlog.Log does.
func (h History) Webhook(ctx context.Context, streamSequence uint64) (*domain.Webhook, error) {
	if h.joined == nil {
		return h.Log.Webhook(ctx, streamSequence)
	}
	return h.joined.Webhook(ctx, streamSequence)
}

// Batches reads from a stream sequence on, as eventlog.Log does.
func (h History) Batches(ctx context.Context, from uint64, most int) iter.Seq2[*eventlog.Batch, error] {
	if h.joined == nil {
		return h.Log.Batches(ctx, from, most)
	}
	return h.joined.Batches(ctx, from, most)
}

// openHistory joins the stream with the archive's store, if it has one.
func (a *App) openHistory(context.Context) (err error) {
	a.stored, err = OpenStored(a.config)
	a.history = NewHistory(a.log, a.stored)
	return err
}

// startCarrier has the archive's store follow the archive, and the stream be trimmed.
func (a *App) startCarrier(context.Context) error {
	if a.stored == nil {
		return nil
	}
	carrier := archive.NewCarrier(archive.CarrierConfig{
		Log: a.log, Stored: a.stored, Keeper: a.keeper, Keep: int64(a.config.Stream.Keep), KeepLocal: a.config.Archive.KeepLocal,
		Reached: func() uint64 { return a.projector.Status().Checkpoint }, Logger: a.logger,
	})
	a.showStore(carrier)
	a.steps.beside("leave the archive's store", limitCarrier, carrier.Run)
	return nil
}

// showStore shows how far the store is, and the stream trimmed.
func (a *App) showStore(carrier *archive.Carrier) {
	auto := promauto.With(a.metrics)
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ticketrail_archive_store_last_sequence",
		Help: "The stream sequence up to which the archive's store has every webhook, read back and checked.",
	}, func() float64 { return float64(a.stored.Last()) })
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ticketrail_stream_trimmed_sequence",
		Help: "The stream sequence up to which webhooks may have been taken out of the stream, since the archive's store has them.",
	}, func() float64 { return float64(a.stored.Trimmed()) })
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ticketrail_archive_store_failing",
		Help: "1 while the archive's store fails, and nothing is trimmed; 0 while it does not.",
	}, func() float64 {
		if carrier.Trouble() != nil {
			return 1
		}
		return 0
	})
}
