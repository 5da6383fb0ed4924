// See rows.go for what this is for, and for the form of the rows.
//
// rows(?) is an eponymous virtual table (sqlite.org/vtab, "Eponymous-only virtual
// tables") whose hidden column is the argument. It gives out texts and blobs where they
// stand in the argument, which lasts as long as the statement. The declarations are
// those of SQLite's published interface, of which no version takes anything away.

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

typedef struct connection connection;
typedef struct context context;
typedef struct value value;
typedef struct table { const void *module; int references; char *error; } table;
typedef struct cursor cursor;

typedef struct plan {
	int constraints;
	struct constraint { int column; unsigned char op, usable; int offset; } *constraint;
	int orders;
	const void *order;
	struct usage { int argument; unsigned char omit; } *usage;
	int number; // what follows is given by the function, and stays as it is
} plan;

typedef struct module {
	int version;
	int (*create)(connection *, void *, int, const char *const *, table **, char **);
	int (*connect)(connection *, void *, int, const char *const *, table **, char **);
	int (*best_index)(table *, plan *);
	int (*disconnect)(table *);
	int (*destroy)(table *);
	int (*open)(table *, cursor **);
	int (*close)(cursor *);
	int (*filter)(cursor *, int, const char *, int, value **);
	int (*next)(cursor *);
	int (*eof)(cursor *);
	int (*column)(cursor *, context *, int);
	int (*rowid)(cursor *, int64_t *);
	void *others[12]; // from xUpdate to xIntegrity, none of them needed
} module;

// Weak, since the package that has them comes in at the last link only.
#define SQLITE __attribute__((weak))
SQLITE int sqlite3_auto_extension(void (*)(void));
SQLITE int sqlite3_create_module(connection *, const char *, const module *, void *);
SQLITE int sqlite3_declare_vtab(connection *, const char *);
SQLITE const void *sqlite3_value_blob(value *);
SQLITE int sqlite3_value_bytes(value *);
SQLITE void sqlite3_result_int64(context *, int64_t);
SQLITE void sqlite3_result_text(context *, const char *, int, void (*)(void *));
SQLITE void sqlite3_result_blob(context *, const void *, int, void (*)(void *));

enum { OK = 0, CONSTRAINT = 19, NO_MEMORY = 7, MISUSE = 21, EQUAL = 2, COLUMNS = 11 };

// cursor is at one row: cells are where its values begin. It is past the last one where
// there are no cells.
struct cursor {
	table *table; // first, as SQLite wants it
	const unsigned char *next_row, *end, *cells[COLUMNS];
	int columns;
	int64_t number;
};

static int connect_rows(connection *c, void *data, int n, const char *const *args, table **made, char **error) {
	(void)data, (void)n, (void)args, (void)error;
	int result = sqlite3_declare_vtab(c, "CREATE TABLE r(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, rows HIDDEN)");
	if (result == OK)
		result = (*made = calloc(1, sizeof **made)) ? OK : NO_MEMORY;
	return result;
}

static int disconnect(table *t) { return free(t), OK; }

// best_index asks for the argument, without which there are no rows.
static int best_index(table *t, plan *p) {
	(void)t;
	for (int i = 0; i < p->constraints; i++)
		if (p->constraint[i].column == COLUMNS && p->constraint[i].op == EQUAL && p->constraint[i].usable) {
			p->usage[i].argument = p->usage[i].omit = 1;
			return OK;
		}
	return CONSTRAINT;
}

static int open_rows(table *t, cursor **made) {
	(void)t;
	return (*made = calloc(1, sizeof **made)) ? OK : NO_MEMORY;
}

static int close_rows(cursor *c) { return free(c), OK; }

static uint64_t number_at(const unsigned char *at) {
	uint64_t n;
	memcpy(&n, at, sizeof n);
	return n;
}

// next finds the values of the next row. Each is a letter and eight bytes: an integer,
// or the length of the bytes that follow.
static int next(cursor *c) {
	const unsigned char *at = c->next_row;
	c->number++;
	for (int i = 0; i < c->columns; i++) {
		c->cells[i] = 0;
		if (at == c->end && i == 0)
			return OK;
		if (c->end - at < 9 || (*at != 'i' && number_at(at + 1) > (uint64_t)(c->end - at - 9)))
			return MISUSE;
		c->cells[i] = at;
		at += 9 + (*at == 'i' ? 0 : number_at(at + 1));
	}
	c->next_row = at;
	return OK;
}

static int filter(cursor *c, int plan, const char *name, int n, value **args) {
	(void)plan, (void)name;
	int size = n == 1 ? sqlite3_value_bytes(args[0]) : 0;
	const unsigned char *rows = size > 0 ? sqlite3_value_blob(args[0]) : 0;
	if (!rows || rows[0] == 0 || rows[0] > COLUMNS)
		return MISUSE;
	c->columns = rows[0];
	c->next_row = rows + 1;
	c->end = rows + size;
	c->number = 0;
	return next(c);
}

static int past(cursor *c) { return !c->cells[0]; }

static int column(cursor *c, context *to, int i) {
	if (i >= c->columns)
		return MISUSE;
	const unsigned char *cell = c->cells[i];
	switch (*cell) {
	case 'i': sqlite3_result_int64(to, (int64_t)number_at(cell + 1)); break;
	case 't': sqlite3_result_text(to, (const char *)cell + 9, (int)number_at(cell + 1), 0); break;
	default: sqlite3_result_blob(to, cell + 9, (int)number_at(cell + 1), 0);
	}
	return OK;
}

static int rowid(cursor *c, int64_t *number) { return *number = c->number, OK; }

static const module rows = {
	.connect = connect_rows, .best_index = best_index, .disconnect = disconnect,
	.open = open_rows, .close = close_rows, .filter = filter, .next = next, .eof = past,
	.column = column, .rowid = rowid,
};

static int extend(connection *c, char **error, const void *interface) {
	(void)error, (void)interface;
	return sqlite3_create_module(c, "rows", &rows, 0);
}

static void register_rows(void) { sqlite3_auto_extension((void (*)(void))extend); }

void rows_register(void) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, register_rows);
}
