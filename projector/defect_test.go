package projector_test

import (
	"bytes"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// defectiveOrdatic is Ordatic's provider with a bug in its translation.
type defectiveOrdatic struct{ provider.Ordatic }

func (d defectiveOrdatic) Translate(w *domain.Webhook) (*domain.Event, error) {
	if bytes.Contains(w.Body, []byte("panic")) {
		panic("a bug")
	}
	return d.Ordatic.Translate(w)
}

func providersWithDefect() []provider.Provider { return []provider.Provider{defectiveOrdatic{}} }
