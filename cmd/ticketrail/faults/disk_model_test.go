package faults_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// What was synced survives a power cut, and what was written after it does not.
func TestTheDiskForgetsWhatWasNotSynced(t *testing.T) {
	t.Parallel()
	d := newDisk()
	f := d.make(d.root, "file", syscall.S_IFREG|0o600)
	d.write(f, writing{at: 0, data: []byte("kept, and ")})
	require.Zero(t, d.sync(f))
	d.write(f, writing{at: 10, data: []byte("lost")})
	d.write(f, writing{at: 2})
	after := d.survivor(rand.New(rand.NewPCG(1, 1)), false)
	require.Equal(t, "kept, and ", string(after.root.names["file"].content))
	require.Equal(t, "ke", string(f.content))
}

// A new name survives once its file or its folder was synced, and with it every
// name that was changed before; later ones do not.
func TestTheDiskCommitsNamesInTheirOrder(t *testing.T) {
	t.Parallel()
	d := newDisk()
	folder := d.make(d.root, "folder", syscall.S_IFDIR|0o700)
	first := d.make(folder, "draft", syscall.S_IFREG|0o600)
	d.write(first, writing{data: []byte("content")})
	second := d.make(folder, "second", syscall.S_IFREG|0o600)
	d.rename(naming{from: folder, fromName: "draft", to: folder, toName: "final", child: first})

	require.Zero(t, d.sync(second))
	after := d.survivor(rand.New(rand.NewPCG(1, 1)), false).root.names["folder"]
	require.Contains(t, after.names, "second")
	require.Empty(t, after.names["draft"].content, "its name was committed, and its content was not synced")
	require.NotContains(t, after.names, "final")

	require.Zero(t, d.sync(folder))
	after = d.survivor(rand.New(rand.NewPCG(1, 1)), false).root.names["folder"]
	require.Contains(t, after.names, "final")
	require.NotContains(t, after.names, "draft")
}

// What survives torn is the beginning of what was written, to the end of a sector.
func TestTheDiskTearsAtSectors(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	lengths := map[int]bool{}
	for range 200 {
		torn := writing{data: make([]byte, 3*sector-1)}.tear(random)
		lengths[len(torn.data)] = true
	}
	require.Equal(t, map[int]bool{0: true, sector: true, 2 * sector: true, 3*sector - 1: true}, lengths)
}

// What a failed sync did not write is lost, whatever a later sync says; and without
// power nothing is done at all.
func TestTheDiskNeverWritesWhatItFailedToSync(t *testing.T) {
	t.Parallel()
	d := newDisk()
	f := d.make(d.root, "file", syscall.S_IFREG|0o600)
	require.Zero(t, d.sync(f))
	d.write(f, writing{data: []byte("lost")})
	d.fail(true)
	require.Equal(t, syscall.EIO, d.sync(f))
	d.fail(false)
	require.Zero(t, d.sync(f))
	require.Empty(t, d.survivor(rand.New(rand.NewPCG(1, 1)), false).root.names["file"].content)
	d.cut()
	require.Equal(t, syscall.EIO, d.powered(func() syscall.Errno { return 0 }))
}

// A full disk takes what it has room for and no more, and what is overwritten needs none.
func TestTheDiskIsFull(t *testing.T) {
	t.Parallel()
	d := newDisk()
	f := d.make(d.root, "file", syscall.S_IFREG|0o600)
	require.Equal(t, 100, d.fits(f, 0, 100))
	d.write(f, writing{data: make([]byte, 10)})
	d.fill(5, true)
	require.Equal(t, 8, d.fits(f, 2, 8))
	require.Equal(t, 13, d.fits(f, 2, 100))
	require.Equal(t, 5, d.fits(f, 10, 100))
	require.Zero(t, d.fits(f, 15, 100))
	require.Zero(t, d.fits(f, 100, 1))
	d.free()
	require.Equal(t, 100, d.fits(f, 15, 100))
}

// The disk is a file system like any other to who uses it: what the kernel does
// through the mount arrives, and what survives can be exported.
func TestAMountedDiskIsAFileSystem(t *testing.T) {
	t.Parallel()
	s := newStage(t, plainBinary, "", rand.New(rand.NewPCG(1, 1))).onDisk()
	folder := filepath.Dir(s.data)
	// Another process does it: this one would wait for itself.
	command := `mkdir data && cd data && printf one >a && printf two >>a && mv a b && mkdir c && rmdir c && sync b`
	output, err := exec.Command("sh", "-c", "cd "+folder+" && "+command).CombinedOutput()
	require.NoError(t, err, "%s", output)
	s.disk.cut()
	s.powerOn(false)
	copied := filepath.Join(t.TempDir(), "copied")
	require.NoError(t, s.disk.export("data", copied))
	content, err := os.ReadFile(filepath.Join(copied, "b"))
	require.NoError(t, err)
	require.Equal(t, "onetwo", string(content))
}
