package main_test

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/domain"
)

var rebuildKills = flag.Int("rebuild-kills", 10, "how often a rebuild is killed")

// kill -9 at any moment of a rebuild, under load, leaves a read model in use that
// is whole, and of what was being built nothing once the program has started
// again; and then the next rebuild comes to its end.
func TestKilledRebuildsLeaveNothing(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	load := startLoad(t, p)
	load.wait(2000)
	whole := p.watch(t, p.rebuild(t), math.MaxInt)
	ends := map[domain.RebuildState]int{}
	for range *rebuildKills {
		begun := p.rebuild(t)
		p.watch(t, begun, rand.IntN(whole*5/4))
		p.kill(t)
		p = start(t, data)
		load.direct(t, p)
		told := p.told(t, begun)
		require.True(t, told.State.Ended())
		ends[told.State]++
		requireTwoVersions(t, data)
	}
	t.Logf("the rebuilds ended so: %v", ends)
	load.end()
	p.caughtUp(t)
	require.Contains(t, p.run(t, "rebuild"), "is in use")
	require.Contains(t, p.run(t, "verify"), "equal at stream sequence")
	requireWhole(t, p, load)
}

// rebuild begins a rebuild and gives its id.
func (p *process) rebuild(t *testing.T) int {
	t.Helper()
	response, err := http.Post(p.addresses.API+"/v1/rebuilds", "application/json", bytes.NewBufferString("{}"))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusAccepted, response.StatusCode)
	var list api.RebuildList
	p.get(t, "/v1/rebuilds", &list)
	return list.Rebuilds[0].ID
}

// watch looks so often at a rebuild, or until it has ended, and gives how often it
// looked: a measure of time that fits the machine.
func (p *process) watch(t *testing.T, id, most int) (looks int) {
	t.Helper()
	for looks < most && !p.told(t, id).State.Ended() {
		looks++
	}
	return looks
}

func (p *process) told(t *testing.T, id int) (rebuild api.Rebuild) {
	t.Helper()
	p.get(t, fmt.Sprint("/v1/rebuilds/", id), &rebuild)
	return rebuild
}

// requireTwoVersions requires that nothing is in the folder but the read model in
// use, the one before it, and what SQLite keeps beside the first.
func requireTwoVersions(t *testing.T, data string) {
	t.Helper()
	pointer, err := os.ReadFile(filepath.Join(app.ReadModelFolder(data), "CURRENT"))
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(app.ReadModelFolder(data), "model-*"))
	require.NoError(t, err)
	for _, file := range files {
		database, _, _ := strings.Cut(filepath.Base(file), "-wal")
		database, _, _ = strings.Cut(database, "-shm")
		require.Contains(t, string(pointer), database, "%v", files)
	}
}
