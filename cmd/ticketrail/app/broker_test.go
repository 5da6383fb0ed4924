package app_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// brokerFolder is the variable that makes a broker of this test's own binary.
const brokerFolder, brokerAddress = "TICKETRAIL_TEST_BROKER_FOLDER", "TICKETRAIL_TEST_BROKER_ADDRESS"

// serveBroker is a NATS server as an operator would run one. It ends with its
// standard input, so that it never outlives the test.
func serveBroker(folder, address string) error {
	listen, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return err
	}
	if listen.Port == 0 {
		listen.Port = server.RANDOM_PORT
	}
	broker, err := server.NewServer(&server.Options{
		Host: listen.IP.String(), Port: listen.Port, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: folder, MaxPayload: 8 << 20,
	})
	if err != nil {
		return err
	}
	broker.Start()
	if !broker.ReadyForConnections(patience) {
		return errors.New("it does not get ready")
	}
	fmt.Println(broker.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	broker.Shutdown()
	return err
}

// broker is a NATS server in a process of its own.
type broker struct {
	t       *testing.T
	folder  string
	address string // stays the same whenever it is started again
	process *exec.Cmd
}

func startBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{t: t, folder: filepath.Join(t.TempDir(), "broker"), address: "127.0.0.1:0"}
	b.start()
	t.Cleanup(func() {
		_ = b.process.Process.Kill()
		_ = b.process.Wait() // before its folder is removed
	})
	return b
}

func (b *broker) start() {
	b.t.Helper()
	b.process = exec.Command(os.Args[0])
	b.process.Env = append(os.Environ(), brokerFolder+"="+b.folder, brokerAddress+"="+b.address)
	b.process.Stderr = os.Stderr
	stdout, err := b.process.StdoutPipe()
	require.NoError(b.t, err)
	_, err = b.process.StdinPipe() // it ends with this process
	require.NoError(b.t, err)
	require.NoError(b.t, b.process.Start())
	address, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(b.t, err)
	b.address = strings.TrimSpace(address)
}

// signal sends a signal that leaves the process there.
func (b *broker) signal(s syscall.Signal) { require.NoError(b.t, b.process.Process.Signal(s)) }

// kill ends the process at once.
func (b *broker) kill() {
	b.t.Helper()
	require.NoError(b.t, b.process.Process.Kill())
	require.Error(b.t, b.process.Wait())
}

// backUp copies the folder as it is now, or is when the files of a stream that was deleted
// are gone as well, which the broker answers before.
func (b *broker) backUp() (backup string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		leaving, err := filepath.Glob(filepath.Join(b.folder, "jetstream", "$G", "streams", ".*"))
		return err == nil && len(leaving) == 0
	}, patience, 5*time.Millisecond)
	backup = filepath.Join(b.t.TempDir(), "backup")
	require.NoError(b.t, os.CopyFS(backup, os.DirFS(b.folder)))
	return backup
}

// restore puts the folder back to what it was, and starts the broker on it.
func (b *broker) restore(backup string) {
	b.t.Helper()
	b.kill()
	require.NoError(b.t, os.RemoveAll(b.folder))
	require.NoError(b.t, os.CopyFS(b.folder, os.DirFS(backup)))
	b.start()
}

// settings gives those of a program on this broker.
func (b *broker) settings() *config.Config {
	c := settings(b.t)
	c.NATS.URL = "nats://" + b.address
	c.Stream.MaxBytes = 64 << 20
	return c
}

// administer does something to the broker's streams as an operator does.
func (b *broker) administer(act func(jetstream.JetStream) error) {
	b.t.Helper()
	conn, err := nats.Connect("nats://" + b.address)
	require.NoError(b.t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(b.t, err)
	require.NoError(b.t, act(js))
}
