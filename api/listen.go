package api

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// The limits of the server. Reading is short since no request has a body;
// writing covers the wait of a read, its work, and four megabytes over a slow line.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 16 << 10
)

// CheckListen tells why the API must not listen on addr ("host:port"): unless a
// token guards it, it listens on loopback only. The error says the mend.
func CheckListen(addr string, guarded bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("api.listen %q is not host:port, such as 127.0.0.1:8081: %w", addr, err)
	}
	if !guarded && !isLoopback(host) {
		return fmt.Errorf("api.listen %q can be reached from other machines: set api.token, make one with ticketrail token create, or listen on 127.0.0.1", addr)
	}
	return nil
}

// Server gives a server for the API with every timeout and the limit of the
// headers set. An answer may take 30 seconds in all. When the server begins to
// shut down, reads that are under way end at once, so that none waits for a
// webhook that will not come any more.
func Server(addr string, handler http.Handler) *http.Server {
	serving, end := context.WithCancel(context.Background())
	server := &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return serving },
	}
	server.RegisterOnShutdown(end)
	return server
}
