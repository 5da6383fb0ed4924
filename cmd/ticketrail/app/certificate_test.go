package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
)

// writeCertificate puts a new certificate and its key into two files.
func writeCertificate(t *testing.T, certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "ticketrail"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}

// shown gives the serial number of the certificate that a listener shows, and what
// was agreed on.
func shown(t *testing.T, url string, settings *tls.Config) (string, tls.ConnectionState, error) {
	t.Helper()
	settings.InsecureSkipVerify = true
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", strings.TrimPrefix(url, "https://"), settings)
	if err != nil {
		return "", tls.ConnectionState{}, err
	}
	state := conn.ConnectionState()
	require.NoError(t, conn.Close())
	return state.PeerCertificates[0].SerialNumber.String(), state, nil
}

// Both listeners speak TLS 1.2 or newer, and show a certificate that was renewed
// from the next connection on; one that cannot be used leaves the former.
func TestListenersSpeakTLS(t *testing.T) {
	t.Parallel()
	c := settings(t)
	certificate, key := filepath.Join(t.TempDir(), "c.pem"), filepath.Join(t.TempDir(), "k.pem")
	writeCertificate(t, certificate, key)
	c.API.Certificate, c.API.Key = certificate, key
	c.Ingest.Certificate, c.Ingest.Key = certificate, key
	p := run(t, c, options())
	require.Equal(t, p.Addresses().Ingest+"/webhooks/ivy", p.Addresses().Sources[0].URL)
	for _, url := range []string{p.Addresses().Ingest, p.Addresses().API} {
		require.True(t, strings.HasPrefix(url, "https://"), url)
		first, state, err := shown(t, url, &tls.Config{NextProtos: []string{"h2", "http/1.1"}})
		require.NoError(t, err)
		require.Equal(t, "http/1.1", state.NegotiatedProtocol)
		_, _, err = shown(t, url, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
		require.ErrorContains(t, err, "protocol version")

		writeCertificate(t, certificate, key)
		second, _, err := shown(t, url, &tls.Config{})
		require.NoError(t, err)
		require.NotEqual(t, first, second)
		whole, err := os.ReadFile(certificate)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(certificate, []byte("half"), 0o600))
		third, _, err := shown(t, url, &tls.Config{})
		require.NoError(t, err)
		require.Equal(t, second, third)
		require.NoError(t, os.WriteFile(certificate, whole, 0o600))
	}
}

// A certificate that cannot be used ends the start, with its key and the mend.
func TestAnUnusableCertificateEndsTheStart(t *testing.T) {
	t.Parallel()
	c := settings(t)
	certificate, key := filepath.Join(t.TempDir(), "c.pem"), filepath.Join(t.TempDir(), "k.pem")
	writeCertificate(t, certificate, key)
	c.API.Certificate, c.API.Key = certificate, certificate
	_, err := app.Start(t.Context(), c, options())
	var unusable *app.CertificateError
	require.ErrorAs(t, err, &unusable)
	require.Equal(t, "api.certificate", unusable.Key)
	require.NotEmpty(t, unusable.Hint())
}
