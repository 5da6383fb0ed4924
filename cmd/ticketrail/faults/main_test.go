// Package faults_test breaks the real program on purpose and holds it to what it
// promises. Processes are killed, at random and at named places; the power is cut
// under a disk that forgets what was not synced; the disk is full, slow, or fails to
// sync for a while; streams are exchanged; a cluster of brokers is killed, paused, cut
// off and slowed piece by piece; ten times what fits is sent, and what no
// sender would send. Every request is written down before it is sent, with its answer,
// and a judge compares all of them with what a fresh process makes of what survived.
//
// A suite that finds nothing proves nothing unless it would have found something. So
// there is a second build of the program, with bugs that a variable switches on,
// and the suite must catch each of them. They are patches that the tests lay over the
// source as it is built: the program itself has no hooks.
//
// go test runs a short form. make faults runs the long one, with FAULTS for the flags
// below, and prints what was tried.
package faults_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"
)

var (
	powerCuts = flag.Int("power-cuts", 3, "how often the power is cut")
	controls  = flag.Int("controls", 1, "how often it is cut under a program that does not sync")
	kills     = flag.Int("kills", 5, "how often the program is killed, at random and at a place by turns")
	brokers   = flag.Int("broker-faults", 4, "how often something is done to a cluster of brokers")
	apart     = flag.Int("parts", len(partFaults), "how often a part is killed of a program that runs apart")
	seeded    = flag.Int("bugs", 2, "how many of the seeded bugs are tried")
	diskFills = flag.Int("disk-fills", 3, "how often the disk is full for a while")
	badSyncs  = flag.Int("bad-syncs", 2, "how often the disk fails to sync for a while")
	slowDisks = flag.Int("slow-disks", 1, "how often the disk is slow for a while")
	refusal   = flag.Duration("refuse-within", 20*time.Second, "how long a webhook may wait for its 503 where the disk takes none")
	mending   = flag.Duration("mend-within", patience, "how long it may take to webhooks being taken once the disk works again")
	overload  = flag.Int("overload", 250, "how many webhooks are taken while ten times as many come as there is room for")
	needFUSE  = flag.String("fuse", "wanted", `"required" fails where no file system can be mounted, instead of skipping`)
	keepIn    = flag.String("keep", "", "a folder for copies of the read models: as the last fault left them, and as they were where something was found")
	seed      = flag.Uint64("seed", 1, "what is random follows from it, but for the machine's own moods")
)

// The programs under test, and the broker, built once by TestMain.
var plainBinary, seededBinary, natsBinary string

// tableVariable names a file to write the table of results to, besides printing it.
const tableVariable = "FAULTS_TABLE"

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "ticketrail-faults-")
	if err != nil {
		return complain(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if plainBinary, err = build(folder, nil); err != nil {
		return complain(err)
	}
	if seededBinary, err = build(folder, patches()); err != nil {
		return complain(err)
	}
	if natsBinary, err = buildNATS(folder); err != nil {
		return complain(err)
	}
	status := m.Run()
	fmt.Print(&results)
	if name := os.Getenv(tableVariable); name != "" {
		if err := os.WriteFile(name, []byte(results.String()), 0o600); err != nil {
			return complain(err)
		}
	}
	return status
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
