package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// A stream that forgets says so before and after; and what it takes away is told with what
// can still be done about it.
func TestAStreamThatForgetsSaysSo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ticketrail.yaml")
	require.NoError(t, os.WriteFile(file, []byte("stream: { max_age: 2s, duplicate_window: 1s }\n"), 0o600))
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "--config", file)
	p.await(t, "webhooks expire after 2s: once the first has, no read model can be made anew")
	require.Regexp(t, `(?m)^expiry +warn +webhooks expire after 2s`, p.run(t, "doctor", "--config", file))
	p.run(t, "send", "../../testdata/webhooks/runa", "--source", "runa")
	require.Eventually(t, func() bool {
		var projection api.Projection
		p.get(t, "/v1/projection", &projection)
		return projection.Checkpoint == 5 && projection.Stream.First == 6
	}, startTimeout, 10*time.Millisecond)
	for _, command := range [][]string{{"verify"}, {"rebuild"}, {"rebuild", "--until", "3"}} {
		said := p.fails(t, append(command, "--config", file)...)
		require.Contains(t, said, "webhooks that are not applied yet have expired")
		require.Contains(t, said, "\nhint: no read model can be made anew any more")
	}
	p.stop(t)

	require.Contains(t, p.run(t, "archive", "verify", "--config", file), "read model: compared by its digest")
	require.Contains(t, p.run(t, "archive", "rebuild", "--yes", "--accept", "--config", file), "the archive has no webhook, the same as the stream")
	require.Contains(t, p.run(t, "archive", "verify", "--config", file), "archive: no webhook in 0 segments")
	require.Regexp(t, `(?m)^expiry +warn +the stream begins with stream sequence 6: no read model`, p.run(t, "doctor", "--config", file))
	p = start(t, data, "--config", file)
	p.await(t, "the stream begins with stream sequence")
	p.stop(t)
}

// fails runs a command on the process's data folder that fails, and gives what it says.
func (p *process) fails(t *testing.T, arguments ...string) string {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), binary, append(arguments, "--data", p.data)...).CombinedOutput()
	failed, is := errors.AsType[*exec.ExitError](err)
	require.True(t, is, err)
	require.Equal(t, 1, failed.ExitCode(), "%s", said)
	return string(said)
}
