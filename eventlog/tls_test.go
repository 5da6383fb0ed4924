package eventlog_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog"
)

// An external server's certificate is checked against the configured authority,
// and ticketrail shows its own where the server wants one.
func TestConnectOverTLS(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	require.NoError(t, err)
	authority := x509.NewCertPool()
	pemBytes, err := os.ReadFile(certificate)
	require.NoError(t, err)
	require.True(t, authority.AppendCertsFromPEM(pemBytes))
	external, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, TLS: true, TLSTimeout: 5,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: authority, ClientAuth: tls.RequireAndVerifyClientCert},
	})
	require.NoError(t, err)
	external.Start()
	t.Cleanup(func() { external.Shutdown(); external.WaitForShutdown() })
	require.True(t, external.ReadyForConnections(10*time.Second))

	servers := eventlog.Servers{URL: "tls://" + external.Addr().String(), CA: certificate, Certificate: certificate, Key: key}
	conn, err := eventlog.Connect(servers, nil)
	require.NoError(t, err)
	conn.Close()

	stranger := servers
	stranger.Certificate, stranger.Key = "", ""
	_, err = eventlog.Connect(stranger, nil)
	require.Error(t, err, "without a certificate of its own")
	untrusting := servers
	untrusting.CA = ""
	_, err = eventlog.Connect(untrusting, nil)
	require.Error(t, err, "without the server's authority")
}

// selfSigned gives the paths of a certificate for 127.0.0.1 and of its key.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600))
		return path
	}
	return write("certificate.pem", "CERTIFICATE", der), write("key.pem", "EC PRIVATE KEY", keyDER)
}
