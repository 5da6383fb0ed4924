package eventlog

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// reconnectWait is the pause between attempts to find an external server
	// again; there is no last attempt.
	reconnectWait = time.Second
	// pingInterval finds a connection that says nothing any more within three times
	// its length, when two pings are unanswered: then another server is tried.
	pingInterval = 2 * time.Second
	// writeTimeout bounds a write that its server does not take. The client keeps
	// everybody else waiting meanwhile, whatever their contexts say.
	writeTimeout = defaultPublishTimeout
)

// Servers says which external servers to connect to, and how.
type Servers struct {
	// URL is one nats:// or tls:// URL, or several with commas between them.
	URL string
	// Part says which part of the program this is. The servers know the connection by it, and
	// its inboxes begin with _INBOX. and it, so that nobody else needs the right to
	// look into them. Empty: inboxes are as everybody's.
	Part string
	// Credentials is the path of a .creds file; empty where none is needed.
	Credentials string
	// CA is the path of a PEM file of certificates that the servers' own are
	// checked against; empty for the system's.
	CA string
	// Certificate and Key are the paths of PEM files by which the servers know
	// this client; both or none.
	Certificate, Key string
}

// Connect connects to external servers. Once connected it reconnects for ever,
// until the connection is closed. The logger takes what happens to the
// connection; none where it is nil. Its error is a [*ConnectError].
func Connect(s Servers, logger *slog.Logger) (*nats.Conn, error) {
	conn, err := connect(s.URL, cmp.Or(logger, slog.New(slog.DiscardHandler)), s.options()...)
	if err != nil {
		return nil, &ConnectError{Servers: s.String(), Err: err}
	}
	return conn, nil
}

// String names the servers by host and port alone: their URLs may hold a password.
func (s Servers) String() string {
	var hosts []string
	for address := range strings.SplitSeq(s.URL, ",") {
		if u, err := url.Parse(strings.TrimSpace(address)); err == nil {
			hosts = append(hosts, u.Host)
		}
	}
	return strings.Join(hosts, ", ")
}

// ConnectError says that no server let us in.
type ConnectError struct {
	Servers string // as [Servers.String] names them
	Err     error
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("connect to NATS at %s: %v", e.Servers, e.Err)
}

// Unwrap gives the client's error.
func (e *ConnectError) Unwrap() error { return e.Err }

// Hint gives the mend.
func (e *ConnectError) Hint() string {
	return "start the NATS servers, or mend nats.url, the credentials and the certificates"
}

func (s Servers) options() []nats.Option {
	options := []nats.Option{
		nats.PingInterval(pingInterval),
		nats.FlusherTimeout(writeTimeout),
		nats.ReconnectOnFlusherError(),
	}
	if s.Part != "" {
		options = append(options, nats.Name(serverName+" "+s.Part), nats.CustomInboxPrefix(nats.InboxPrefix+s.Part))
	}
	if s.Credentials != "" {
		options = append(options, nats.UserCredentials(s.Credentials))
	}
	if s.CA != "" {
		options = append(options, nats.RootCAs(s.CA))
	}
	if s.Certificate != "" {
		options = append(options, nats.ClientCert(s.Certificate, s.Key))
	}
	return options
}

// connect never buffers what is published while the connection is down: who
// publishes learns of it at once, and its sender tries again.
func connect(url string, logger *slog.Logger, options ...nats.Option) (*nats.Conn, error) {
	options = append([]nats.Option{
		nats.Name(serverName),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
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
	}, options...)
	return nats.Connect(url, options...)
}
