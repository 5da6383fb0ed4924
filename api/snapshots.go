package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/ticketrail/ticketrail/domain"
)

const (
	typeSQLite = "application/vnd.sqlite3"
	// stallWithin is how long a client may take for the next part of a file. As
	// long as it goes on reading, a download may take any time.
	stallWithin = 30 * time.Second
)

// Snapshots gives the read model as it was. It must be safe for concurrent use.
type Snapshots interface {
	// OrdersAt gives a page of the orders as they were at a stream sequence, or
	// domain.ErrNotFound where no snapshot of it is kept. Both return domain.ErrDamaged
	// for one that is not what was written.
	OrdersAt(ctx context.Context, streamSequence uint64, q domain.OrderQuery) ([]*domain.Order, error)
	// OpenSnapshot opens the file of a snapshot, which nobody writes any more, or
	// returns domain.ErrNotFound. The caller closes it.
	OpenSnapshot(ctx context.Context, streamSequence uint64) (*os.File, error)
	// Copy gives a copy of the read model in use, in a file that is gone once the caller
	// has closed it.
	Copy(ctx context.Context) (*os.File, error)
}

func (h *handler) routeSnapshots(d *document) {
	register(h, d, huma.Operation{
		OperationID: "get-snapshot",
		Path:        rebuildsPath + "/{id}/file",
		Tags:        []string{tagOperation},
		Security:    needs(ScopeRaw),
		Summary:     "Download a snapshot",
		Description: "Gives the file of a snapshot that a rebuild made: the read model as it was, which any SQLite tool opens. Ranges are served, so that a download can go on.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The file.",
			Content:     map[string]*huma.MediaType{typeSQLite: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		}},
	}, h.getSnapshot)
}

func (h *handler) getSnapshot(ctx context.Context, in *rebuildInput) (*huma.StreamResponse, error) {
	made, err := h.config.Rebuilds.Rebuild(in.ID)
	if err != nil {
		return nil, notFound(err, errNoRebuild)
	}
	if made.State != domain.RebuildKept {
		return nil, errNoSnapshot
	}
	done, err := h.budget.fetch(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	file, err := h.config.Snapshots.OpenSnapshot(ctx, made.Options.Until)
	if err != nil {
		return nil, notFound(damagedSnapshot(err), errNoSnapshot)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { _ = file.Close() }() // it was only read
		r, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", typeSQLite)
		w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="orders-at-%d.sqlite"`, made.Options.Until))
		http.ServeContent(&patientWriter{w, http.NewResponseController(w)}, r, "", made.EndedAt, file)
	}}, nil
}

// ordersAt gives a page of the orders as they are or, where a stream sequence is
// given, as they were. Before the first webhook there was none.
func (h *handler) ordersAt(ctx context.Context, at *uint64, q domain.OrderQuery) ([]*domain.Order, error) {
	switch {
	case at == nil:
		return h.model.Orders(ctx, q)
	case *at == 0:
		return nil, nil
	}
	done, err := h.budget.fetch(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := h.config.Snapshots.OrdersAt(ctx, *at, q)
	if errors.Is(err, domain.ErrNotFound) {
		return nil, missingSnapshot(*at)
	}
	if err != nil {
		return nil, damagedSnapshot(err)
	}
	for i, was := range found {
		if found[i], err = h.withoutErased(ctx, was); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// damagedSnapshot tells damage of a snapshot from that of the read model in use: the
// mend is another one.
func damagedSnapshot(err error) error {
	if errors.Is(err, domain.ErrDamaged) {
		return fmt.Errorf("%w: %w", errSnapshotDamaged, err)
	}
	return err
}

// missingSnapshot is errNoSnapshot with what makes the snapshot.
func missingSnapshot(at uint64) *Problem {
	problem := problemOf(errNoSnapshot)
	problem.Detail = fmt.Sprintf(`No snapshot of stream sequence %d is kept. POST %s with {"until":%d} makes it.`, at, rebuildsPath, at)
	return problem
}

// patientWriter gives its client time anew with every part that it takes.
type patientWriter struct {
	http.ResponseWriter
	controller *http.ResponseController
}

func (w *patientWriter) Write(part []byte) (int, error) {
	_ = w.controller.SetWriteDeadline(time.Now().Add(stallWithin)) // a recorder of tests has none
	return w.ResponseWriter.Write(part)
}

// noSnapshots stands for snapshots where the projector is another process.
type noSnapshots struct{}

func (noSnapshots) OrdersAt(context.Context, uint64, domain.OrderQuery) ([]*domain.Order, error) {
	return nil, domain.ErrNotFound
}

func (noSnapshots) Copy(context.Context) (*os.File, error) { return nil, ErrElsewhere }

func (noSnapshots) OpenSnapshot(context.Context, uint64) (*os.File, error) {
	return nil, domain.ErrNotFound
}
