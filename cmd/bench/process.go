package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a child of ours: a server, a load, or somebody else's program.
type process struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// self starts this very program in another role. It ends with its standard input, so
// that it never outlives us.
func self(ctx context.Context, role string, arguments ...string) (*process, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(exec.CommandContext(ctx, path, append([]string{role}, arguments...)...))
}

// start starts a program whose complaints go where ours do, unless they are wanted
// elsewhere.
func start(command *exec.Cmd) (*process, error) {
	if command.Stderr == nil {
		command.Stderr = os.Stderr
	}
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	return &process{command, in, bufio.NewReaderSize(out, 1<<20)}, nil
}

// line reads what the process says next.
func (p *process) line() (string, error) {
	line, err := p.out.ReadString('\n')
	if err != nil {
		return "", errors.Join(fmt.Errorf("%s said nothing: %w", filepath.Base(p.Path), err), p.end())
	}
	return strings.TrimSpace(line), nil
}

// end closes the standard input of a process of ours and waits for it.
func (p *process) end() error {
	_ = p.in.Close()
	_, _ = io.Copy(io.Discard, p.out)
	if err := p.Wait(); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(p.Path), strings.Join(p.Args[1:], " "), err)
	}
	return nil
}

// terminate ends somebody else's program as an operator does.
func (p *process) terminate() error {
	_ = p.Process.Signal(syscall.SIGTERM)
	return p.end()
}

// ticksPerSecond is the unit of the times in /proc, the same on every Linux.
const ticksPerSecond = 100

// cpu gives the processor time that the process has used, or 0 where that is not known.
func (p *process) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), ") ") // the name before may hold anything
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticksPerSecond
}

// memory gives the most memory that the process had, in bytes, or 0 where that is not
// known.
func (p *process) memory() uint64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, _ := strconv.ParseUint(strings.Fields(value)[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}
