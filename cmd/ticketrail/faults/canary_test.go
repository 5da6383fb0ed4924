package faults_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// holds gives the first line of a text that holds one of some words.
func holds(text string, words []string) string {
	for line := range strings.Lines(text) {
		for _, word := range words {
			if strings.Contains(line, word) {
				return line
			}
		}
	}
	return ""
}

// secrets are those of the sources.
func (b *besieged) secrets() (all []string) {
	for _, source := range b.sources {
		for _, secret := range source.Secrets {
			all = append(all, strings.TrimPrefix(secret.Reveal(), "Bearer "))
		}
	}
	return all
}

// runs gives what a command says about the program's data folder.
func (b *besieged) runs(t *testing.T, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), plainBinary, append(arguments, "--data", b.data, "--config", b.config)...)
	text, err := command.CombinedOutput()
	require.NoError(t, err, "%s", text)
	return string(text)
}

// status gives the status of an address.
func (b *besieged) status(t *testing.T, address string) int {
	t.Helper()
	response, err := b.client.Get(address)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// keepsSilent requires that a program tells none of these words where it speaks to
// others than those who may read orders: its metrics, probes, doctor, audit log, and
// all that it logs until it is made to crash and to say what it was doing.
func (b *besieged) keepsSilent(t *testing.T, words []string) {
	t.Helper()
	for _, address := range []string{b.api + "/metrics", b.api + "/readyz", b.ingest + "/readyz", b.api + "/v1/projection", b.api + "/v1/sources"} {
		require.Empty(t, holds(b.page(t, address), words), address)
	}
	require.Empty(t, holds(b.runs(t, "doctor"), words))
	audit, err := os.ReadFile(filepath.Join(b.data, "audit.jsonl"))
	require.NoError(t, err)
	require.Empty(t, holds(string(audit), words))

	require.NoError(t, b.command.Process.Signal(syscall.SIGQUIT))
	<-b.ended
	log := b.logged.String()
	require.Contains(t, log, "goroutine ", "it says what it was doing")
	require.Empty(t, holds(log, words))
	require.NotContains(t, log, "connection to the NATS server", "it was never without its broker")
}

func (b *besieged) page(t *testing.T, address string) string {
	t.Helper()
	response, err := b.client.Get(address)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}
