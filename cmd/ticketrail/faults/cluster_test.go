package faults_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// serverCount is how many of them keep each webhook.
	serverCount = 3
	// lookLimit bounds one look at a server that may be paused.
	lookLimit = 2 * time.Second
	// catchUpLimit is how long servers may take to catch up with one another.
	catchUpLimit = 20 * time.Second
)

// cluster is three NATS servers as an operator runs them, each in a process of its
// own. Whatever goes between two processes goes through a proxy.
type cluster struct {
	t       *testing.T
	servers []*natsServer
	routes  [serverCount][serverCount]*proxy // from one server to another
	client  *http.Client
	limps   bool // it is no use to break it further
}

// natsServer is one of the servers. Its ports are others each time that it starts, and the
// proxies' are always the same.
type natsServer struct {
	number  int
	folder  string
	proxy   *proxy // between the server and its clients
	process *exec.Cmd
	monitor string // the URL of what it tells about itself
}

func (n *natsServer) name() string { return fmt.Sprint("nats-", n.number) }

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, client: &http.Client{Timeout: lookLimit}}
	t.Cleanup(c.client.CloseIdleConnections)
	for i := range serverCount {
		c.servers = append(c.servers, &natsServer{number: i, folder: filepath.Join(t.TempDir(), "nats"), proxy: newProxy(t)})
		for j := range serverCount {
			c.routes[i][j] = newProxy(t)
		}
	}
	for _, n := range c.servers {
		c.configure(n)
		c.start(n)
	}
	t.Cleanup(c.end)
	require.True(t, await(patience, c.whole), "the NATS servers do not get ready")
	return c
}

// configure writes a server's configuration: that of the deployment, with other
// addresses, and two more servers.
func (c *cluster) configure(n *natsServer) {
	c.t.Helper()
	deployed, err := os.ReadFile(filepath.Join(root, "deploy/nats.conf"))
	require.NoError(c.t, err)
	text := strings.NewReplacer(
		"ticketrail-nats", n.name(), "0.0.0.0:4222", "127.0.0.1:-1", "0.0.0.0:8222", "127.0.0.1:-1", "/data", n.folder,
	).Replace(string(deployed))
	var routes []string
	for j := range serverCount {
		if j != n.number {
			routes = append(routes, "nats://"+c.routes[n.number][j].address())
		}
	}
	// What the others are told of this server's routes leads nowhere: they have theirs.
	text += fmt.Sprintf("\nports_file_dir: %q\nclient_advertise: %q\n"+
		"cluster { name: faults, listen: \"127.0.0.1:-1\", advertise: \"127.0.0.1:1\", routes: [%s] }\n",
		n.folder, n.proxy.address(), strings.Join(routes, ", "))
	require.NoError(c.t, os.Mkdir(n.folder, 0o700))
	require.NoError(c.t, os.WriteFile(filepath.Join(n.folder, "nats.conf"), []byte(text), 0o600))
}

// start starts a server on what its folder holds, and has the proxies lead to it.
func (c *cluster) start(n *natsServer) {
	c.t.Helper()
	n.process = exec.Command(natsBinary, "--config", filepath.Join(n.folder, "nats.conf"))
	log, err := os.OpenFile(filepath.Join(n.folder, "log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	require.NoError(c.t, err)
	defer log.Close()
	n.process.Stdout, n.process.Stderr = log, log
	require.NoError(c.t, n.process.Start())
	ports := filepath.Join(n.folder, fmt.Sprintf("%s_%d.ports", filepath.Base(natsBinary), n.process.Process.Pid))
	var listens struct{ Nats, Monitoring, Cluster []string }
	require.True(c.t, await(patience, func() bool {
		text, err := os.ReadFile(ports)
		return err == nil && json.Unmarshal(text, &listens) == nil
	}), "a NATS server does not start: %s", n.lastWords())
	n.monitor = listens.Monitoring[0]
	n.proxy.aim(strings.TrimPrefix(listens.Nats[0], "nats://"))
	for i := range serverCount {
		c.routes[i][n.number].aim(strings.TrimPrefix(listens.Cluster[0], "nats://"))
	}
}

func (n *natsServer) lastWords() string {
	text, _ := os.ReadFile(filepath.Join(n.folder, "log"))
	return lastLine(string(text))
}

// kill ends a server as kill -9 does, also one that is paused or gone.
func (c *cluster) kill(n *natsServer) {
	_ = n.process.Process.Kill()
	_ = n.process.Wait() // it says how it ended, which is known
}

// stop ends a server as an operator does.
func (c *cluster) stop(n *natsServer) {
	c.signal(n, syscall.SIGTERM)
	_ = n.process.Wait() // it says how it ended, which is known
}

func (c *cluster) signal(n *natsServer, s syscall.Signal) {
	require.NoError(c.t, n.process.Process.Signal(s))
}

// healthy tells whether a server is up, and has all that the others have.
func (c *cluster) healthy(n *natsServer) bool {
	_, err := c.ask(n, "/healthz")
	return err == nil
}

func (c *cluster) ask(n *natsServer, path string) (text []byte, err error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, n.monitor+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return io.ReadAll(response.Body)
}

// awaitHealthy waits until all servers are, also in the eyes of those who lead. One
// that was cut off while it led may not catch up, and say so: it is started again,
// as an operator would. Where that does not help either, the cluster limps from then on.
func (c *cluster) awaitHealthy() {
	c.t.Helper()
	if await(catchUpLimit, c.whole) {
		return
	}
	for _, n := range c.servers {
		if !c.healthy(n) {
			c.stop(n)
			c.start(n)
		}
	}
	c.limps = !await(patience, c.whole)
}

// whole tells whether every server is healthy, and followed by the others.
func (c *cluster) whole() bool {
	for _, n := range c.servers {
		if !c.healthy(n) || !c.followed(n) {
			return false
		}
	}
	return true
}

// followed tells whether the others are up to date in every stream that a server leads.
func (c *cluster) followed(n *natsServer) bool {
	streams, err := c.streams(n)
	for _, s := range streams {
		for _, replica := range s.Cluster.Replicas {
			if s.Cluster.Leader == n.name() && !replica.Current {
				return false
			}
		}
	}
	return err == nil
}

// leader gives the server that leads the stream of webhooks.
func (c *cluster) leader() *natsServer {
	c.t.Helper()
	var leader *natsServer
	require.True(c.t, await(patience, func() bool {
		for _, n := range c.servers {
			streams, _ := c.streams(n) // of none, it leads none
			for _, s := range streams {
				if s.Name == "WEBHOOKS" && s.Cluster.Leader == n.name() {
					leader = n
				}
			}
		}
		return leader != nil
	}), "the stream has no leader")
	return leader
}

// clusterStream is what a server tells of a stream.
type clusterStream struct {
	Name    string
	Cluster struct {
		Leader   string
		Replicas []struct{ Current bool }
	}
}

func (c *cluster) streams(n *natsServer) (streams []clusterStream, err error) {
	text, err := c.ask(n, "/jsz?accounts=true&streams=true")
	if err != nil {
		return nil, err
	}
	var told struct {
		Accounts []struct {
			Streams []clusterStream `json:"stream_detail"`
		} `json:"account_details"`
	}
	if err := json.Unmarshal(text, &told); err != nil {
		return nil, err
	}
	for _, account := range told.Accounts {
		streams = append(streams, account.Streams...)
	}
	return streams, nil
}

// end ends all servers.
func (c *cluster) end() {
	for _, n := range c.servers {
		c.kill(n)
	}
}

// clientProxies are those between the servers and ticketrail.
func (c *cluster) clientProxies() (all []*proxy) {
	for _, n := range c.servers {
		all = append(all, n.proxy)
	}
	return all
}

// routesOf are the proxies of all that goes between a server and the others.
func (c *cluster) routesOf(n *natsServer) (all []*proxy) {
	for j := range serverCount {
		all = append(all, c.routes[n.number][j], c.routes[j][n.number])
	}
	return all
}

// environment is what tells ticketrail of the cluster.
func (c *cluster) environment() []string {
	var urls []string
	for _, n := range c.servers {
		urls = append(urls, "nats://"+n.proxy.address())
	}
	return []string{
		"TICKETRAIL_NATS_URL=" + strings.Join(urls, ","), fmt.Sprint("TICKETRAIL_NATS_REPLICAS=", serverCount),
		"TICKETRAIL_STREAM_MAX_BYTES=256MiB",
	}
}
