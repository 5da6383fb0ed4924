package faults_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// chunk is how many bytes a proxy passes on at a time.
const chunk = 32 << 10

// proxy is a piece of network on loopback that can be cut, held and slowed. The
// processes at its ends know only its address.
type proxy struct {
	listener net.Listener
	group    sync.WaitGroup

	mu     sync.Mutex
	target string
	closed bool          // every connection ends at once
	ask    gate          // towards the target
	answer gate          // and back
	delay  time.Duration // of each chunk
	open   map[net.Conn]bool
}

// gate is closed while bytes may pass.
type gate chan struct{}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: listener, ask: make(gate), answer: make(gate), open: map[net.Conn]bool{}}
	p.heal()
	p.group.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.heal()
		p.cut()
		p.group.Wait()
	})
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// aim says where connections lead from now on.
func (p *proxy) aim(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// cut ends every connection, and every new one at once.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for conn := range p.open {
		_ = conn.Close()
	}
}

// hold keeps back every byte, in both directions, and says nothing of it.
func (p *proxy) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ask, p.answer = make(gate), make(gate)
}

// holdAnswers keeps back what comes from the target alone: what is asked is done, and who
// asked never hears of it.
func (p *proxy) holdAnswers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = make(gate)
}

// slow has every chunk wait before it goes on.
func (p *proxy) slow(delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = delay
}

// heal undoes all of it. What was held goes on.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.delay = false, 0
	for _, g := range []gate{p.ask, p.answer} {
		select {
		case <-g:
		default:
			close(g)
		}
	}
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		_ = near.(*net.TCPConn).SetReadBuffer(chunk) // what is held is to be noticed
		p.group.Go(func() { p.serve(near) })
	}
}

func (p *proxy) serve(near net.Conn) {
	defer p.forget(near)
	if target, ok := p.know(near); ok {
		p.wait(&p.ask)
		far, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		defer p.forget(far)
		if _, ok := p.know(far); !ok {
			return
		}
		back := make(chan struct{})
		go func() {
			defer close(back)
			p.carry(far, near, &p.answer)
		}()
		p.carry(near, far, &p.ask)
		<-back
	}
}

// know keeps a connection to be cut, and tells whether that has not been done.
func (p *proxy) know(conn net.Conn) (target string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[conn] = true
	return p.target, !p.closed
}

func (p *proxy) forget(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	_ = conn.Close()
}

// carry passes on what comes, until either end is closed, and closes both.
func (p *proxy) carry(from, to net.Conn, through *gate) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, chunk)
	for {
		n, err := from.Read(buffer)
		p.wait(through)
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

// wait waits for as long as bytes do at a gate.
func (p *proxy) wait(at *gate) {
	p.mu.Lock()
	pass, delay := *at, p.delay
	p.mu.Unlock()
	<-pass
	pause(delay)
}

// pause lets so much time pass: that is what a fault of some length consists of.
func pause(length time.Duration) {
	if length > 0 {
		<-time.After(length)
	}
}
