package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
)

// keyPair are the paths of a certificate and its key, empty for none.
type keyPair struct{ certificate, key string }

// encrypt has a server speak TLS, and HTTP/1.1 alone over it: what bounds a
// connection is the same with TLS and without it.
func (a *App) encrypt(name string, server *http.Server, pair keyPair) error {
	current := &certificate{keyPair: pair, logger: a.logger.With("listener", name)}
	if _, err := current.get(nil); err != nil {
		return &CertificateError{Key: name + ".certificate", Err: err}
	}
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: current.get}
	return nil
}

// certificate is that of a listener, read again when its files have changed, so that
// a renewed one needs no restart. It is safe for concurrent use.
type certificate struct {
	keyPair
	logger *slog.Logger

	mu      sync.Mutex
	read    [2]os.FileInfo // of the files when they were last read
	current *tls.Certificate
}

// get gives the certificate. Files that cannot be used are told once, and the former
// certificate serves on: they may be about to be replaced one after the other.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed, err := c.changed()
	if changed && err == nil {
		var fresh tls.Certificate
		if fresh, err = tls.LoadX509KeyPair(c.certificate, c.key); err == nil {
			c.current = &fresh
		}
	}
	if err != nil && c.current == nil {
		return nil, err
	}
	if err != nil && changed {
		c.logger.Warn("the certificate cannot be renewed; the former one serves on", "error", err)
	}
	return c.current, nil
}

// changed looks at the files, and remembers what it saw.
func (c *certificate) changed() (changed bool, err error) {
	for i, path := range []string{c.certificate, c.key} {
		info, failed := os.Stat(path)
		if failed != nil {
			info, err = nil, errors.Join(err, failed)
		}
		changed = changed || !sameFile(info, c.read[i])
		c.read[i] = info
	}
	return changed, err
}

// sameFile tells whether a file is as it was; nil stands for one that was not there.
func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// CertificateError is a certificate that no listener can use.
type CertificateError struct {
	// Key is the configuration's key, such as "api.certificate".
	Key string
	Err error
}

func (e *CertificateError) Error() string { return fmt.Sprintf("%s: %v", e.Key, e.Err) }

// Unwrap gives the cause.
func (e *CertificateError) Unwrap() error { return e.Err }

// Hint gives the mend.
func (e *CertificateError) Hint() string {
	return "name PEM files of a certificate and of its own private key, which this user can read"
}
