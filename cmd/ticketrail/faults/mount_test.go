package faults_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/stretchr/testify/require"
)

const (
	// cacheFor is how long the kernel may remember names and sizes: for ever, since
	// nobody changes them behind its back.
	cacheFor = time.Hour
	// diskBlocks and blockSize are what the disk says of its size: 64 GiB, all free.
	diskBlocks = 16 << 20
	blockSize  = 4096
)

// node is a file of a disk as the kernel knows it. The test never opens a mounted
// file itself: it would wait for itself.
type node struct {
	fs.Inode
	disk *disk
	file *file
}

var _ = interface {
	fs.NodeLookuper
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeMkdirer
	fs.NodeCreater
	fs.NodeOpener
	fs.NodeReader
	fs.NodeWriter
	fs.NodeFsyncer
	fs.NodeUnlinker
	fs.NodeRmdirer
	fs.NodeRenamer
	fs.NodeReaddirer
	fs.NodeStatfser
}((*node)(nil))

func mountOptions() *fs.Options {
	timeout := cacheFor
	return &fs.Options{
		EntryTimeout: &timeout,
		AttrTimeout:  &timeout,
		MountOptions: fuse.MountOptions{DirectMount: true, FsName: "ticketrail-faults", MaxWrite: 1 << 20},
	}
}

// mount mounts a disk and gives its folder and how to unmount it.
func mount(t *testing.T, d *disk) (folder string, unmount func()) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "disk")
	require.NoError(t, os.Mkdir(folder, 0o700))
	server, err := fs.Mount(folder, &node{disk: d, file: d.root}, mountOptions())
	require.NoError(t, err)
	mounted := true
	unmount = func() {
		if !mounted {
			return
		}
		mounted = false
		if server.Unmount() != nil { // somebody is in it still
			require.NoError(t, syscall.Unmount(folder, syscall.MNT_DETACH))
		}
		server.Wait()
	}
	t.Cleanup(unmount)
	return folder, unmount
}

func (n *node) child(ctx context.Context, f *file, out *fuse.EntryOut) *fs.Inode {
	f.describe(&out.Attr)
	return n.NewInode(ctx, &node{disk: n.disk, file: f}, fs.StableAttr{Mode: f.mode & syscall.S_IFMT, Ino: f.number})
}

func (f *file) describe(out *fuse.Attr) {
	out.Mode, out.Nlink, out.Ino = f.mode, 1, f.number
	out.Size, out.Blocks = uint64(len(f.content)), uint64(len(f.content)+sector-1)/sector
	out.SetTimes(&f.changed, &f.changed, &f.changed)
}

func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (found *fs.Inode, errno syscall.Errno) {
	errno = n.disk.powered(func() syscall.Errno {
		child, ok := n.file.names[name]
		if !ok {
			return syscall.ENOENT
		}
		found = n.child(ctx, child, out)
		return fs.OK
	})
	return found, errno
}

func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return n.disk.powered(func() syscall.Errno {
		n.file.describe(&out.Attr)
		return fs.OK
	})
}

func (n *node) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return n.disk.powered(func() syscall.Errno {
		if mode, ok := in.GetMode(); ok {
			n.file.mode = n.file.mode&syscall.S_IFMT | mode&^syscall.S_IFMT
		}
		if size, ok := in.GetSize(); ok {
			n.disk.write(n.file, writing{at: int64(size)})
		}
		n.file.describe(&out.Attr)
		return fs.OK
	})
}

func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (made *fs.Inode, errno syscall.Errno) {
	errno = n.disk.powered(func() syscall.Errno {
		made = n.child(ctx, n.disk.make(n.file, name, syscall.S_IFDIR|mode), out)
		return fs.OK
	})
	return made, errno
}

func (n *node) Create(ctx context.Context, name string, _, mode uint32, out *fuse.EntryOut) (made *fs.Inode, _ fs.FileHandle, flags uint32, errno syscall.Errno) {
	errno = n.disk.powered(func() syscall.Errno {
		made = n.child(ctx, n.disk.make(n.file, name, syscall.S_IFREG|mode), out)
		return fs.OK
	})
	return made, nil, fuse.FOPEN_KEEP_CACHE, errno
}

func (n *node) Open(_ context.Context, flags uint32) (_ fs.FileHandle, fuseFlags uint32, errno syscall.Errno) {
	errno = n.disk.powered(func() syscall.Errno {
		if flags&syscall.O_TRUNC != 0 {
			n.disk.write(n.file, writing{})
		}
		return fs.OK
	})
	return nil, fuse.FOPEN_KEEP_CACHE, errno
}

func (n *node) Read(_ context.Context, _ fs.FileHandle, into []byte, at int64) (result fuse.ReadResult, errno syscall.Errno) {
	errno = n.disk.powered(func() syscall.Errno {
		read := 0
		if at < int64(len(n.file.content)) {
			read = copy(into, n.file.content[at:])
		}
		result = fuse.ReadResultData(into[:read])
		return fs.OK
	})
	return result, errno
}

func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, at int64) (written uint32, errno syscall.Errno) {
	errno = n.disk.powered(func() syscall.Errno {
		fitting := data[:n.disk.fits(n.file, at, len(data))]
		if len(fitting) == 0 && len(data) > 0 {
			return syscall.ENOSPC
		}
		written = uint32(len(fitting))
		n.disk.write(n.file, writing{at: at, data: append(make([]byte, 0, len(fitting)), fitting...)})
		return fs.OK
	})
	return written, errno
}

func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	n.disk.delay()
	return n.disk.powered(func() syscall.Errno { return n.disk.sync(n.file) })
}

func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	return n.disk.powered(func() syscall.Errno { return n.remove(name) })
}

func (n *node) Rmdir(_ context.Context, name string) syscall.Errno {
	return n.disk.powered(func() syscall.Errno {
		if child := n.file.names[name]; child != nil && len(child.names) > 0 {
			return syscall.ENOTEMPTY
		}
		return n.remove(name)
	})
}

func (n *node) remove(name string) syscall.Errno {
	child, ok := n.file.names[name]
	if !ok {
		return syscall.ENOENT
	}
	n.disk.rename(naming{from: n.file, fromName: name, child: child})
	return fs.OK
}

func (n *node) Rename(_ context.Context, name string, to fs.InodeEmbedder, toName string, flags uint32) syscall.Errno {
	return n.disk.powered(func() syscall.Errno {
		child, ok := n.file.names[name]
		if !ok {
			return syscall.ENOENT
		}
		target, ok := to.(*node)
		if !ok || flags != 0 {
			return syscall.EINVAL
		}
		n.disk.rename(naming{from: n.file, fromName: name, to: target.file, toName: toName, child: child})
		return fs.OK
	})
}

func (n *node) Readdir(context.Context) (listed fs.DirStream, errno syscall.Errno) {
	errno = n.disk.powered(func() syscall.Errno {
		var entries []fuse.DirEntry
		for name, child := range n.file.names {
			entries = append(entries, fuse.DirEntry{Name: name, Mode: child.mode, Ino: child.number})
		}
		listed = fs.NewListDirStream(entries)
		return fs.OK
	})
	return listed, errno
}

func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Blocks, out.Bfree, out.Bavail = diskBlocks, diskBlocks, diskBlocks
	out.Bsize, out.Frsize, out.NameLen = blockSize, blockSize, 255
	return n.disk.powered(func() syscall.Errno {
		if d := n.disk; d.full && d.told {
			out.Bfree = uint64(max(0, d.holds-d.root.size())) / blockSize
			out.Bavail = out.Bfree
		}
		return fs.OK
	})
}

// mountable tells why no disk can be mounted here, nil where one can.
var mountable = sync.OnceValue(func() error {
	folder, err := os.MkdirTemp("", "ticketrail-mount-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(folder) }()
	d := newDisk()
	server, err := fs.Mount(folder, &node{disk: d, file: d.root}, mountOptions())
	if err != nil {
		return fmt.Errorf("no FUSE file system can be mounted: %w", err)
	}
	return server.Unmount()
})
