package app

import (
	"context"
	"fmt"
	"time"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
)

// KeepBackups is what to do about a stream that forgets.
const KeepBackups = "keep backups of the read model: ticketrail backup DIR; or keep every webhook from now on: stream.max_age: 0"

// Forgets says why no read model can be made anew of a stream, or not for ever; it is
// empty where every webhook is kept. The stream is nil where it cannot be seen.
func Forgets(c *config.Config, stream *domain.StreamInfo) string {
	switch {
	case stream != nil && stream.First > 1:
		return fmt.Sprintf("the stream begins with stream sequence %d: no read model can be made anew of it", stream.First)
	case c.Stream.MaxAge > 0:
		return fmt.Sprintf("webhooks expire after %s: once the first has, no read model can be made anew", time.Duration(c.Stream.MaxAge))
	}
	return ""
}

// warnOfAge tells at each start what a stream that forgets takes away.
func (a *App) warnOfAge(ctx context.Context) error {
	info, err := a.history.Info(ctx)
	if err != nil {
		return err
	}
	if forgets := Forgets(a.config, &info); forgets != "" {
		a.logger.Warn(forgets, "hint", KeepBackups)
	}
	return nil
}
