package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
)

// errOtherCertificate is a listener that is not the configured one.
var errOtherCertificate = errors.New("it bears another certificate than the configured one")

// scheme begins the URL of a listener.
func scheme(certificate string) string {
	if certificate != "" {
		return "https://"
	}
	return "http://"
}

// trusting gives a transport that trusts a listener: one with a certificate of ca;
// where that is empty, the one that bears the very certificate of the configuration,
// by whatever address it is reached; and where there is none either, whom the
// system trusts. Both are paths of PEM files.
func trusting(certificate, ca string) (http.RoundTripper, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case ca != "":
		text, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", ca)
		}
	case certificate != "":
		// To be that very certificate is more than to be trusted, and is checked below.
		transport.TLSClientConfig.InsecureSkipVerify = true
		transport.TLSClientConfig.VerifyConnection = func(state tls.ConnectionState) error {
			return bears(state, certificate)
		}
	}
	return transport, nil
}

// bears tells whether the other side has proved to hold a certificate.
func bears(state tls.ConnectionState, certificate string) error {
	text, err := os.ReadFile(certificate)
	if err != nil {
		return err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" { // the first is the listener's own
			if bytes.Equal(state.PeerCertificates[0].Raw, block.Bytes) {
				return nil
			}
			return errOtherCertificate
		}
	}
	return fmt.Errorf("%s holds no certificate", certificate)
}
