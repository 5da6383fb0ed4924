package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	// CopyPath is where a copy of the read model is to be had.
	CopyPath = "/v1/read-model"
	// DigestHeader has the SHA-256 of a copy (RFC 9530), as [CopyDigest] writes it.
	DigestHeader = "Repr-Digest"
	// copyWithin bounds the making of a copy: some gigabytes, on a slow disk.
	copyWithin = 10 * time.Minute
)

// CopyDigest writes the SHA-256 of a copy.
func CopyDigest(sum []byte) string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum) + ":"
}

func (h *handler) routeCopy(d *document) {
	add(h, d, huma.Operation{
		OperationID: "copy-read-model",
		Path:        CopyPath,
		Tags:        []string{tagOperation},
		Security:    needs(ScopeRaw),
		Middlewares: huma.Middlewares{unhurried},
		Summary:     "Copy the read model",
		Description: "Gives a copy of the read model in use as it is now, for another replica to begin with: ticketrail api --from. One copy is made and fetched at a time; who comes meanwhile is asked to come again.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The file, which any SQLite tool opens.",
			Headers: map[string]*huma.Param{DigestHeader: {
				Description: "Its SHA-256, as RFC 9530 has it.", Schema: &huma.Schema{Type: huma.TypeString},
			}},
			Content: map[string]*huma.MediaType{typeSQLite: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		}},
	}, operation[struct{}, huma.StreamResponse](h.copyReadModel).bounded(copyWithin))
}

// unhurried lifts the limits that the server sets for every request.
func unhurried(ctx huma.Context, next func(huma.Context)) {
	_, w := humago.Unwrap(ctx)
	controller := http.NewResponseController(w)
	_ = controller.SetReadDeadline(time.Time{}) // a recorder of tests has none
	_ = controller.SetWriteDeadline(time.Now().Add(copyWithin + stallWithin))
	next(ctx)
}

func (h *handler) copyReadModel(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	if err := h.checkComplete(ctx); err != nil {
		return nil, err
	}
	if !h.budget.copied.TryAcquire(1) { // each takes the room of a read model on the disk
		return nil, errBusy
	}
	file, length, sum, err := h.sumCopy(ctx)
	if err != nil {
		h.budget.copied.Release(1)
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer h.budget.copied.Release(1)
		defer func() { _ = file.Close() }() // it was only read
		_, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", typeSQLite)
		w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
		w.Header().Set(DigestHeader, CopyDigest(sum))
		if _, err := io.Copy(&patientWriter{w, http.NewResponseController(w)}, file); err != nil {
			panic(http.ErrAbortHandler) // so that nobody takes a part for the whole
		}
	}}, nil
}

// sumCopy makes a copy, and reads it once for its sum: the header goes before the file.
func (h *handler) sumCopy(ctx context.Context) (file *os.File, length int64, sum []byte, err error) {
	if file, err = h.config.Snapshots.Copy(ctx); err != nil {
		return nil, 0, nil, err
	}
	digest := sha256.New()
	length, err = io.Copy(digest, file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, 0, nil, fmt.Errorf("read the copy: %w", errors.Join(err, file.Close()))
	}
	return file, length, digest.Sum(nil), nil
}
