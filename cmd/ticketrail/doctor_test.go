package main_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/sender"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// A full stream refuses webhooks, and doctor says that of the side that takes
// them: the projector is well.
func TestDoctorTellsOfAFullStream(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ticketrail.yaml")
	require.NoError(t, os.WriteFile(file, []byte("stream: { max_bytes: 1MiB }\n"), 0o600))
	p := start(t, filepath.Join(t.TempDir(), "data"), "--config", file)
	for _, size := range []int{64 << 10, 4 << 10} {
		p.fill(t, size)
	}
	said := p.doctor(t)
	require.Regexp(t, `(?m)^durability +fail +webhooks are refused: stream-full$`, said)
	require.Regexp(t, `(?m)^durability: its disk has [0-9.]+ GiB free, so the stream is at its limit: raise stream.max_bytes, and restart it\.$`, said)
	require.Regexp(t, `(?m)^projector +ok`, said)
	p.stop(t)
}

// A projector that stopped says why in its row, and what to do below the table.
func TestDoctorTellsOfAStoppedProjector(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	p.run(t, "send", "../../testdata/webhooks/runa", "--source", "runa")
	p.caughtUp(t)
	p.stop(t)

	removeStream(t, data)
	p = start(t, data)
	p.await(t, "the projector stopped")
	said := p.doctor(t)
	row, mend, found := strings.Cut(said, "\nprojector: ")
	require.True(t, found, said)
	require.Regexp(t, `(?m)^projector +fail +The projector does not run: projector stopped at stream sequence 5: the stream is another one`, row)
	require.NotContains(t, row, "restore the stream")
	require.Contains(t, mend, "restore the stream")
	p.stop(t)
}

// fill sends webhooks of a size until one is refused for want of room.
func (p *process) fill(t *testing.T, size int) {
	t.Helper()
	source := p.sources(t)[3]
	adapter, _ := provider.Named(source.Provider)
	to := sender.Sender{Client: http.DefaultClient, URL: p.addresses.Sources[3].URL, Provider: adapter, Secret: source.Secrets[0].Reveal()}
	body := fmt.Appendf(nil, `{"id":"%s"}`, strings.Repeat("x", size))
	for i := range 1000 {
		answer, err := to.Send(t.Context(), fmt.Sprintf("msg_%d_%d", size, i), body)
		require.NoError(t, err)
		if !answer.OK() {
			require.Equal(t, http.StatusServiceUnavailable, answer.Status)
			return
		}
	}
	require.Fail(t, "it takes more than its limit")
}

// doctor gives what doctor says of a process that is not well.
func (p *process) doctor(t *testing.T) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), binary, "doctor", "--data", p.data).Output()
	require.Error(t, err)
	return string(output)
}
