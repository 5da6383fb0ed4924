package eventlog

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// reconnectWait is the pause between attempts to find an external server
	// again; there is no last attempt.
	reconnectWait = time.Second
	// pingInterval finds a dead connection within twice its length.
	pingInterval = 20 * time.Second
)

// Connect connects to external servers: url is one nats:// or tls:// URL or
// several with commas between them, credentials the path of a .creds file or
// empty. Once connected it reconnects for ever, until the connection is closed.
// The logger takes what happens to the connection; none where it is nil.
func Connect(url, credentials string, logger *slog.Logger) (*nats.Conn, error) {
	var options []nats.Option
	if credentials != "" {
		options = append(options, nats.UserCredentials(credentials))
	}
	conn, err := connect(url, cmp.Or(logger, slog.New(slog.DiscardHandler)), options...)
	if err != nil {
		return nil, fmt.Errorf("connect to the NATS server: %w", err)
	}
	return conn, nil
}

// connect never buffers what is published while the connection is down: who
// publishes learns of it at once, and its sender tries again.
func connect(url string, logger *slog.Logger, options ...nats.Option) (*nats.Conn, error) {
	options = append(options,
		nats.Name(serverName),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.PingInterval(pingInterval),
		nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				logger.Warn("connection to the NATS server lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { logger.Info("connection to the NATS server is back") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			logger.Warn("trouble on the connection to the NATS server", "error", err)
		}),
	)
	return nats.Connect(url, options...)
}
