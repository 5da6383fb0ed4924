package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ticketrail/ticketrail/domain"
)

// Comparison compares a rebuilt read model with the one in use, as that was at
// one checkpoint, while it moves on. It holds a read transaction on the one in
// use, so its write-ahead log grows until Close.
type Comparison struct {
	db   *sql.DB
	conn *sql.Conn
	at   uint64
}

// Compare begins a comparison: the read model in use is held as it is now. It returns
// domain.ErrDamaged or ErrSchema where what is in the files forbids it.
func Compare(ctx context.Context, inUse, rebuilt string) (c *Comparison, err error) {
	c = &Comparison{}
	defer func() {
		if err != nil {
			err = fmt.Errorf("compare read models: %w", unfit(errors.Join(err, c.Close())))
		}
	}()
	if c.db, err = sql.Open("sqlite3", dsn(rebuilt, "ro", "_query_only=true")); err != nil {
		return c, err
	}
	if c.conn, err = c.db.Conn(ctx); err != nil {
		return c, err
	}
	for _, statement := range []string{"ATTACH ? AS in_use", "BEGIN"} {
		args := []any{dsn(inUse, "ro", "")}[:strings.Count(statement, "?")]
		if _, err = c.conn.ExecContext(ctx, statement, args...); err != nil {
			return c, err
		}
	}
	// This read, and not BEGIN, fixes what is seen of the one in use.
	err = c.conn.QueryRowContext(ctx, "SELECT ifnull(max(checkpoint), 0) FROM in_use.projection").Scan(&c.at)
	return c, err
}

// StreamSequence is the checkpoint at which the read model in use is held: the
// rebuilt one must be brought to exactly this one before Difference is asked for.
func (c *Comparison) StreamSequence() uint64 { return c.at }

// Close ends the comparison and lets the read model in use go.
func (c *Comparison) Close() error {
	var errs []error
	if c.conn != nil {
		errs = append(errs, c.conn.Close())
	}
	if c.db != nil {
		errs = append(errs, c.db.Close())
	}
	return errors.Join(errs...)
}

// Difference compares every row of every table, and describes up to examples
// orders that differ. It reads all there is of both files, indexes too, and returns
// domain.ErrDamaged where one of them is not what was written, and ErrSchema where
// their tables do not fit.
func (c *Comparison) Difference(ctx context.Context, examples int) (*domain.Difference, error) {
	d, err := c.difference(ctx, examples)
	if err != nil {
		return nil, fmt.Errorf("compare read models: %w", unfit(err))
	}
	return d, nil
}

func (c *Comparison) difference(ctx context.Context, examples int) (*domain.Difference, error) {
	var rebuilt uint64
	if err := c.conn.QueryRowContext(ctx, "SELECT ifnull(max(checkpoint), 0) FROM main.projection").Scan(&rebuilt); err != nil {
		return nil, err
	}
	if rebuilt != c.at {
		return nil, fmt.Errorf("the one in use is at stream sequence %d, the rebuilt one at %d", c.at, rebuilt)
	}
	d := &domain.Difference{StreamSequence: c.at}
	for _, step := range []func(context.Context, *domain.Difference) error{c.tables, c.indexes} {
		if err := step(ctx, d); err != nil {
			return nil, err
		}
	}
	if d.None() {
		return d, nil
	}
	found, err := c.orders(ctx, d, examples)
	if err != nil {
		return nil, err
	}
	d.Examples, err = c.describe(ctx, found)
	return d, err
}

// indexes counts the entries of every index of both sides. One that lacks rows of
// its table would hide them from readers.
func (c *Comparison) indexes(ctx context.Context, _ *domain.Difference) error {
	for _, side := range []string{"main", "in_use"} {
		rows, err := c.conn.QueryContext(ctx, "SELECT name, tbl_name, ifnull(sql, '') FROM "+side+".sqlite_schema WHERE type = 'index'")
		if err != nil {
			return err
		}
		type index struct{ name, table, statement string }
		all, err := collect(rows, func(row scanner) (i index, err error) { return i, row.Scan(&i.name, &i.table, &i.statement) })
		if err != nil {
			return err
		}
		for _, i := range all {
			where := ""
			if _, condition, partial := strings.Cut(i.statement, " WHERE "); partial {
				where = " WHERE " + condition
			}
			var entries, inTable uint64
			err := c.conn.QueryRowContext(ctx, fmt.Sprintf(
				"SELECT (SELECT count(rowid) FROM %[1]s.%[2]s INDEXED BY %[3]s%[4]s), (SELECT count(rowid) FROM %[1]s.%[2]s NOT INDEXED%[4]s)",
				side, i.table, i.name, where)).Scan(&entries, &inTable)
			switch {
			case err != nil:
				return fmt.Errorf("index %s: %w", i.name, err)
			case entries != inTable:
				return fmt.Errorf("%w: index %s has %d of the %d rows of its table", domain.ErrDamaged, i.name, entries, inTable)
			}
		}
	}
	return nil
}

func (c *Comparison) tables(ctx context.Context, d *domain.Difference) error {
	names, err := c.texts(ctx, `
		SELECT name
		FROM main.sqlite_schema
		WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
		ORDER BY name`)
	if err != nil {
		return err
	}
	for _, name := range names {
		difference, err := c.table(ctx, name)
		if err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
		d.Tables = append(d.Tables, difference)
	}
	return nil
}

// table compares by the primary key, so that both sides are walked in the order
// in which they are stored. What one side alone has is what is left of its count: an
// outer join would keep a list of every row that it has paired.
func (c *Comparison) table(ctx context.Context, name string) (d domain.TableDifference, err error) {
	d.Table = name
	key, err := c.texts(ctx, "SELECT name FROM pragma_table_info(?, 'main') WHERE pk > 0 ORDER BY pk", name)
	if err != nil {
		return d, err
	}
	rest, err := c.texts(ctx, "SELECT name FROM pragma_table_info(?, 'main') WHERE pk = 0 ORDER BY cid", name)
	if err != nil {
		return d, err
	}
	differs := "0"
	if len(rest) > 0 {
		differs = "(" + qualified("m", rest) + ") IS NOT (" + qualified("u", rest) + ")"
	}
	var paired uint64
	err = c.conn.QueryRowContext(ctx, fmt.Sprintf(`
		SELECT (SELECT count(*) FROM in_use.%[1]s), (SELECT count(*) FROM main.%[1]s), count(*), ifnull(sum(%[2]s), 0)
		FROM main.%[1]s AS m
		JOIN in_use.%[1]s AS u USING (%[3]s)`,
		name, differs, strings.Join(key, ", "))).
		Scan(&d.InUse, &d.Rebuilt, &paired, &d.Changed)
	d.Missing, d.Added = d.InUse-paired, d.Rebuilt-paired
	return d, err
}

func qualified(table string, columns []string) string {
	names := slices.Clone(columns)
	for i, column := range names {
		names[i] = table + "." + column
	}
	return strings.Join(names, ", ")
}

func (c *Comparison) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := c.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(row scanner) (text string, err error) { return text, row.Scan(&text) })
}
