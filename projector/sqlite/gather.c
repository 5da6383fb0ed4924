// A commit adds frames to the write-ahead log, and SQLite writes each in two pieces, which
// takes longer than all else it does for them. Here they are gathered, and written in as few
// pieces as there is room for: at the latest with the frame that ends the commit, so
// nothing that another connection may look for is missing from the file.
//
// A connection that spills frames before it commits must not have its log gathered: those
// of a transaction that came to nothing would be written when others may have written there.

#include <stdlib.h>

#include "vfs.h"

enum {
	ROOM = 64 << 10, // as much as the largest page: every VFS writes that in one piece
	FRAME_HEADER = 24,
};

static int flush(file *f) {
	own *o = own_of(f);
	int size = o->size;
	o->size = 0; // what could not be written is not tried again: SQLite hears of it
	return size ? o->plain->write(f, o->gathered, size, o->at) : OK;
}

// ends_commit tells whether this is the header of the last frame of a commit, which has
// the size of the database where others have nothing (sqlite.org/fileformat2, "WAL File
// Format").
static int ends_commit(const unsigned char *header) {
	return header[4] | header[5] | header[6] | header[7];
}

static int write_some(file *f, const void *from, int size, int64_t at) {
	own *o = own_of(f);
	int result = OK;
	if (at != o->at + o->size || size > ROOM - o->size)
		result = flush(f);
	if (result == OK && !o->gathered && !(o->gathered = malloc(ROOM)))
		result = NO_MEMORY;
	if (result != OK)
		return result;
	if (size > ROOM)
		return o->plain->write(f, from, size, at);
	if (!o->size)
		o->at = at;
	memcpy(o->gathered + o->size, from, size);
	o->size += size;
	if (size == FRAME_HEADER) {
		o->last = ends_commit(from);
		return OK;
	}
	return o->last ? flush(f) : OK;
}

static int read_some(file *f, void *to, int size, int64_t at) {
	int result = flush(f);
	return result == OK ? plain_methods(f)->read(f, to, size, at) : result;
}

static int truncate_to(file *f, int64_t size) {
	int result = flush(f);
	return result == OK ? plain_methods(f)->truncate(f, size) : result;
}

static int sync_all(file *f, int flags) {
	int result = flush(f);
	return result == OK ? plain_methods(f)->sync(f, flags) : result;
}

static int size_of(file *f, int64_t *size) {
	int result = flush(f);
	return result == OK ? plain_methods(f)->size(f, size) : result;
}

static int close_file(file *f) {
	int result = flush(f);
	free(own_of(f)->gathered);
	int closed = plain_methods(f)->close(f);
	return result == OK ? closed : result;
}

void gather(own *o) {
	o->methods.close = close_file;
	o->methods.read = read_some;
	o->methods.write = write_some;
	o->methods.truncate = truncate_to;
	o->methods.sync = sync_all;
	o->methods.size = size_of;
}
