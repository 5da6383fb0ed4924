// See pagesum.go for what this is for.
//
// A file of the operating system's own VFS is opened as ever; then, where it is a
// database, its methods are exchanged for a copy that reads and writes pages through
// read_page and write_page. What is written has no traces of rows that are gone. Every
// other method stays, and takes the file for what it is. Where it is a write-ahead log
// that is to be gathered, gather.c has the methods.

#include <pthread.h>

#include "pagesum.h"
#include "vfs.h"

// Weak, since the package that has them comes in at the last link only.
__attribute__((weak)) vfs *sqlite3_vfs_find(const char *);
__attribute__((weak)) int sqlite3_vfs_register(vfs *, int);
__attribute__((weak)) int sqlite3_uri_boolean(const char *, const char *, int);

enum {
	CORRUPT = 11,
	OPEN_MAIN_DB = 0x100,
	OPEN_WAL = 0x80000,
	SUBPAGE_READ = 0x8000, // parts of a page may be read alone, past its sum
	SMALLEST_PAGE = 512,
	LARGEST_PAGE = 65536,
	INDEX_INNER = 2, INDEX_LEAF = 10, TABLE_LEAF = 13, // pages of a b-tree that hold rows
	SUM = 8, // bytes at the end of each page
};

static vfs pagesum, *plain_vfs;

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

static int open_file(vfs *v, const char *name, file *f, int flags, int *flags_out) {
	(void)v;
	int result = plain_vfs->open(plain_vfs, name, f, flags, flags_out);
	if (result != OK || !f->methods)
		return result;
	own *o = (own *)((char *)f + plain_vfs->file_size);
	if (flags & OPEN_MAIN_DB) {
		take_over(f, o);
		o->methods.read = read_page;
		o->methods.write = write_page;
		o->methods.characteristics = characteristics;
	} else if ((flags & OPEN_WAL) && sqlite3_uri_boolean(name, "gather", 0)) {
		take_over(f, o);
		gather(o);
	}
	return OK;
}

static void register_vfs(void) {
	plain_vfs = sqlite3_vfs_find(0);
	if (!plain_vfs)
		return;
	pagesum = *plain_vfs;
	pagesum.name = PAGESUM_VFS;
	pagesum.next = 0;
	pagesum.file_size += sizeof(own);
	pagesum.open = open_file;
	sqlite3_vfs_register(&pagesum, 0);
}

void pagesum_register(void) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, register_vfs);
}
