// Command ticketrail turns order webhooks into live, replayable order state.
//
// Exit codes: 0 done, 1 failed, 2 bad usage or bad configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

const about = "Order webhooks in, live and replayable order state out."

// commandLine is what can be said to the program.
type commandLine struct {
	ShowVersion     versionFlag            `name:"version" help:"Print the version."`
	Serve           serveCommand           `cmd:"" help:"Take webhooks, project them and answer questions about orders: all in one process."`
	Ingest          ingestCommand          `cmd:"" help:"Only take webhooks, beside other parts on the same NATS servers; any number may."`
	Project         projectCommand         `cmd:"" help:"Only project and answer, publish changes, and do what operators decide; one does."`
	API             apiCommand             `cmd:"" name:"api" help:"Only project and answer: a read replica; any number may."`
	Send            sendCommand            `cmd:"" help:"Sign webhooks from files and post them to an ingest, as the provider would."`
	Trigger         triggerCommand         `cmd:"" help:"Send a webhook of a published event, signed as the provider would, without a file."`
	Listen          listenCommand          `cmd:"" help:"Show each request to the webhook endpoints with its verdict, live, and send accepted ones on."`
	Resend          resendCommand          `cmd:"" help:"Send stored webhooks once more, signed anew, for trying out."`
	Sign            signCommand            `cmd:"" help:"Print the headers that a provider would send with a body."`
	Demo            demoCommand            `cmd:"" help:"Serve on a throw-away folder, and have simulated shops send webhooks."`
	Rebuild         rebuildCommand         `cmd:"" help:"Make the read model anew from the stream, compare, and switch."`
	Rebuilds        rebuildsCommand        `cmd:"" help:"List, show, cancel and delete rebuilds and snapshots."`
	Verify          verifyCommand          `cmd:"" help:"Compare every row of the read model with what the stream makes of it."`
	VerifySignature verifySignatureCommand `cmd:"" help:"Say whether a request is its sender's, and which part of it is wrong if not."`
	Archive         archiveCommand         `cmd:"" help:"Verify the second copy of the webhooks, or make it anew."`
	Backup          backupCommand          `cmd:"" help:"Copy the archive and the read model into a folder, also while a program serves."`
	Restore         restoreCommand         `cmd:"" help:"Make a damaged or lost stream anew from the archive, or from a backup."`
	Orders          ordersCommand          `cmd:"" help:"Ask about orders."`
	Sources         sourcesCommand         `cmd:"" help:"List the sources: when each was last heard, and which are silent."`
	Quarantine      quarantineCommand      `cmd:"" help:"See what was set aside, try it again, or discard it."`
	Erase           eraseCommand           `cmd:"" help:"Take what is personal of an order out of stream, archive and read model."`
	Token           tokenCommand           `cmd:"" help:"Create, list, revoke and rotate the tokens of the API."`
	Config          configCommand          `cmd:"" help:"Show, check and explain the configuration."`
	Doctor          doctorCommand          `cmd:"" help:"Check configuration, folder, ports, broker, durability, disk and clock; tell of late orders and silent sources."`
	Completion      completionCommand      `cmd:"" help:"Print a script that completes command lines in bash, zsh or fish."`
	Version         versionCommand         `cmd:"" help:"Print the versions of the program and of what it is built on."`
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run does one command, and gives the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signalled()
	defer stop()
	printed := &output{Writer: stdout}
	p := &program{stdin: os.Stdin, stdout: printed, stderr: stderr, environ: os.Environ()}
	parser := kong.Must(&commandLine{},
		kong.Name("ticketrail"),
		kong.Description(about),
		kong.Writers(stdout, stderr),
		kong.ValueFormatter(describe),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.WithHyphenPrefixedParameters(true), // --sort -updated
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
	)
	if len(args) == 0 {
		return p.report(usage(parser, stderr))
	}
	if args[0] == "help" {
		args = append(args[1:], "--help")
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return p.report(err)
	}
	if err := checkEmpty(parsed); err != nil {
		return p.report(err)
	}
	p.flags, p.variables = settingFlags(parsed), flagVariables(parser.Model.Node)
	p.about = aboutFlags(parsed)
	for _, command := range parser.Model.Children {
		p.commands = append(p.commands, command.Name)
	}
	if err := parsed.Run(); err != nil {
		return p.report(err)
	}
	if err := printed.err; err != nil {
		return p.report(err)
	}
	return exitDone
}

// usage prints what can be said to the program for who has said nothing, which is
// an error of its own.
func usage(parser *kong.Kong, w io.Writer) error {
	parser.Stdout = w
	traced, err := kong.Trace(parser, nil)
	if err == nil {
		err = traced.PrintUsage(false)
	}
	if err == nil {
		fmt.Fprintln(w)
		err = &failure{err: errors.New("name a command"), usage: true}
	}
	return err
}

// sameSignal is how close two signals count as one: timeout, make and terminals
// signal both a process and its group.
const sameSignal = time.Second

// signalled gives a context that ends at the first SIGINT or SIGTERM. One that
// comes a second later or more ends the program at once, whatever it is about to
// finish.
func signalled() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		first := time.Now()
		cancel()
		for range signals {
			if time.Since(first) >= sameSignal {
				os.Exit(exitFailed)
			}
		}
	}()
	return ctx, cancel
}
