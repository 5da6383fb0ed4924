package access

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

// watch tells whether anything has happened to the files of a folder, for a third of
// what a look at one of them takes. The kernel queues it (inotify) before the call
// returns that does it: who has renamed a file in the folder knows that everybody who
// asks from now on is told, by whatever program of this machine it was.
type watch struct{ queue int }

// happenings are all that can give a name in the folder another content.
const happenings = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MODIFY | unix.IN_MOVED_FROM | unix.IN_MOVED_TO

// watchFolder gives nil where there are too many watches, or no such folder.
func watchFolder(dir string) *watch {
	queue, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil
	}
	if _, err := unix.InotifyAddWatch(queue, dir, happenings); err != nil {
		_ = unix.Close(queue)
		return nil
	}
	w := &watch{queue}
	runtime.AddCleanup(w, func(queue int) { _ = unix.Close(queue) }, queue)
	return w
}

// quiet tells whether nothing has happened since it was asked before. What is left in
// the queue, or lost since it was full, is told the next time.
func (w *watch) quiet() bool {
	var what [1 << 10]byte
	_, err := unix.Read(w.queue, what[:])
	runtime.KeepAlive(w)
	return errors.Is(err, unix.EAGAIN)
}
