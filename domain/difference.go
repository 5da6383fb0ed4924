package domain

// Difference is what sets two read models of one stream apart, at the same stream
// sequence: the one in use and the one that was rebuilt.
type Difference struct {
	StreamSequence uint64
	// Tables tells of every table how many rows differ. Where the two sides number
	// their orders otherwise, the rows of orders differ by their numbers, and those
	// that belong to an order do not.
	Tables []TableDifference
	// Orders tells how many orders differ, by source and order key; an order
	// differs where any field of its folded state does, or any row that a reader
	// finds beside it: a column of the order, its timeline, a proof of delivery.
	Orders OrdersDifference
	// Examples are some of the orders that differ, field by field.
	Examples []OrderDifference
}

// TableDifference compares the rows of one table.
type TableDifference struct {
	Table string
	// InUse and Rebuilt are how many rows there are on each side.
	InUse, Rebuilt uint64
	// Missing are only in the one in use, Added only in the rebuilt one; Changed
	// are in both and differ.
	Missing, Added, Changed uint64
}

// OrdersDifference counts orders like TableDifference counts rows.
type OrdersDifference struct{ Missing, Added, Changed uint64 }

// OrderDifference is one order that differs.
type OrderDifference struct {
	Source, Key string
	// Fields are the places that differ, as JSON pointers into the folded order or,
	// where that is the same, into its rows: "/columns/state", "/timeline/7/effect".
	// They are empty where only a proof of delivery differs.
	Fields []FieldDifference
}

// FieldDifference is one place of an order, as JSON on each side; empty where the
// side has nothing there.
type FieldDifference struct {
	Pointer        string
	InUse, Rebuilt string
}

// None tells whether every row of every table is the same.
func (d *Difference) None() bool {
	for _, t := range d.Tables {
		if t.Missing+t.Added+t.Changed > 0 {
			return false
		}
	}
	return true
}
