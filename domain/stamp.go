package domain

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Stamp ranks what two events of one order say about the same thing: the greater
// stamp wins. It is made of the event alone, never of its arrival, so the same
// events give the same winner in whatever order they come.
type Stamp struct {
	// Clock is the time the provider gave the statement; zero where it gives none.
	Clock Instant
	// History is the length of the history that came with the statement: of two
	// snapshots of one moment the one that knows more is the later.
	History uint32
	// Rank is the place of the event's status in the provider's order of statuses.
	Rank uint8
	// Body is the head of the SHA-256 of the webhook's body. It decides only
	// between statements that nothing else tells apart.
	Body uint64
}

// NewStamp gives the stamp of what the body with the given digest says.
func NewStamp(clock Instant, history int, rank uint8, body Digest) Stamp {
	return Stamp{
		Clock:   clock,
		History: uint32(history),
		Rank:    rank,
		Body:    binary.BigEndian.Uint64(body[:8]),
	}
}

// Compare orders stamps by clock, then history, then rank, then body.
func (s Stamp) Compare(t Stamp) int {
	return cmp.Or(
		s.Clock.Compare(t.Clock),
		cmp.Compare(s.History, t.History),
		cmp.Compare(s.Rank, t.Rank),
		cmp.Compare(s.Body, t.Body),
	)
}

// ahead says, after the name of what bears s, by what s is greater than t.
func (s Stamp) ahead(t Stamp) string {
	switch {
	case s.Clock.Compare(t.Clock) != 0:
		return "with a later clock, " + s.Clock.String() + ","
	case s.History != t.History:
		return "of the same moment with a longer history"
	case s.Rank != t.Rank:
		return "of the same moment with a status of higher rank"
	}
	return "that nothing but its body tells apart"
}

// MarshalText gives the four parts, slash between: "2024-01-03T14:25:06Z/3/7/9f86d081884c7d65".
func (s Stamp) MarshalText() ([]byte, error) {
	text := append(s.Clock.appendTo(make([]byte, 0, 64)), '/')
	text = append(strconv.AppendUint(text, uint64(s.History), 10), '/')
	text = append(strconv.AppendUint(text, uint64(s.Rank), 10), '/')
	return hex.AppendEncode(text, binary.BigEndian.AppendUint64(nil, s.Body)), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *Stamp) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), "/")
	if len(parts) != 4 {
		return fmt.Errorf("stamp: want four parts, have %d", len(parts))
	}
	clockErr := s.Clock.UnmarshalText([]byte(parts[0]))
	history, historyErr := strconv.ParseUint(parts[1], 10, 32)
	rank, rankErr := strconv.ParseUint(parts[2], 10, 8)
	body, bodyErr := strconv.ParseUint(parts[3], 16, 64)
	if err := cmp.Or(clockErr, historyErr, rankErr, bodyErr); err != nil {
		return fmt.Errorf("stamp: %w", err)
	}
	s.History, s.Rank, s.Body = uint32(history), uint8(rank), body
	return nil
}

// Field is one fact of an order, with the stamp of the event that stated it. The
// zero value of T means that no event stated it.
type Field[T comparable] struct {
	Value T     `json:"value,omitzero"`
	Stamp Stamp `json:"stamp,omitzero"`
}

// take keeps the statement with the greater stamp, and tells whether the value
// changed. A statement of nothing (the zero value) never takes anything away, so
// an older event still fills what the newer ones lack.
func (f *Field[T]) take(value T, stamp Stamp) (changed bool) {
	var nothing T
	if value == nothing || f.Value != nothing && stamp.Compare(f.Stamp) <= 0 {
		return false
	}
	changed = value != f.Value
	f.Value, f.Stamp = value, stamp
	return changed
}
