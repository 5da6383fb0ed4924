package s3_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/eventlog/archive"
	"github.com/ticketrail/ticketrail/eventlog/archive/s3"
)

const (
	bucket    = "archive"
	accessKey = "access"
	secretKey = "a-secret-that-is-long"
	patience  = 30 * time.Second
)

// server is bin/versitygw, which `make s3` builds: a server that speaks the protocol for
// others than tests, and checks signatures.
var server = filepath.Join("..", "..", "..", "bin", "versitygw-v1.8.0")

// stores gives one of each kind, all empty.
func stores(t *testing.T) map[string]func(*testing.T) archive.Store {
	t.Helper()
	return map[string]func(*testing.T) archive.Store{
		"folder": func(t *testing.T) archive.Store { return archive.Folder(filepath.Join(t.TempDir(), "store")) },
		"fake":   func(t *testing.T) archive.Store { return open(t, fake(t), "") },
		"prefix": func(t *testing.T) archive.Store { return open(t, fake(t), "a/prefix") },
		"server": func(t *testing.T) archive.Store { return open(t, real(t), "prefix/") },
	}
}

func open(t *testing.T, endpoint, prefix string) archive.Store {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	b, err := s3.Open(s3.Config{
		Bucket: bucket, Prefix: prefix, Endpoint: endpoint, Region: "us-east-1",
		AccessKey: accessKey, SecretKey: secretKey, Transport: transport,
	})
	require.NoError(t, err)
	return b
}

// fake serves a bucket out of memory, to whoever asks.
func fake(t *testing.T) (endpoint string) {
	t.Helper()
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket(bucket))
	served := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(served.Close)
	return served.URL
}

// real starts the server on a folder with a bucket.
func real(t *testing.T) (endpoint string) {
	t.Helper()
	path, err := filepath.Abs(server)
	require.NoError(t, err)
	if _, err := os.Stat(path); err != nil {
		t.Skip("there is no server: make s3")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, bucket), 0o700))
	command := exec.Command(path, "--port", address, "--access", accessKey, "--secret", secretKey, "--quiet", "posix", "--nometa", dir)
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		require.NoError(t, command.Process.Kill())
		_ = command.Wait() // it was killed
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			err = conn.Close()
		}
		return err == nil
	}, patience, 20*time.Millisecond)
	return "http://" + address
}

// Whatever a store is, it gives what was put there, says what it does not have, and lists
// names in order.
func TestEveryStoreIsAlike(t *testing.T) {
	t.Parallel()
	for name, make := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := make(t)
			names, err := s.List(t.Context(), "")
			require.NoError(t, err)
			require.Empty(t, names)
			_, err = s.Get(t.Context(), object(1))
			require.ErrorIs(t, err, fs.ErrNotExist)
			require.NoError(t, s.Delete(t.Context(), object(1)))

			large := bytes.Repeat([]byte("0123456789abcdef"), 9<<20/16)
			require.NoError(t, s.Put(t.Context(), object(20), large))
			require.NoError(t, s.Put(t.Context(), object(1), []byte("former")))
			require.NoError(t, s.Put(t.Context(), object(1), []byte("first")))
			require.NoError(t, s.Put(t.Context(), object(3), []byte("third")))
			content, err := s.Get(t.Context(), object(1))
			require.NoError(t, err)
			require.Equal(t, "first", string(content))
			content, err = s.Get(t.Context(), object(20))
			require.NoError(t, err)
			require.True(t, bytes.Equal(large, content))

			names, err = s.List(t.Context(), "")
			require.NoError(t, err)
			require.Equal(t, []string{object(1), object(3), object(20)}, names)
			names, err = s.List(t.Context(), object(3)[:21])
			require.NoError(t, err)
			require.Equal(t, []string{object(3)}, names)
			require.NoError(t, s.Delete(t.Context(), object(3)))
			_, err = s.Get(t.Context(), object(3))
			require.ErrorIs(t, err, fs.ErrNotExist)
		})
	}
}

func object(first int) string { return fmt.Sprintf("%020d-0123456789abcdef.jsonl.zst", first) }

// A service that is away, or that refuses who asks, is an error and no missing object; and
// nothing that is told of it is secret.
func TestAServiceThatIsAwayIsNoMissingObject(t *testing.T) {
	t.Parallel()
	s := open(t, "http://127.0.0.1:1", "prefix")
	_, err := s.Get(t.Context(), object(1))
	require.Error(t, err)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.NotContains(t, err.Error(), secretKey)
	require.Error(t, s.Put(t.Context(), object(1), nil))
	_, err = s.List(t.Context(), "")
	require.Error(t, err)
	require.Equal(t, "s3://archive/prefix", s.String())
	require.NotContains(t, fmt.Sprint(s), secretKey)
}

// The server finds a wrong signature, which the fake does not.
func TestAWrongSecretIsRefused(t *testing.T) {
	t.Parallel()
	b, err := s3.Open(s3.Config{Bucket: bucket, Endpoint: real(t), Region: "us-east-1", AccessKey: accessKey, SecretKey: "wrong"})
	require.NoError(t, err)
	require.Error(t, b.Put(t.Context(), object(1), []byte("x")))
	_, err = b.Get(t.Context(), object(1))
	require.Error(t, err)
	require.NotErrorIs(t, err, fs.ErrNotExist)
}
