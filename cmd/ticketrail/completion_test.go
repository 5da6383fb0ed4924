package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireShell skips a test where its shell is not to be had.
func requireShell(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("there is no %s to complete lines in: make test installs it", name)
	}
}

// A line that is typed in zsh is completed by the commands, flags and values that can follow,
// with their help; where none can, by files.
func TestZshCompletesLines(t *testing.T) {
	t.Parallel()
	requireShell(t, "zsh")
	m := newTmux(t)
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "body.json"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(home, ".zshrc"), fmt.Appendf(nil,
		"PATH=%s:$PATH\nPS1='type: '\nautoload -U compinit && compinit -u -D\nsource <(ticketrail completion zsh)\n", filepath.Dir(binary)), 0o600))
	for typed, texts := range map[string][]string{
		"ticketrail tri":                  {"ticketrail trigger"},
		"ticketrail orders ":              {"explain   -- Show why an order is as it is", "list      -- List orders."},
		"ticketrail orders list --st":     {"--state  -- Only these states", "--store  -- Only orders"},
		"ticketrail orders list --sort ":  {"-created  -updated  created"},
		"ticketrail orders list --sort=u": {"ticketrail orders list --sort=updated"},
		"ticketrail send ":                {"ticketrail send body.json"},
	} {
		m.do("respawn-pane", "-k", "-c", home, "env", "ZDOTDIR="+home, "zsh")
		m.shows("type:")
		m.do("send-keys", typed, "Tab", "Tab")
		m.shows(texts...)
	}
}

// In fish too, with the words of the very command that was named, whatever is called the same.
func TestFishCompletesLines(t *testing.T) {
	t.Parallel()
	requireShell(t, "fish")
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "body.json"), nil, 0o600))
	for typed, want := range map[string]string{
		"ticketrail tri":                        "trigger\tSend a webhook of a published event, signed as the provider would, without a file.\n",
		"ticketrail orders list --st":           "--state\tOnly these states, such as accepted,in-kitchen.\n--store\tOnly orders of this store.\n",
		"ticketrail --data x config v":          "validate\tTell whether serve would take the configuration, and what the examples of mapping files mean.\n",
		"ticketrail serve --log-level d":        "debug\tLeast level that is logged: debug,info,warn,error.\n",
		"ticketrail rebuild --rol":              "--rollback\tGo back to the read model that was in use before.\n",
		"ticketrail orders rebuild --rol":       "",
		"ticketrail orders list --state a list": "",
		"ticketrail send bo":                    "body.json\n",
		"ticketrail completion z":               "zsh\t\n",
	} {
		fish := exec.CommandContext(t.Context(), "fish", "--no-config", "-c", `source (ticketrail completion fish | psub); complete -C "$argv"`, typed)
		fish.Dir = home
		fish.Env = append(fish.Environ(), "HOME="+home, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
		said, err := fish.CombinedOutput()
		require.NoError(t, err, "%s", said)
		require.Equal(t, strings.TrimSpace(want), strings.TrimSpace(string(said)), typed)
	}
}
