package eventlog

import (
	"context"
	"fmt"
	"log/slog"
)

// serverLog takes what the embedded server says about itself. Its traces, which
// would hold payloads, are off and are dropped here as well.
type serverLog struct {
	logger *slog.Logger
}

func (l serverLog) Errorf(format string, v ...any) { l.say(slog.LevelError, format, v) }
func (l serverLog) Fatalf(format string, v ...any) { l.say(slog.LevelError, format, v) }
func (l serverLog) Warnf(format string, v ...any)  { l.say(slog.LevelWarn, format, v) }
func (serverLog) Noticef(string, ...any)           {}
func (serverLog) Debugf(string, ...any)            {}
func (serverLog) Tracef(string, ...any)            {}

func (l serverLog) say(level slog.Level, format string, v []any) {
	if l.logger != nil {
		l.logger.Log(context.Background(), level, "nats server: "+fmt.Sprintf(format, v...))
	}
}
