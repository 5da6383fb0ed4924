package ingest

import (
	"net/http"
	"time"
)

// The limits of a connection. A body of the default limit passes within the read
// timeout at 280 KB/s; the write timeout leaves room for it and for a slow disk.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 16 << 10
)

// Server gives a server for h on addr with every timeout and the header limit
// set. It is not started. Its ErrorLog is the caller's to set: net/http writes
// there of broken connections and panics.
func Server(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// To an OPTIONS * it would say 200, past the handler and its headers.
		DisableGeneralOptionsHandler: true,
	}
}
