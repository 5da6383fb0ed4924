// What the VFS of pagesum.c and gather.c is made of. The declarations are those of SQLite's
// published interface (sqlite.org/c3ref, "OS Interface Object"), of which no version takes
// anything away.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct file { const struct methods *methods; } file;

typedef struct methods {
	int version;
	int (*close)(file *);
	int (*read)(file *, void *, int, int64_t);
	int (*write)(file *, const void *, int, int64_t);
	int (*truncate)(file *, int64_t);
	int (*sync)(file *, int);
	int (*size)(file *, int64_t *);
	void *others[5]; // from xLock to xSectorSize, all of them untouched
	int (*characteristics)(file *);
	void *shared[4]; // from xShmMap to xShmUnmap, untouched
	void *mapped[2]; // xFetch and xUnfetch, which read past the sums; version 3
} methods;

typedef struct vfs {
	int version, file_size, longest_path;
	struct vfs *next;
	const char *name;
	void *data;
	int (*open)(struct vfs *, const char *, file *, int, int *);
	void *others[15]; // from xDelete to xNextSystemCall
} vfs;

enum { OK = 0, NO_MEMORY = 7 };

// own is what this VFS has of a file, after what the system's own VFS has of it: the
// methods that stand in the place of those.
typedef struct own {
	methods methods; // first, so that a file's methods are its own as well
	const struct methods *plain;
	// Of gather.c: what is not written yet, where it belongs and how much it is; and
	// whether the frame at its end is the last one of a commit.
	unsigned char *gathered;
	int64_t at;
	int size, last;
} own;

static inline own *own_of(file *f) { return (own *)f->methods; }

static inline const methods *plain_methods(file *f) { return own_of(f)->plain; }

// take_over has a file that was just opened use methods of its own.
static inline void take_over(file *f, own *o) {
	memset(o, 0, sizeof *o);
	memcpy(&o->methods, f->methods, offsetof(methods, mapped));
	o->methods.version = 2; // which has no xFetch
	o->plain = f->methods;
	f->methods = &o->methods;
}

// gather has a write-ahead log written in large pieces.
void gather(own *);
