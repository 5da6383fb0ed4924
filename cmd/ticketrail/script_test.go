package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// startTimeout is how long a start may take on a machine that is busy with other
// tests.
const startTimeout = 30 * time.Second

// Each command does what its help says, on the real program: what a user types,
// and what they see.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			webhooks, err := filepath.Abs("../../testdata/webhooks")
			env.Setenv("WEBHOOKS", webhooks)
			env.Setenv("RTL", "\u202e") // turns the direction of writing
			env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("TICKETRAIL_INGEST_LISTEN", "127.0.0.1:0")
			env.Setenv("TICKETRAIL_API_LISTEN", "127.0.0.1:0")
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"as":          as,
			"await":       await,
			"broker":      broker,
			"certificate": certificate,
			"damage":      damage,
			"exits":       exits,
			"fetch":       fetch,
			"flip":        flip,
			"holds":       holds,
			"private":     private,
			"ready":       ready,
		},
		RequireExplicitExec: true,
	})
}

// certificate NAME: makes NAME.pem and NAME.key, for loopback.
func certificate(script *testscript.TestScript, _ bool, args []string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	script.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	script.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	script.Check(err)
	for name, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: public}, ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		script.Check(os.WriteFile(script.MkAbs(args[0]+name), pem.EncodeToMemory(block), 0o600))
	}
}

// await FILE REGEXP: waits until a line of a file that a program writes matches.
func await(script *testscript.TestScript, _ bool, args []string) {
	pattern, err := regexp.Compile("(?m)" + args[1])
	script.Check(err)
	text, err := until(func() ([]byte, error) {
		text, err := os.ReadFile(script.MkAbs(args[0]))
		if err == nil && !pattern.Match(text) {
			err = fmt.Errorf("nothing in it matches %s", pattern)
		}
		return text, err
	})
	if err != nil {
		script.Fatalf("%s: %v:\n%s", args[0], err, text)
	}
}

// as FILE: asks the API with the token that is in a file.
func as(script *testscript.TestScript, _ bool, args []string) {
	script.Setenv("TICKETRAIL_API_TOKEN", strings.TrimSpace(script.ReadFile(args[0])))
}

// broker: starts a NATS server, and has every program use it.
func broker(script *testscript.TestScript, _ bool, _ []string) {
	server, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: script.MkAbs("broker"), MaxPayload: 8 << 20, NoSigs: true,
	})
	script.Check(err)
	server.Start()
	script.Defer(func() {
		server.Shutdown()
		server.WaitForShutdown()
	})
	if !server.ReadyForConnections(startTimeout) {
		script.Fatalf("the broker does not get ready")
	}
	script.Setenv("TICKETRAIL_NATS_URL", server.ClientURL())
	script.Setenv("TICKETRAIL_STREAM_MAX_BYTES", "64MiB")
}

// damage FOLDER: makes all orders of the read model at rest in a data folder ready.
func damage(script *testscript.TestScript, _ bool, args []string) {
	path, err := app.CurrentReadModel(script.MkAbs(args[0]))
	script.Check(err)
	db, err := sql.Open("sqlite3", sqlite.DSN(path))
	script.Check(err)
	_, err = db.Exec(`UPDATE orders SET document = json_set(document, '$.steps.fulfillment', 'ready')`)
	script.Check(errors.Join(err, db.Close()))
}

// flip FILE BYTE: changes one bit of a file.
func flip(script *testscript.TestScript, _ bool, args []string) {
	path := script.MkAbs(args[0])
	content, err := os.ReadFile(path)
	script.Check(err)
	at, err := strconv.Atoi(args[1])
	script.Check(err)
	content[at] ^= 1
	script.Check(os.WriteFile(path, content, 0o600))
}

// exits CODE PROGRAM ARGS…: the program ends with that very code. Its output is
// for stdout and stderr to match.
func exits(script *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	script.Check(err)
	err = script.Exec(args[1], args[2:]...)
	have := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		have = exit.ExitCode()
	} else {
		script.Check(err)
	}
	if have != want {
		script.Fatalf("it exits %d, must exit %d", have, want)
	}
}

// holds FILE PATTERN: waits until a file holds what a pattern matches.
func holds(script *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	_, err := until(func() (struct{}, error) {
		content, err := os.ReadFile(script.MkAbs(args[0]))
		if err == nil && !pattern.Match(content) {
			err = fmt.Errorf("%s has no %s: %s", args[0], args[1], content)
		}
		return struct{}{}, err
	})
	script.Check(err)
}

// private FOLDER NAME…: nobody but the owner can look into anything in a folder, and
// there is something by each name.
func private(script *testscript.TestScript, _ bool, args []string) {
	folder := script.MkAbs(args[0])
	script.Check(filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		if err == nil && info.Mode().Perm() != want {
			err = fmt.Errorf("%s has the mode %v", path, info.Mode())
		}
		return err
	}))
	for _, name := range args[1:] {
		if found, _ := filepath.Glob(filepath.Join(folder, name)); len(found) == 0 {
			script.Fatalf("there is no %s", name)
		}
	}
}

// ready FOLDER: waits until a program serves on the data folder, and sets INGEST
// and API to its addresses.
func ready(script *testscript.TestScript, _ bool, args []string) {
	addresses, err := waitForAddresses(script.MkAbs(args[0]))
	script.Check(err)
	script.Setenv("INGEST", addresses.Ingest)
	script.Setenv("API", addresses.API)
}

// fetch URL FILE: puts an answer of 200 into a file, once there is one.
func fetch(script *testscript.TestScript, _ bool, args []string) {
	text, err := until(func() ([]byte, error) {
		response, err := http.Get(args[0])
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", response.Status, text)
		}
		return text, err
	})
	script.Check(err)
	script.Check(os.WriteFile(script.MkAbs(args[1]), text, 0o600))
}

// waitForAddresses waits until a program says where it is.
func waitForAddresses(data string) (*app.Addresses, error) {
	return until(func() (*app.Addresses, error) { return app.ReadAddresses(data) })
}

// until tries again while there is an error, for as long as a start may take.
func until[T any](try func() (T, error)) (value T, err error) {
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if value, err = try(); err == nil {
			return value, nil
		}
		select {
		case <-deadline.C:
			return value, err
		case <-tick.C:
		}
	}
}

// The scripts would pass on an empty folder too.
func TestThereIsAScriptForEachCommand(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"serve", "ingest", "project", "api", "send", "trigger", "sources", "listen", "resend", "sign", "demo", "orders", "rebuild", "quarantine", "archive", "backup", "restore", "token", "config", "completion", "doctor", "version", "usage"} {
		scripts, err := filepath.Glob("testdata/script/" + command + "_*.txtar")
		require.NoError(t, err)
		require.NotEmpty(t, scripts, command)
	}
}
