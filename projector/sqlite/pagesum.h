// PAGESUM_VFS is the name under which SQLite knows the VFS of pagesum.c.
#define PAGESUM_VFS "pagesum"

// pagesum_register makes it known. It may be called at any time, from any thread,
// and again.
void pagesum_register(void);
