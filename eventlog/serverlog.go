package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// serverLog takes what the embedded server says about itself. Its traces, which
// would hold payloads, are off and are dropped here as well.
type serverLog struct {
	logger *slog.Logger
	fatal  atomic.Pointer[string] // why the server gave up its start
}

func (l *serverLog) Errorf(format string, v ...any) { l.say(slog.LevelError, format, v) }
func (l *serverLog) Warnf(format string, v ...any)  { l.say(slog.LevelWarn, format, v) }
func (*serverLog) Noticef(string, ...any)           {}
func (*serverLog) Debugf(string, ...any)            {}
func (*serverLog) Tracef(string, ...any)            {}

// Fatalf keeps the first reason for the starter, who would else not learn of it.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.say(slog.LevelError, format, v)
	reason := fmt.Sprintf(format, v...)
	l.fatal.CompareAndSwap(nil, &reason)
}

func (l *serverLog) say(level slog.Level, format string, v []any) {
	l.logger.Log(context.Background(), level, "nats server: "+fmt.Sprintf(format, v...))
}
