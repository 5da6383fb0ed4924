// See pagesum.go for what this is for.
//
// A file of the operating system's own VFS is opened as ever; then, where it is a
// database, the table of its methods is exchanged for a copy that reads and writes
// pages through read_page and write_page. What is written has no traces of rows that
// are gone. Every other method stays, and takes the file for what it is. The
// declarations are those of SQLite's published interface (sqlite.org/c3ref, "OS
// Interface Object"), of which no version takes anything away.

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pagesum.h"

typedef struct file { const struct methods *methods; } file;

typedef struct methods {
	int version;
	int (*close)(file *);
	int (*read)(file *, void *, int, int64_t);
	int (*write)(file *, const void *, int, int64_t);
	void *others[8]; // from xTruncate to xSectorSize, all of them untouched
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

// Weak, since the package that has them comes in at the last link only.
__attribute__((weak)) vfs *sqlite3_vfs_find(const char *);
__attribute__((weak)) int sqlite3_vfs_register(vfs *, int);

enum {
	OK = 0,
	NO_MEMORY = 7,
	CORRUPT = 11,
	OPEN_MAIN_DB = 0x100,
	SUBPAGE_READ = 0x8000, // parts of a page may be read alone, past its sum
	UNMAPPED = 2,          // the version of methods that has no xFetch
	SMALLEST_PAGE = 512,
	LARGEST_PAGE = 65536,
	INDEX_INNER = 2, INDEX_LEAF = 10, TABLE_LEAF = 13, // pages of a b-tree that hold rows
	SUM = 8,    // bytes at the end of each page
	TABLES = 8, // of methods: one for each way of locking, of which there are fewer
};

// summed is the methods of a VFS with those of this one in their place.
typedef struct summed {
	methods methods; // first, so that a file's methods are a summed as well
	const methods *plain;
} summed;

static vfs pagesum, *plain_vfs;
static summed tables[TABLES];
static pthread_mutex_t tables_lock = PTHREAD_MUTEX_INITIALIZER;

// sum is FNV-1a over 64 bits at a time, with a shift to spread high bits. Each
// step is one to one, so a page that differs in one word has another sum. The
// place of the page is part of it: one that was written elsewhere does not fit.
static uint64_t sum(const char *page, int size, int64_t offset) {
	uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)offset, word;
	for (int i = 0; i + SUM < size; i += sizeof word) {
		memcpy(&word, page + i, sizeof word);
		h = (h ^ word) * 0x100000001b3u;
		h ^= h >> 32;
	}
	return h;
}

// is_page tells a page from the few bytes of the header that SQLite reads alone.
static int is_page(int size, int64_t offset) {
	return size >= SMALLEST_PAGE && size <= LARGEST_PAGE && (size & (size - 1)) == 0 && offset % size == 0;
}

static const methods *plain_methods(file *f) { return ((const summed *)f->methods)->plain; }

static int read_page(file *f, void *to, int size, int64_t offset) {
	int result = plain_methods(f)->read(f, to, size, offset);
	if (result != OK || !is_page(size, offset))
		return result;
	uint64_t stored;
	memcpy(&stored, (char *)to + size - SUM, SUM);
	return stored == sum(to, size, offset) ? OK : CORRUPT;
}

static int number(const unsigned char *at) { return at[0] << 8 | at[1]; }

// clear_gap clears what a page of a b-tree has between the pointers to its cells and
// the cells. Nothing is there, but what SQLite left when it moved cells about: a row
// that was erased since, too. A page of another kind begins with the number of a page,
// which in a database of more than 100 GB may look like a kind; its pointers do not.
static void clear_gap(unsigned char *page, int size) {
	int kind = page[0], cells = number(page + 3), content = number(page + 5);
	unsigned char *pointers = page + (kind == INDEX_INNER ? 12 : 8), *gap = pointers + 2 * cells;
	if ((kind != INDEX_INNER && kind != INDEX_LEAF && kind != TABLE_LEAF) || cells == 0 || gap > page + content)
		return;
	for (unsigned char *p = pointers; p < gap; p += 2)
		if (number(p) < content || number(p) >= size - SUM)
			return;
	memset(gap, 0, page + content - gap);
}

static int write_page(file *f, const void *from, int size, int64_t offset) {
	if (!is_page(size, offset))
		return plain_methods(f)->write(f, from, size, offset);
	char page[LARGEST_PAGE];
	memcpy(page, from, size);
	clear_gap((unsigned char *)page, size);
	uint64_t h = sum(page, size, offset);
	memcpy(page + size - SUM, &h, SUM);
	return plain_methods(f)->write(f, page, size, offset);
}

static int characteristics(file *f) { return plain_methods(f)->characteristics(f) & ~SUBPAGE_READ; }

// summed_methods gives the table for files with these methods, or nothing where
// there is no room for another.
static const methods *summed_methods(const methods *plain) {
	const methods *found = 0;
	pthread_mutex_lock(&tables_lock);
	for (int i = 0; i < TABLES && !found; i++) {
		if (!tables[i].plain) {
			tables[i].plain = plain;
			memcpy(&tables[i].methods, plain, offsetof(methods, mapped));
			tables[i].methods.version = UNMAPPED;
			tables[i].methods.read = read_page;
			tables[i].methods.write = write_page;
			tables[i].methods.characteristics = characteristics;
		}
		if (tables[i].plain == plain)
			found = &tables[i].methods;
	}
	pthread_mutex_unlock(&tables_lock);
	return found;
}

static int open_file(vfs *v, const char *name, file *f, int flags, int *flags_out) {
	(void)v;
	int result = plain_vfs->open(plain_vfs, name, f, flags, flags_out);
	if (result != OK || !(flags & OPEN_MAIN_DB) || !f->methods)
		return result;
	const methods *m = summed_methods(f->methods);
	if (!m) {
		f->methods->close(f);
		f->methods = 0;
		return NO_MEMORY;
	}
	f->methods = m;
	return OK;
}

static void register_vfs(void) {
	plain_vfs = sqlite3_vfs_find(0);
	if (!plain_vfs)
		return;
	pagesum = *plain_vfs;
	pagesum.name = PAGESUM_VFS;
	pagesum.next = 0;
	pagesum.open = open_file;
	sqlite3_vfs_register(&pagesum, 0);
}

void pagesum_register(void) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, register_vfs);
}
