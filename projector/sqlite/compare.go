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
// orders that differ. Rows are paired by their primary key, but those of orders by
// what names an order to the world, since another version may number the orders
// otherwise: an order by its source and key, and the rows of an order by it and what
// tells them apart. It reads all there is of both files, indexes too, and returns
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

// indexes looks whether every index of both sides has the rows of its table, since
// one that lacks them would hide them from readers. It compares the number of rows
// and the sums of the lower halves of their integers, which do not overflow: to look each row up in each index, as SQLite's own
// check does, takes four times as long.
func (c *Comparison) indexes(ctx context.Context, _ *domain.Difference) error {
	type index struct{ name, table, statement, sums string }
	for _, side := range []string{"main", "in_use"} {
		rows, err := c.conn.QueryContext(ctx, `
			SELECT name, tbl_name, ifnull(sql, ''), 'count(rowid), sum(rowid)' || (
			    SELECT ifnull(group_concat(', sum(' || i.name || ' & 0xffffffff)', ''), '')
			    FROM pragma_index_info(s.name, ?1) AS i
			    JOIN pragma_table_info(s.tbl_name, ?1) AS t ON t.cid = i.cid
			    WHERE t.type = 'INTEGER')
			FROM `+side+`.sqlite_schema AS s
			WHERE type = 'index'`, side)
		if err != nil {
			return err
		}
		all, err := collect(rows, func(row scanner) (i index, err error) {
			return i, row.Scan(&i.name, &i.table, &i.statement, &i.sums)
		})
		if err != nil {
			return err
		}
		for _, i := range all {
			where := ""
			if _, condition, partial := strings.Cut(i.statement, " WHERE "); partial {
				where = " WHERE " + condition
			}
			var fits bool
			err := c.conn.QueryRowContext(ctx, fmt.Sprintf(
				"SELECT (SELECT %[5]s FROM %[1]s.%[2]s INDEXED BY %[3]s%[4]s) IS (SELECT %[5]s FROM %[1]s.%[2]s NOT INDEXED%[4]s)",
				side, i.table, i.name, where, i.sums)).Scan(&fits)
			switch {
			case err != nil:
				return fmt.Errorf("index %s: %w", i.name, err)
			case !fits:
				return fmt.Errorf("%w: index %s does not have the rows of its table", domain.ErrDamaged, i.name)
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

// table walks both sides in the order in which they are stored. What one side alone
// has is what is left of its count: an outer join would keep a list of every row that
// it has paired.
func (c *Comparison) table(ctx context.Context, name string) (d domain.TableDifference, err error) {
	d.Table = name
	key, err := c.texts(ctx, "SELECT name FROM pragma_table_info(?, 'main') WHERE pk > 0 ORDER BY pk", name)
	if err != nil {
		return d, err
	}
	columns, err := c.texts(ctx, "SELECT name FROM pragma_table_info(?, 'main') WHERE name <> 'order_id' ORDER BY cid", name)
	if err != nil {
		return d, err
	}
	err = c.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT (SELECT count(*) FROM in_use.%[1]s), (SELECT count(*) FROM main.%[1]s)", name)).
		Scan(&d.InUse, &d.Rebuilt)
	if err != nil {
		return d, err
	}
	beside, isBeside := besideOrders[name]
	pairs := fmt.Sprintf("main.%[1]s AS m JOIN in_use.%[1]s AS u USING (%[2]s)", name, strings.Join(key, ", "))
	if name == "orders" {
		pairs = "main.orders AS m JOIN in_use.orders AS u ON u.id = " + counterpart("in_use", "m")
	}
	paired, same, err := c.count(ctx, pairs, columns)
	if err == nil && isBeside && paired < max(d.InUse, d.Rebuilt) { // it may be that the orders have other numbers
		paired, same, err = c.count(ctx, beside.pairs(name), columns)
	}
	d.Missing, d.Added, d.Changed = d.InUse-paired, d.Rebuilt-paired, paired-same
	return d, err
}

// count counts pairs of rows, m and u, and those that are the same in the columns.
func (c *Comparison) count(ctx context.Context, pairs string, columns []string) (all, same uint64, err error) {
	err = c.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*), ifnull(sum((%s) IS (%s)), 0) FROM %s",
		qualified("m", columns), qualified("u", columns), pairs)).Scan(&all, &same)
	return all, same, err
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
