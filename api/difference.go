package api

import (
	"context"

	"github.com/ticketrail/ticketrail/domain"
)

// Difference is what sets the read model in use and the rebuilt one apart, at one
// stream sequence.
type Difference struct {
	_              struct{}          `nullable:"true"`
	StreamSequence uint64            `json:"stream_sequence" example:"812" doc:"The stream sequence at which both were compared."`
	Equal          bool              `json:"equal" example:"false" doc:"Whether every row of every table is the same."`
	Tables         []TableDifference `json:"tables" nullable:"false" doc:"Every table, by its name."`
	Orders         OrdersDifference  `json:"orders" doc:"How many orders differ, by source and key."`
	Examples       []OrderDifference `json:"examples" nullable:"false" doc:"Some of the orders that differ, field by field."`
}

// TableDifference compares the rows of one table.
type TableDifference struct {
	Table   string `json:"table" example:"orders" doc:"Its name."`
	InUse   uint64 `json:"in_use" example:"240" doc:"How many rows the read model in use has."`
	Rebuilt uint64 `json:"rebuilt" example:"240" doc:"How many rows the rebuilt one has."`
	Missing uint64 `json:"missing" example:"0" doc:"Rows that only the one in use has."`
	Added   uint64 `json:"added" example:"0" doc:"Rows that only the rebuilt one has."`
	Changed uint64 `json:"changed" example:"3" doc:"Rows that both have and that differ."`
}

// OrdersDifference counts orders as TableDifference counts rows.
type OrdersDifference struct {
	Missing uint64 `json:"missing" example:"0" doc:"Orders that only the read model in use has."`
	Added   uint64 `json:"added" example:"0" doc:"Orders that only the rebuilt one has."`
	Changed uint64 `json:"changed" example:"3" doc:"Orders that both have and that differ."`
}

// OrderDifference is one order that differs.
type OrderDifference struct {
	Source string            `json:"source" example:"ordatic" doc:"Its source."`
	Key    string            `json:"key" example:"store-7:o-1" doc:"Its key."`
	Fields []FieldDifference `json:"fields" nullable:"false" doc:"The places that differ."`
}

// FieldDifference is one place of an order that differs.
type FieldDifference struct {
	Pointer  string  `json:"pointer" example:"/steps/fulfillment" doc:"A JSON pointer into the folded order, as it is stored, or where that is the same, into the columns and the timeline beside it."`
	InUse    *string `json:"in_use" example:"\"ready\"" doc:"What is there in the read model in use, as JSON; null where nothing is."`
	Rebuilt  *string `json:"rebuilt" example:"\"in-kitchen\"" doc:"What is there in the rebuilt one, as JSON; null where nothing is."`
	Redacted bool    `json:"redacted" example:"false" doc:"Whether what is there may be personal and is withheld, since the token lacks the scope raw."`
}

func difference(ctx context.Context, d *domain.Difference) *Difference {
	if d == nil {
		return nil
	}
	return &Difference{
		StreamSequence: d.StreamSequence,
		Equal:          d.None(),
		Tables:         each(d.Tables, func(t domain.TableDifference) TableDifference { return TableDifference(t) }),
		Orders:         OrdersDifference(d.Orders),
		Examples: each(d.Examples, func(o domain.OrderDifference) OrderDifference {
			return OrderDifference{Source: o.Source, Key: o.Key, Fields: each(o.Fields, fieldDifference(ctx))}
		}),
	}
}

// fieldDifference gives places in JSON, as whoever asks may see them.
func fieldDifference(ctx context.Context) func(domain.FieldDifference) FieldDifference {
	sees := seesPersonal(ctx)
	return func(f domain.FieldDifference) FieldDifference {
		if !sees && f.Personal() {
			return FieldDifference{Pointer: f.Pointer, Redacted: true}
		}
		return FieldDifference{Pointer: f.Pointer, InUse: orNull(f.InUse), Rebuilt: orNull(f.Rebuilt)}
	}
}

// Uncompared is what there is to tell of two read models that cannot be compared row
// by row.
type Uncompared struct {
	_       struct{} `nullable:"true"`
	Reason  string   `json:"reason" example:"the stream is another one" doc:"Why they cannot be compared."`
	InUse   Content  `json:"in_use" doc:"What the read model in use holds, as far as it can be read."`
	Rebuilt Content  `json:"rebuilt" doc:"What the rebuilt one holds."`
}

// Content is what a read model holds, in numbers.
type Content struct {
	Stream          *string         `json:"stream" example:"WEBHOOKS" doc:"The name of the stream that it is made from; null for an empty one, and for one that cannot be read."`
	StreamCreatedAt *domain.Instant `json:"stream_created_at" format:"date-time" doc:"When that stream was created, which tells it from another of its name."`
	Checkpoint      uint64          `json:"checkpoint" example:"812" doc:"The last stream sequence whose effects are in it."`
	Tables          []TableSize     `json:"tables" nullable:"false" doc:"Every table that can be read, by its name."`
}

// TableSize is how many rows a table has.
type TableSize struct {
	Table string `json:"table" example:"orders" doc:"Its name."`
	Rows  uint64 `json:"rows" example:"240" doc:"How many rows it has."`
}

func uncompared(u *domain.Uncompared) *Uncompared {
	if u == nil {
		return nil
	}
	return &Uncompared{Reason: u.Reason, InUse: content(u.InUse), Rebuilt: content(u.Rebuilt)}
}

func content(c domain.Content) Content {
	return Content{
		Stream:          orNull(c.Stream.Name),
		StreamCreatedAt: orNull(c.Stream.CreatedAt),
		Checkpoint:      c.StreamSequence,
		Tables:          each(c.Tables, func(t domain.TableSize) TableSize { return TableSize(t) }),
	}
}
