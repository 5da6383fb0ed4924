package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/url"
)

// sumSize is how many bytes of a cursor vouch for the rest: enough that no slip
// goes unseen. A cursor is no secret, and a forged one only names a position.
const sumSize = 8

// Page is what every list takes to give itself in pages.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" example:"20" doc:"How many to give at most."`
	Cursor string `query:"cursor" maxLength:"128" doc:"The next_cursor of the page before; none for the first page. It fits the filters and the sort that it was given with."`
}

// more is how many to read: one more than the page holds tells whether another follows.
func (p Page) more() int { return p.Limit + 1 }

// cut gives the page's part of what was read, and the cursor of what follows it;
// nil where nothing does.
func cut[T any](p Page, all []T, cursor func(last T) string) ([]T, *string) {
	if len(all) <= p.Limit {
		return all, nil
	}
	next := cursor(all[p.Limit-1])
	return all[:p.Limit], &next
}

// Next is the header of a page that says where the next one is.
type Next struct {
	Link string `header:"Link" example:"</v1/orders?cursor=AAAB&limit=20>; rel=\"next\"" doc:"Where the next page is, with rel=next (RFC 8288): the same request with next_cursor as its cursor. Not there on the last page."`
}

// nextPage gives the header of a page with its next_cursor.
func nextPage(ctx context.Context, cursor *string) (next Next) {
	a, ok := ctx.Value(answerKey{}).(*answer)
	if !ok || cursor == nil {
		return next
	}
	asked, err := url.ParseRequestURI(a.target)
	if err != nil {
		return next // it was routed, so it is one
	}
	query := asked.Query()
	query.Set("cursor", *cursor)
	next.Link = "<" + asked.EscapedPath() + "?" + query.Encode() + `>; rel="next"`
	return next
}

// sealCursor gives the opaque text of a position in a list. The scope names the
// list with its filters and its sort: the cursor opens under the same one only.
func sealCursor(scope string, position ...uint64) string {
	var text []byte
	for _, part := range position {
		text = binary.BigEndian.AppendUint64(text, part)
	}
	return base64.RawURLEncoding.EncodeToString(append(text, sumCursor(scope, text)...))
}

// openCursor reads what sealCursor wrote into as many parts. The empty text is
// the start of the list and leaves them alone; any other text that is not of this
// scope, or names a position beyond any that there can be, is errCursor.
func openCursor(scope, text string, position ...*uint64) error {
	if text == "" {
		return nil
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(sealed) != 8*len(position)+sumSize {
		return errCursor
	}
	parts, sum := sealed[:8*len(position)], sealed[8*len(position):]
	if string(sum) != string(sumCursor(scope, parts)) {
		return errCursor
	}
	for i, part := range position {
		if *part = binary.BigEndian.Uint64(parts[8*i:]); *part > math.MaxInt64 {
			return errCursor
		}
	}
	return nil
}

func sumCursor(scope string, parts []byte) []byte {
	sum := sha256.Sum256(append([]byte(scope), parts...))
	return sum[:sumSize]
}
